import { cpuUsEach } from '../compare.ts'
import { load } from '../load.ts'
import type { LoadResult } from '../load/spec.ts'
import { cpuUsOf, ioBytesOf } from '../proc.ts'
import type { Line, Row } from '../row.ts'
import { startSocklet, type Socklet } from '../servers/server.ts'
import { ENTRIES } from '../servers/functions.ts'

/** What the processes behind the gateway did for one connection, its three events and the frames between them. */
interface Each {
  cpuUs: number
  workerCpuUs: number
  poolCpuUs: number
  /** From the worker's link above all. */
  poolReadBytes: number
  /** To the store's file above all. */
  poolWrittenBytes: number
}

/** What a connection costs that adds an entry to a shared Map: it must not depend on how many are there. */
export const entries: Row = {
  name: 'entries',
  what: "the example's connect event with 10,000 entries, against 10",
  run: async (plan): Promise<Line[]> => {
    const { warmupMs, windowMs } = plan
    const app = { functions: ENTRIES }
    const socklet = await startSocklet({ few: app, many: app })
    for (const [appid, count] of [['few', 10], ['many', 10_000]] as const) {
      const { status, text } = await socklet.platform.request(appid, `/fill?n=${count}`)
      if (status !== 200 || text !== String(count)) throw new Error(`${appid} was not filled: ${status} ${text}`)
    }
    const [few, many] = socklet.paths as [string, string]
    const each = { few: [] as Each[], many: [] as Each[] }
    for (let round = 0; round < plan.rounds; round++) {
      plan.say(`round ${round + 1} of ${plan.rounds}`)
      for (const [name, path] of [['few', few], ['many', many]] as const) {
        // The warm-up is not within what is read here of the single processes, and so is a load of its own.
        await load({ ...socklet, paths: [path] }, { kind: 'churn', atATime: 8, bytes: 64, warmupMs: 0, windowMs: warmupMs })
        each[name].push(await measured(socklet, () => load({ ...socklet, paths: [path] }, { kind: 'churn', atATime: 8, bytes: 64, warmupMs: 0, windowMs })))
      }
    }
    const line = (what: string, unit: string, part: keyof Each, reach: Line['reach']): Line => ({
      measure: `the example's connect event, 10,000 entries: ${what} for each connection`,
      unit,
      base: each.few.map((one) => one[part]),
      baseIs: '10 entries',
      socklet: each.many.map((one) => one[part]),
      reach
    })
    const most = { of: 'ratio', most: 2 } as const
    // SQLite reads and writes its log back at once, now and then: in a short window that is chance.
    const mostOfBytes = plan.quick ? null : most
    return [
      line('CPU', 'µs', 'cpuUs', most),
      line('CPU of the worker', 'µs', 'workerCpuUs', most),
      line('CPU of the pool, which is the store', 'µs', 'poolCpuUs', most),
      line('what the pool reads of its links', 'bytes', 'poolReadBytes', mostOfBytes),
      line('what the pool writes to the store', 'bytes', 'poolWrittenBytes', mostOfBytes)
    ]
  }
}

async function measured({ platform }: Socklet, run: () => Promise<LoadResult>): Promise<Each> {
  const { json } = await platform.admin('GET', '/platform')
  const pidsOf = (kind: string): number[] => (json.processes as { kind: string; pid: number }[]).filter((one) => one.kind === kind).map(({ pid }) => pid)
  const sum = (pids: number[], of: (pid: number) => number): number => pids.reduce((total, pid) => total + of(pid), 0)
  const read = (): Omit<Each, 'cpuUs'> => {
    const [workers, pools] = [pidsOf('worker'), pidsOf('pool')]
    // The pool has started the workers: what is counted of its tree is theirs as well.
    const notPool = sum([...workers, ...pidsOf('spare'), ...pidsOf('trial')], cpuUsOf)
    return { workerCpuUs: sum(workers, cpuUsOf), poolCpuUs: sum(pools, cpuUsOf) - notPool, poolReadBytes: sum(pools, (pid) => ioBytesOf(pid).read), poolWrittenBytes: sum(pools, (pid) => ioBytesOf(pid).written) }
  }
  const before = read()
  const result = await run()
  const after = read()
  const each = (part: keyof typeof before): number => (after[part] - before[part]) / result.count
  return { cpuUs: cpuUsEach(result), workerCpuUs: each('workerCpuUs'), poolCpuUs: each('poolCpuUs'), poolReadBytes: each('poolReadBytes'), poolWrittenBytes: each('poolWrittenBytes') }
}
