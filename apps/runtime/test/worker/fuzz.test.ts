import { FrameType, encodeFrame } from '@socklet/protocol'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { nextEvent, openMailbox } from '../../src/guest/mailbox.ts'
import { acknowledged, makeHarness, type Harness } from './harness.ts'

const SEED = 20_261_124

let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

const u32 = fc.nat({ max: 0xffffffff })
const head = fc.record({ type: fc.nat({ max: 255 }), flags: fc.nat({ max: 255 }), gateway: fc.nat({ max: 0xffff }), app: u32, generation: u32, connection: u32, sequence: u32 })

it('events come out of a mailbox as they went in, whatever their payloads are', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(head, fc.uint8Array({ maxLength: 50 })), { maxLength: 20 }), (frames) => {
      const bytes = Buffer.concat(frames.map(([one, payload]) => encodeFrame(one, payload)))
      const mailbox = openMailbox(new Uint8Array(bytes).buffer, bytes.byteLength, undefined, undefined)
      for (const [{ app: _app, generation: _generation, ...one }, payload] of frames) {
        const { start, end, ...event } = nextEvent(mailbox)!
        expect(event).toEqual(one)
        expect(mailbox.bytes.slice(start, end)).toEqual(payload)
      }
      expect(nextEvent(mailbox)).toBe(null)
    }),
    { seed: SEED }
  )
})

it('an app goes on, whatever its clients send', async () => {
  const test = await harness.start(`exports.main = (ctx) => { if (ctx.method === 'WebSocket:message' && ctx.params.data.toString() === 'well?') ctx.socket.send('well') }`)
  test.open(1)
  for (let connection = 2; connection < 7; connection++) test.open(connection)
  // Those whose payloads are a client's; the others are made by the gateway.
  const types = [FrameType.MESSAGE, FrameType.CLOSED, FrameType.PING, FrameType.PONG, FrameType.SENT, FrameType.BUFFERED, FrameType.REQUEST_GONE]
  const event = fc.record({ type: fc.constantFrom(...types), connection: fc.integer({ min: 2, max: 6 }), payload: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.json().map((text) => Buffer.from(text)), fc.json().map((text) => Buffer.concat([Buffer.from(new Uint32Array([text.length]).buffer), Buffer.from(text)]))), flags: fc.constantFrom(0, 1) })
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 20 }), async (events) => {
      const before = test.texts().length
      for (const { type, connection, payload, flags } of events) test.event(type, connection, payload, flags)
      const last = test.event(FrameType.MESSAGE, 1, 'well?')
      await test.until((frames) => acknowledged(frames).includes(last))
      expect(test.texts().length).toBe(before + 1)
      expect(test.downs).toEqual([])
    }),
    { seed: SEED, numRuns: 100 }
  )
}, 30_000)
