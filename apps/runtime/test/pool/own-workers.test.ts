import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { OwnWorkers } from '../../src/pool/own-workers.ts'
import type { WorkerProcess } from '../../src/pool/worker-process.ts'

/** Which worker is given to whom; the processes are played, and have no pid whose priority could be set. */
const START = Date.UTC(2026, 0, 1)
const at = (ms: number): void => void vi.setSystemTime(START + ms)

let started: WorkerProcess[]
let ended: number[]
let own: OwnWorkers
beforeEach(() => {
  at(0)
  started = []
  ended = []
  own = new OwnWorkers({
    ready: async () => {},
    start: () => {
      started.push(worker(started.length + 1))
      return Promise.resolve(started.at(-1)!)
    },
    end: ({ index }) => void ended.push(index)
  })
})
afterEach(() => void vi.useRealTimers())

function worker(index: number): WorkerProcess {
  return { index, pid: 2 ** 30, alive: true, apps: new Set(), startedAt: Date.now() } as unknown as WorkerProcess
}

describe('a worker for an app in quarantine', () => {
  it('is an empty one, else a new one, up to sixteen; then the one with the fewest apps', async () => {
    expect(await own.pick()).toBe(await own.pick())
    for (let app = 1; app <= 16; app++) (await own.pick()).apps.add(app)
    expect(started.length).toBe(16)
    started[4]!.apps.delete(5)
    expect((await own.pick()).index).toBe(5)
    started[4]!.apps.add(5)
    for (const { index, apps } of started) if (index !== 9) apps.add(100 + index)
    expect((await own.pick()).index).toBe(9)
    expect([started.length, own.all.length]).toEqual([16, 16])
    expect(own.add(worker(99))).toBe(false)
  })

  it('is never one that has died, or that belongs to another app', async () => {
    const first = await own.pick()
    await own.pickDedicated(7)
    Object.assign(first, { alive: false })
    expect((await own.pick()).index).toBe(3)
    expect(own.add(worker(99))).toBe(true)
    expect(own.get(99)?.index).toBe(99)
  })

  it('ends when it is empty, but not within ten seconds of its start', async () => {
    const one = await own.pick()
    at(10_000)
    own.finishIdle()
    one.apps.add(7)
    at(20_000)
    own.finishIdle()
    expect(ended).toEqual([])
    one.apps.clear()
    own.finishIdle()
    expect([ended, own.all]).toEqual([[one.index], []])
  })
})

describe('the worker of an app that has one for itself', () => {
  it('is the same as long as it lives, whatever is in it', async () => {
    const first = await own.pickDedicated(7)
    expect(await own.pickDedicated(7)).toBe(first)
    expect(await own.pickDedicated(8)).not.toBe(first)
    Object.assign(first, { alive: false })
    expect(await own.pickDedicated(7)).not.toBe(first)
    expect(started.length).toBe(3)
  })

  it('ends a minute after the app was seen in it last, or when the app is like others', async () => {
    const [first, second] = [await own.pickDedicated(7), await own.pickDedicated(8)]
    first.apps.add(7)
    at(100_000)
    own.finishIdle()
    expect(ended).toEqual([second.index])
    first.apps.clear()
    at(160_000)
    own.finishIdle()
    expect(ended).toEqual([second.index])
    at(160_001)
    own.finishIdle()
    expect(ended).toEqual([second.index, first.index])
    const third = await own.pickDedicated(7)
    own.finishDedicated(9)
    own.finishDedicated(7)
    expect(ended).toEqual([second.index, first.index, third.index])
  })
})

it('one that is not of these, or is gone already, is not ended', async () => {
  const gone = await own.pick()
  expect(own.delete(gone)).toBe(true)
  own.finish(gone)
  own.finish(worker(99))
  expect([own.delete(gone), ended, own.all]).toEqual([false, [], []])
})
