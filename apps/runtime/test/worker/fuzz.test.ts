import { Flag, FrameType, encodeFrame } from '@socklet/protocol'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readConnectionHead, readRequestHead, readUpgradeHead } from '../../src/guest/heads.ts'
import { nextEvent, openMailbox } from '../../src/guest/mailbox.ts'
import { acknowledged, makeHarness, numbers, type Harness } from './harness.ts'

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

/** Payloads that are nearly right are the ones that get far. */
const json = fc.json({ maxDepth: 3 }).map((text) => Buffer.from(text))
/** Nearly always what it should be: with two things wrong the second is not come to. */
const nearly = (...good: unknown[]): fc.Arbitrary<unknown> => fc.oneof({ weight: 40, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: fc.anything() }, { weight: 2, arbitrary: fc.constantFrom({ length: 1e9 }, null) })
const nearlyHead = fc.record({
  id: nearly('some', 'other'), url: nearly('/', '/http?a[b]=1&%ff&a[999999999]=2&__proto__[x]=1'), headers: nearly({}, { 'content-type': 'application/json' }, { 'content-type': 'application/x-www-form-urlencoded' }),
  protocol: nearly(''), extensions: nearly(''), rooms: nearly(['room'], undefined), requestId: nearly('r'), function: nearly('http', 'none', '__proto__'), method: nearly('POST'), address: nearly('::1'),
  protocols: nearly(['v1'], []), name: nearly('RangeError'), message: nearly('bad'), code: nearly('E', undefined)
}).map((given) => Buffer.from(safeJson(given)))
const withLength = (bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc.tuple(bytes, fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -4, max: 4 }) }, { weight: 1, arbitrary: u32 }), fc.uint8Array({ maxLength: 40 })).map(([first, off, rest]) => Buffer.concat([numbers((first.byteLength + off) >>> 0), first, rest]))
const anyPayload = fc.oneof(fc.uint8Array({ maxLength: 60 }), json, { weight: 4, arbitrary: nearlyHead }, withLength(json), { weight: 12, arbitrary: withLength(nearlyHead) }, withLength(fc.uint8Array({ maxLength: 60 })))

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' || typeof item === 'symbol' ? String(item) : item)) ?? 'null'
  } catch {
    return 'null'
  }
}

it('heads without what they need, or with something else in its place, are refused', () => {
  const connection = { id: 'i', url: '/', headers: {}, protocol: '', extensions: '' }
  const request = { requestId: 'r', function: 'f', method: 'GET', url: '/', headers: {}, address: '' }
  const upgrade = { requestId: 'r', url: '/', headers: {}, address: '', protocols: ['v1'] }
  for (const [read, good] of [[readConnectionHead, connection], [readRequestHead, request], [readUpgradeHead, upgrade]] as const) {
    expect(read(JSON.stringify(good))).toEqual(good)
    for (const text of ['null', '[]', '7', '"text"']) expect(() => read(text), text).toThrow('malformed')
    for (const name of Object.keys(good)) for (const bad of [undefined, null, 7]) expect(() => read(JSON.stringify({ ...good, [name]: bad })), name).toThrow('malformed')
  }
  expect(() => readConnectionHead(JSON.stringify({ ...connection, rooms: { length: 1e9 } }))).toThrow('malformed')
})

/**
 * A broader test than that of what clients send had timed out: a head whose length is beyond its frame was read for seconds, since of bytes that
 * are not there none is above 0x7f, and so was a list of rooms that only has a length.
 */
it.each(Object.entries(FrameType).filter(([, type]) => type < 32 || type === FrameType.FETCH_RESULT || type === FrameType.FETCH_PART))('an app goes on, whatever a %s has in it', async (_name, type) => {
  const test = await harness.start(APP, { functions: { http: `module.exports = (ctx) => { console.log(ctx.query); return ctx.body }` }, limits: { turnCpuMs: 10_000, logLinesPerSecond: 100_000, minuteCpuMs: 60_000 } })
  test.open(1)
  for (let connection = 2; connection < 7; connection++) test.open(connection)
  const event = fc.record({ connection: fc.integer({ min: 2, max: 9 }), payload: anyPayload, flags: fc.integer({ min: 0, max: 255 }).map((flags) => flags & ~Flag.EXTERNAL) })
  let slowest = 0
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 20 }), async (events) => {
      const before = test.texts().filter((text) => text === 'well').length
      const start = performance.now()
      for (const { connection, payload, flags } of events) test.event(type, connection, payload, flags)
      // It holds the app, as it is meant to.
      if (type === FrameType.BACKPRESSURE) test.event(FrameType.BACKPRESSURE, 0, '', Flag.END)
      const last = test.event(FrameType.MESSAGE, 1, 'well?')
      await test.until((frames) => acknowledged(frames.slice(-500)).includes(last))
      slowest = Math.max(slowest, performance.now() - start)
      expect(test.texts().filter((text) => text === 'well').length).toBe(before + 1)
      expect(test.downs).toEqual([])
    }),
    { seed: SEED, numRuns: 80 }
  )
  // An event that is as short as these takes no time, malformed or not. The machines are noisy.
  expect(slowest).toBeLessThan(2_000)
  test.app.dispose()
}, 30_000)

const APP = `exports.main = (ctx) => { if (ctx.method === 'WebSocket:message' && ctx.params.data.toString() === 'well?' && ctx.socket.id === 'id-1') ctx.socket.send('well') }; exports.upgrade = (ctx) => ctx.query`
