import { FrameType } from '@socklet/protocol'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { acknowledged, makeHarness, type Harness, type StartOptions, type TestApp } from './harness.ts'

/**
 * An app that is alone in its worker, and whose turns have been short for long, gets its turns on the worker's own thread:
 * here it is that of the test, which does nothing else meanwhile.
 */
let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

/** Turns that have run on this thread: they are counted, and otherwise what they are. */
const here = vi.hoisted(() => ({ turns: 0 }))
vi.mock(import('../../src/worker/isolate.ts'), async (original) => {
  const real = await original()
  return {
    ...real,
    startIsolate: async (...args) => {
      const isolate = await real.startIsolate(...args)
      const { turnHere } = isolate
      isolate.turnHere = (...input) => {
        here.turns++
        return turnHere(...input)
      }
      return isolate
    }
  }
})
const ENOUGH = 200

/** `work MS` uses CPU for so long and says when; the others are for single tests. */
const CODE = `
  exports.main = (ctx) => {
    if (ctx.method !== 'WebSocket:message') return
    const text = ctx.params.data.toString()
    const [word, number] = text.split(' ')
    if (word === 'work') {
      const start = Date.now()
      while (Date.now() < start + Number(number));
      ctx.socket.send('worked ' + start + ' ' + Date.now())
    } else if (word === 'reject') {
      Promise.reject(new Error('nobody caught this'))
    } else if (word === 'recurse') {
      const deeper = () => deeper() + 1
      deeper()
    } else if (word === 'fill') {
      const kept = []
      for (;;) kept.push(new Array(100_000).fill(kept.length))
    } else if (word === 'uuid') {
      for (let n = 0; n < 1_000; n++) crypto.randomUUID()
      ctx.socket.send(crypto.randomUUID())
    } else if (word === 'later') {
      void Promise.resolve().then(() => ctx.socket.send('l'.repeat(Number(number))))
    } else ctx.socket.send(text)
  }`

/** One that has had many short turns, one after the other. */
async function practised(options: StartOptions): Promise<TestApp> {
  const test = await harness.start(CODE, options)
  test.open(1)
  for (let n = 0; n < ENOUGH; n++) await ask(test, 'short')
  return test
}

/** One that has its next turn on this thread. Where the machine keeps turns waiting for a core they are not short, and it takes more of them. */
async function alone(options: StartOptions = {}): Promise<TestApp> {
  const test = await practised({ ...options, isAlone: true })
  for (let n = 0; n < 5_000; n++) {
    const before = here.turns
    await ask(test, 'short')
    if (here.turns > before) return test
  }
  throw new Error('no turn ran on this thread')
}

async function ask(test: TestApp, text: string): Promise<string> {
  const { frames } = test.gateway
  const from = frames.length
  test.event(FrameType.MESSAGE, 1, text)
  for (const end = Date.now() + 10_000; ; await new Promise(setImmediate)) {
    const answer = frames.slice(from).find(({ head }) => head.type === FrameType.SEND)
    if (answer !== undefined) return answer.payload.toString()
    if (Date.now() > end) throw new Error(`no answer to ${text}: ${test.downs.join()}`)
  }
}

/** Whether the app works on this thread, which then does nothing else meanwhile. */
async function sharesThread(test: TestApp): Promise<boolean> {
  const before = here.turns
  const ticks: number[] = []
  const timer = setInterval(() => ticks.push(Date.now()), 1)
  const [, start, end] = (await ask(test, 'work 100')).split(' ').map(Number) as [number, number, number]
  clearInterval(timer)
  const shares = here.turns > before
  // That nothing happened may be the machine's doing, too, where it is busy.
  if (shares) expect(ticks.filter((tick) => tick > start + 10 && tick < end - 10)).toEqual([])
  return shares
}

it('is for apps that are alone, after turns that were short, and many', async () => {
  expect(await sharesThread(await practised({}))).toBe(false)
  const test = await harness.start(CODE, { isAlone: true })
  test.open(1)
  expect(await sharesThread(test)).toBe(false)
  const other = await alone()
  expect(await sharesThread(other)).toBe(true)
  expect(await sharesThread(other)).toBe(false)
})

it('is not for apps whose turns may take longer than the pool bears a silent worker', async () => {
  expect(await sharesThread(await practised({ isAlone: true, limits: { turnCpuMs: 10_000 } }))).toBe(false)
})

it('takes messages of every kind, what is sent later, and calls back into this process', async () => {
  const texts = ['', 'a', 'héllo', '服务端'.repeat(2000), 'x'.repeat(1_000_000), `${'a'.repeat(2000)}é`]
  for (const text of texts) expect(await ask(await alone(), text)).toBe(text)
  expect(await ask(await alone(), 'later 50')).toBe('l'.repeat(50))
  expect(await ask(await alone(), 'later 5000')).toBe('l'.repeat(5000))
  expect(await ask(await alone(), 'uuid')).toMatch(/^[0-9a-f]{8}-/)
})

it('gives a rejection that nobody caught, and a recursion without end, to the log', async () => {
  const test = await alone()
  const rejecting = test.event(FrameType.MESSAGE, 1, 'reject')
  await test.until((frames) => acknowledged(frames).includes(rejecting))
  const recursing = test.event(FrameType.MESSAGE, 1, 'recurse')
  await test.until((frames) => acknowledged(frames).includes(recursing))
  expect(await ask(test, 'still there')).toBe('still there')
  const messages = test.logs().map(({ message }) => message)
  expect(messages.filter((message) => message.includes('nobody caught this'))).toHaveLength(1)
  expect(messages.filter((message) => message.includes('Maximum call stack size exceeded'))).toHaveLength(1)
  expect(messages.join()).not.toContain('file://')
  expect(test.downs).toEqual([])
})

it('ends an isolate whose turn was longer than its limit, as soon as the turn is over', async () => {
  const test = await alone({ limits: { turnCpuMs: 100 } })
  test.event(FrameType.MESSAGE, 1, 'work 300')
  await test.until(() => test.downs.length > 0)
  expect(test.downs).toEqual(['a turn took more than 100 ms of CPU (limit turnCpuMs)'])
  expect(test.texts().filter((text) => text.startsWith('worked'))).toEqual([])
})

it('ends an isolate whose heap is full', async () => {
  const test = await alone({ limits: { heapMiB: 16 } })
  test.event(FrameType.MESSAGE, 1, 'fill')
  await test.until(() => test.downs.length > 0)
  expect(test.downs).toEqual(['the heap was above 16 MiB (limit heapMiB)'])
})

it('lets the rest of the worker go on between two turns, however much waits for the app', async () => {
  const test = await harness.start('exports.main = () => {}', { isAlone: true })
  test.open(1)
  const done = (event: number): Promise<unknown> => test.until((frames) => acknowledged(frames).includes(event))
  for (let n = 0; n < ENOUGH; n++) {
    test.event(FrameType.MESSAGE, 1, '')
    await new Promise(setImmediate)
    await new Promise(setImmediate)
  }
  await done(test.event(FrameType.MESSAGE, 1, ''))
  const turns = async (): Promise<number> => (await test.app.stats()).turns
  const before = await turns()
  const last = Array.from({ length: 5_000 }, () => test.event(FrameType.MESSAGE, 1, '')).at(-1)!
  await new Promise(setImmediate)
  expect(await turns() - before).toBeLessThanOrEqual(1)
  await done(last)
  expect(await turns() - before).toBeGreaterThan(4)
})
