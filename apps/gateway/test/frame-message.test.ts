import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import * as ws from 'ws'
import { frameMessage, payloadOf, writeMessageHead } from '../src/frame-message.ts'

/** Exported by ws, but not in its types. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => NodeJS.WritableStream }

/** What a client makes of the bytes. */
function receive(bytes: Uint8Array): { data: Buffer; binary: boolean } {
  const receiver = new Receiver({ isServer: false })
  let got: { data: Buffer; binary: boolean } | undefined
  receiver.on('message' as never, ((data: Buffer, binary: boolean) => {
    got = { data: Buffer.from(data), binary }
  }) as never)
  receiver.write(Buffer.from(bytes))
  if (got === undefined) throw new Error('no message')
  return got
}

const lengths = fc.oneof(fc.nat(300), fc.constantFrom(0, 1, 125, 126, 127, 65_535, 65_536, 70_000), fc.nat(100_000))

test('ws reads what was framed here', () => {
  fc.assert(
    fc.property(lengths, (length) => {
      const payload = Buffer.alloc(length, 'x')
      for (const binary of [true, false]) {
        const got = receive(frameMessage(payload, binary))
        expect(got.binary).toBe(binary)
        expect(got.data.equals(payload)).toBe(true)
      }
    }),
    { numRuns: 60 }
  )
})

test('a header is written before its payload and touches nothing else', () => {
  fc.assert(
    fc.property(lengths, (length) => {
      const bytes = Buffer.alloc(24 + length, 7)
      const start = writeMessageHead(bytes, 24, length, true)
      expect(start).toBeGreaterThanOrEqual(14)
      expect(bytes.subarray(0, start).every((byte) => byte === 7)).toBe(true)
      expect(bytes.subarray(24).every((byte) => byte === 7)).toBe(true)
      expect(receive(bytes.subarray(start)).data.byteLength).toBe(length)
    }),
    { numRuns: 60 }
  )
})

test('what was framed is found again in its frame, with each kind of header', () => {
  for (const length of [0, 1, 125, 126, 65_535, 65_536, 70_000]) {
    const payload = Buffer.alloc(length, 7)
    expect(Buffer.compare(payloadOf(frameMessage(payload, true)), payload)).toBe(0)
  }
})

test('a message that may wait for many clients keeps no memory but its own', () => {
  for (const size of [1014, 1500, 4000, 100_000]) expect(frameMessage(new Uint8Array(size), false).buffer.byteLength).toBeLessThanOrEqual(size + 10)
})
