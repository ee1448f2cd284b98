/* oxlint-disable no-underscore-dangle -- the names are those of ws */
import fc from 'fast-check'
import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import * as wsModule from 'ws'
import type { WebSocket } from 'ws'
import { receiveFairly } from '../src/fair-receiver.ts'
import { FragmentPace, ReadingShare, ReadingTurns } from '../src/reading-share.ts'
import { wholeMessage } from '../src/whole-message.ts'
import type { Receiver as OurReceiver } from '../src/ws-receiver.ts'

/*
 * A read that is one whole message does not pass through the receiver of ws. Whatever a client sends, in whatever pieces, what comes
 * of it is what ws makes of it.
 */

type Receiver = NodeJS.WritableStream & Pick<OurReceiver, '_state' | '_bufferedBytes' | '_fragmented' | '_maxPayload' | '_errored' | 'writableEnded'>
const { Receiver: WsReceiver } = wsModule as unknown as { Receiver: new (options: object) => Receiver }
const MAX_PAYLOAD = 200

interface Frame {
  first: number
  masked: boolean
  payload: Uint8Array
  /** The length in two octets, also where seven bits would do. */
  long: boolean
}

function encoded({ first, masked, payload, long }: Frame): Buffer {
  const isLong = long || payload.byteLength > 125
  const bit = masked ? 0x80 : 0
  const length = isLong ? [bit | 126, payload.byteLength >> 8, payload.byteLength & 0xff] : [bit | payload.byteLength]
  const mask = [0x5a, 0, 0xff, 0x17]
  return Buffer.from([first, ...length, ...(masked ? mask : []), ...(masked ? payload.map((byte, index) => byte ^ mask[index % 4]!) : payload)])
}

/** What a receiver says of these reads. Each gets bytes of its own: it unmasks them where they are. */
function said(receiver: Receiver, reads: Buffer[]): unknown[] {
  const all: unknown[] = []
  for (const event of ['message', 'ping', 'pong', 'conclude']) receiver.on(event, (...args: unknown[]) => all.push([event, ...args.map((arg) => (Buffer.isBuffer(arg) ? arg.toString('hex') : arg))]))
  receiver.on('error', () => {})
  for (const read of reads) receiver.write(Buffer.from(read))
  return [...all, receiver._errored, receiver._state, receiver._bufferedBytes]
}

const plain = (): Receiver => new WsReceiver({ isServer: true, maxPayload: MAX_PAYLOAD })

function fair(): Receiver {
  const receiver = plain()
  receiveFairly({ _receiver: receiver } as unknown as WebSocket, new Socket(), new ReadingShare(new ReadingTurns()), new FragmentPace())
  return receiver
}

const TEXT = 0x81
const some = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => new Uint8Array(Buffer.from(text))), fc.uint8Array({ maxLength: 130 }), fc.uint8Array({ minLength: 120, maxLength: 260 }))
const frames = fc.record({
  first: fc.oneof({ weight: 6, arbitrary: fc.constantFrom(TEXT, 0x82) }, { weight: 3, arbitrary: fc.constantFrom(0x01, 0x02, 0x80, 0x00, 0x89, 0x8a, 0x88) }, { weight: 1, arbitrary: fc.nat(255) }),
  masked: fc.oneof({ weight: 20, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  payload: some,
  long: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) })
})
/** A frame to a read, but for some that are cut, or come with the one behind. */
const reading = fc.record({ frame: frames, cutAt: fc.option(fc.nat(300), { freq: 5 }), joins: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }) })

function readsOf(parts: { frame: Frame; cutAt: number | null; joins: boolean }[]): Buffer[] {
  const reads: Buffer[] = []
  let waiting = Buffer.alloc(0)
  for (const { frame, cutAt, joins } of parts) {
    const bytes = Buffer.concat([waiting, encoded(frame)])
    waiting = Buffer.alloc(0)
    if (joins) waiting = bytes
    else if (cutAt !== null && cutAt > 0 && cutAt < bytes.byteLength) reads.push(bytes.subarray(0, cutAt), bytes.subarray(cutAt))
    else reads.push(bytes)
  }
  return waiting.byteLength > 0 ? [...reads, waiting] : reads
}

test('what comes of any frames, whole, cut or joined, is what ws makes of them', () => {
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 12 }), (parts) => {
      const reads = readsOf(parts)
      expect(said(fair(), reads)).toEqual(said(plain(), reads))
    }),
    { numRuns: 5_000 }
  )
})

test.each([
  ['behind the first octet of another', [Buffer.of(TEXT), Buffer.of(0x81, 0x80, 1, 2, 3, 0x61)]],
  ['as the payload of another', [Buffer.of(TEXT, 0x86, 0, 0, 0, 0), Buffer.of(TEXT, 0x80, 0, 0, 0, 0)]],
  ['behind a close frame', [Buffer.of(0x88, 0x80, 0, 0, 0, 0), Buffer.of(TEXT, 0x80, 0, 0, 0, 0)]],
  ['in the midst of the frames of another', [Buffer.of(0x01, 0x80, 0, 0, 0, 0), Buffer.of(TEXT, 0x80, 0, 0, 0, 0)]]
])('what looks like a whole message is what ws takes it for: %s', (_, reads) => {
  expect(said(fair(), reads)).toEqual(said(plain(), reads))
})

const frame = (first: number, payload: Uint8Array | string, changes: Partial<Frame> = {}): Buffer => encoded({ first, masked: true, long: false, payload: new Uint8Array(Buffer.from(payload as string)), ...changes })

test.each([
  ['a text', frame(TEXT, 'hello'), 'hello'],
  ['one of nothing', frame(TEXT, ''), ''],
  ['one of more than ASCII', frame(TEXT, 'héllo 服务端'), 'héllo 服务端'],
  ['binary', frame(0x82, 'bytes'), 'bytes'],
  ['one with a longer length', frame(TEXT, 'x'.repeat(200)), 'x'.repeat(200)]
])('is taken at once: %s', (_, read, text) => {
  expect(wholeMessage(plain(), read)).toEqual({ data: Buffer.from(text), binary: read[0] === 0x82 })
})

test.each([
  ['a ping', frame(0x89, 'hello')],
  ['a first fragment', frame(0x01, 'hello')],
  ['one that is compressed', frame(TEXT | 0x40, 'hello')],
  ['one without a mask', frame(TEXT, 'hello', { masked: false })],
  ['one that is no UTF-8', frame(TEXT, Uint8Array.of(0x61, 0xff))],
  ['one that is too large', frame(TEXT, 'x'.repeat(MAX_PAYLOAD + 1))],
  ['a part of one', frame(TEXT, 'hello').subarray(0, 8)],
  ['a part of its length', frame(TEXT, 'x'.repeat(200)).subarray(0, 3)],
  ['its first octet', frame(TEXT, 'hello').subarray(0, 1)],
  ['two', Buffer.concat([frame(TEXT, 'hello'), frame(TEXT, 'hello')])]
])('is left to ws, as it was: %s', (_, read) => {
  const before = Buffer.from(read)
  expect(wholeMessage(plain(), read)).toBeNull()
  expect(read).toEqual(before)
})
