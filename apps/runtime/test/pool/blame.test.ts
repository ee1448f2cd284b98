import { NO_COUNTS } from '@socklet/protocol'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { PoolApp } from '../../src/pool/app.ts'
import { Blame, countLoss, delayAfterLoss, forgetLosses, forgive, isQuarantined, watchMs } from '../../src/pool/blame.ts'
import type { WorkerProcess } from '../../src/pool/worker-process.ts'

const START = Date.UTC(2026, 0, 1)
const at = (ms: number): void => void vi.setSystemTime(START + ms)

let reports: string[]
let lines: string[]
let blame: Blame
beforeEach(() => {
  at(0)
  reports = []
  lines = []
  blame = new Blame({ memoryBytes: 2 ** 30, report: (message) => void reports.push(message), log: (appid, level, message) => void lines.push(`${appid} ${level} ${message}`) })
})
afterEach(() => void vi.useRealTimers())

/** As the pool knows an app that has just been started. */
function app(appid: string, number = 7): PoolApp {
  return { appid, number, route: { limits: { heapMiB: 64 } }, counts: NO_COUNTS, losses: 0, startedAt: Date.now(), faultAt: 0, watchedUntil: 0, quarantinedUntil: 0, memoryKills: 0, failed: false } as unknown as PoolApp
}

function worker(...running: PoolApp[]): WorkerProcess {
  return { index: 3, running: new Set(running.map(({ number }) => number)) } as WorkerProcess
}

describe('losses in a row', () => {
  it('delay the next start, each twice as long as the one before; after the eleventh there is none', () => {
    const one = app('one')
    const delays = Array.from({ length: 11 }, () => {
      countLoss(one)
      return delayAfterLoss(one)
    })
    expect(delays).toEqual([0, 0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, null])
  })

  it('that are too many are told to the operator and to the app', () => {
    const one = app('one')
    for (let n = 0; n < 11; n++) countLoss(one)
    blame.giveUp(one)
    expect(one.failed).toBe(true)
    expect(reports).toEqual(['one was lost 11 times in a row: it is not started again until it is changed or restarted'])
    expect(lines).toEqual([expect.stringMatching(/^one error the app cannot run: it was lost 11 times in a row\./)])
  })

  it('begin anew with an isolate that lived for more than ten seconds', () => {
    const one = app('one')
    for (let n = 0; n < 5; n++) countLoss(one)
    at(10_000)
    countLoss(one)
    expect(one.losses).toBe(6)
    at(10_001)
    countLoss(one)
    expect(one.losses).toBe(1)
  })

  it('are forgotten when the app is started anew, but not what keeps it alone; a change of it takes that away, too', () => {
    const one = app('one')
    blame.onDown(one, 'tenant')
    blame.onDown(one, 'tenant')
    one.failed = true
    forgetLosses(one)
    expect([one.losses, one.failed, isQuarantined(one)]).toEqual([0, false, true])
    one.failed = true
    forgive(one)
    expect([one.losses, one.failed, isQuarantined(one)]).toEqual([0, false, false])
    blame.onDown(one, 'tenant')
    expect(isQuarantined(one)).toBe(false)
  })
})

describe('an isolate that is lost', () => {
  it('a second time within a minute by the fault of the app keeps it alone for ten minutes', () => {
    const one = app('one')
    blame.onDown(one, 'tenant')
    at(59_999)
    blame.onDown(one, 'tenant')
    expect(reports).toEqual(['one has lost two isolates by its own fault: it gets a worker of its own'])
    at(659_999)
    expect(isQuarantined(one)).toBe(true)
    at(660_000)
    expect(isQuarantined(one)).toBe(false)
  })

  it('later than that, or by the fault of the platform, does not', () => {
    const [late, other] = [app('late'), app('other')]
    for (let n = 0; n < 3; n++) blame.onDown(other, 'platform')
    blame.onDown(late, 'tenant')
    at(60_000)
    blame.onDown(late, 'tenant')
    expect([isQuarantined(late), isQuarantined(other), other.losses, reports]).toEqual([false, false, 3, []])
  })
})

describe('a worker that crashes', () => {
  it('has all its apps watched for a minute, and is blamed on those that were in a turn', () => {
    const [guilty, neighbour] = [app('guilty', 7), app('neighbour', 8)]
    blame.onCrash([guilty, neighbour], worker(guilty))
    expect([guilty, neighbour].map((one) => [one.losses, isQuarantined(one), watchMs(one)])).toEqual([[1, true, 60_000], [0, false, 60_000]])
    expect(reports).toEqual(['guilty was running when worker 3 ended: it gets a worker of its own'])
    blame.onCrash([guilty], worker(guilty))
    expect(reports.length).toBe(1)
    at(59_999)
    expect(watchMs(neighbour)).toBe(1)
    at(61_000)
    expect(watchMs(neighbour)).toBe(0)
  })

  it('counts for the one app that it held, though that was in no turn', () => {
    const one = app('one')
    blame.onCrash([one], worker())
    expect([one.losses, isQuarantined(one)]).toEqual([1, false])
  })
})

describe('a worker that takes too much memory', () => {
  const told = (line: string): string => line.replace(/the worker .* \(option worker-memory-mib\)/, '…')

  it('is told to those that were in a turn', () => {
    const [guilty, neighbour] = [app('guilty', 7), app('neighbour', 8)]
    blame.onMemory([guilty, neighbour], worker(guilty), 2 ** 31)
    expect(lines).toEqual(['guilty error the worker is killed: its memory is 2,048 MiB, above 1,024 MiB (option worker-memory-mib), while a turn of this app ran (limit heapMiB: 64); 1 other apps were in it'])
    expect([guilty.memoryKills, neighbour.memoryKills]).toEqual([1, 0])
  })

  it('is told to all if none was, and counted for none; and to the only one anyway', () => {
    const [one, two] = [app('one', 7), app('two', 8)]
    blame.onMemory([one, two], worker(), 2 ** 31)
    blame.onMemory([two], worker(), 2 ** 31)
    expect(lines.map(told)).toEqual([
      'one error …, which it has for all its apps together (limit heapMiB: 64); 1 other apps were in it',
      'two error …, which it has for all its apps together (limit heapMiB: 64); 1 other apps were in it',
      'two error …, and this app was alone in it (limit heapMiB: 64)'
    ])
    expect([one.memoryKills, two.memoryKills]).toEqual([0, 1])
  })
})
