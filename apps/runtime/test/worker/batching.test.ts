import { FrameType } from '@socklet/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { acknowledged, makeHarness, type Harness } from './harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

it('one entry into the isolate delivers all that waits, and brings back all that was sent and settled', async () => {
  const test = await harness.start(`exports.main = async (ctx) => { if (ctx.params) ctx.socket.send(ctx.params.data.toString()) }`)
  test.open(1)
  for (let i = 0; i < 2000; i++) test.event(FrameType.MESSAGE, 1, `message ${i}`)
  await test.until((frames) => acknowledged(frames).length === 2001)
  expect(test.texts()).toEqual(Array.from({ length: 2000 }, (_, index) => `message ${index}`))
  const { turns, events } = await test.app.stats()
  expect(events).toBe(2001)
  // The first turn takes 64 events, the next ones as many as are likely to fit into ten milliseconds.
  expect(turns).toBeLessThan(40)
  expect(test.gateway.frames.filter(({ head }) => head.type === FrameType.ACK).length).toBe(turns)
})
