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

it.each([
  ['long ones', 5_000, 1],
  ['more than the buffer of the turn has room for', 300, 50],
  ['one that takes so much more each time', 20_000, 3]
])('what is sent behind an await is there as well, in its order: %s', async (_name, length, count) => {
  const test = await harness.start(`exports.main = async ({ params, socket }) => {
    if (!params) return
    socket.send('at once')
    await null
    for (let i = 0; i < ${count}; i++) socket.send(i + params.data.toString().repeat(${length}))
    socket.send('last')
  }`)
  test.open(1)
  for (let round = 0; round < 3; round++) test.event(FrameType.MESSAGE, 1, 'x')
  const expected = ['at once', ...Array.from({ length: count }, (_, index) => index + 'x'.repeat(length)), 'last']
  await test.until(() => test.texts().length === 3 * expected.length)
  expect(test.texts()).toEqual([...expected, ...expected, ...expected])
  await test.until((frames) => acknowledged(frames).length === 4)
})
