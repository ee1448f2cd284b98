import { beforeEach, expect, test } from 'vitest'
import type { AppRoute } from '@socklet/protocol'
import { Apps } from '../src/apps.ts'
import type { Gateway } from '../src/context.ts'
import { ReadingTurns } from '../src/reading-share.ts'
import { SendMemory } from '../src/send-memory.ts'
import { TIMES } from '../src/settings.ts'
import { WritingTurns } from '../src/writing-share.ts'
import { routeOf } from './support/platform.ts'

// So many apps that no test reaches them all by clients: the pool is a function here.

const KEPT = 10_000
let apps: Apps
let asked: string[]
let waiting: number
let mostWaiting: number
beforeEach(() => {
  asked = []
  waiting = mostWaiting = 0
  const call = async (_method: string, { appid }: { appid: string }): Promise<AppRoute> => {
    asked.push(appid)
    mostWaiting = Math.max(mostWaiting, ++waiting)
    await new Promise((done) => setImmediate(done))
    waiting--
    return routeOf(appid, Number(appid.slice(4)))
  }
  const gateway = { pool: { up: true, call }, times: TIMES, sendMemory: new SendMemory(null), readingTurns: new ReadingTurns(), writingTurns: new WritingTurns(), strangers: new Map() } as unknown as Gateway
  apps = new Apps(() => gateway)
})

async function find(first: number, last: number): Promise<void> {
  await Promise.all(Array.from({ length: last - first + 1 }, (_, n) => apps.find(`app-${first + n}`)))
}

/** As if a request for it were on its way. */
function use(number: number): void {
  apps.known(`app-${number}`)!.arriving = 1
}

test('of the apps that nobody uses, those that were asked for last are kept', async () => {
  await find(1, KEPT)
  use(2)
  await find(1, 1)
  await find(KEPT + 1, KEPT + 100)
  expect([...apps.all()].length).toBe(KEPT)
  expect([1, 2, 3, 102, 103, KEPT + 100].map((number) => apps.known(`app-${number}`) !== undefined)).toEqual([true, true, false, false, true, true])
  expect([apps.byNumber(2)?.appid, apps.byNumber(3)]).toEqual(['app-2', undefined])
  // One that was forgotten is asked for again.
  asked = []
  await find(3, 3)
  expect([asked, apps.byNumber(3)?.appid]).toEqual([['app-3'], 'app-3'])
})

test('apps in use are kept, however many they are', async () => {
  await find(1, KEPT)
  for (let number = 1; number <= KEPT; number++) use(number)
  await find(KEPT + 1, KEPT + 20)
  expect([...apps.all()].length).toBe(KEPT + 20)
})

// 10,050 apps were looked up in one go when the pool was back. A link takes 10,000 calls at once: the gateway gave up, and began again, for ever.
test('when the pool is back, apps in use are looked up anew, not all at once, and the others are forgotten', async () => {
  await find(1, KEPT)
  for (let number = 1; number <= 3_000; number++) use(number)
  asked = []
  waiting = mostWaiting = 0
  apps.onPoolLost()
  await apps.refresh()
  expect(asked.length).toBe(3_000)
  expect(mostWaiting).toBeLessThan(1_000)
  expect([...apps.all()].length).toBe(3_000)
  expect([apps.byNumber(3_000)?.appid, apps.byNumber(3_001)]).toEqual(['app-3000', undefined])
})
