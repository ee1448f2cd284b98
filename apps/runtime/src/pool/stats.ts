import { readFile } from 'node:fs/promises'
import type { AppStats, IsolateStats, ProcessInfo } from '@socklet/protocol'
import type { PoolApp } from './app.ts'
import type { Apps } from './apps.ts'
import { NO_TRAFFIC, type Gateways } from './gateways.ts'
import { limitsOf } from './limits-reached.ts'
import { residentBytes } from './proc.ts'
import type { Trials } from './trials.ts'
import type { WorkerProcess } from './worker-process.ts'
import type { Workers } from './workers.ts'

const CALL_TIMEOUT_MS = 2_000

export interface StatsParts {
  apps: Apps
  workers: Workers
  trials: Trials
  gateways: Gateways
  consolePid: () => number | null
}

/** Stats by appid: of one app, or of all that are known. */
export async function appStats(parts: StatsParts, only?: PoolApp): Promise<Record<string, AppStats>> {
  const [traffic, isolates] = await Promise.all([parts.gateways.traffic(only?.number), isolateStats(parts.workers, only)])
  const apps = only === undefined ? parts.apps.all : [only]
  return Object.fromEntries(apps.map((app) => [app.appid, statsOf(app, traffic.get(app.number) ?? NO_TRAFFIC, isolates.get(app.number) ?? null)]))
}

function statsOf(app: PoolApp, traffic: AppStats['traffic'], isolate: IsolateStats | null): AppStats {
  return {
    connections: traffic.connections,
    traffic,
    counts: app.counts,
    isolate,
    restarts: app.restarts,
    workerMemoryKills: app.memoryKills,
    limits: limitsOf(app, traffic.limits),
    hibernated: app.placement === null,
    worker: app.placement?.worker ?? null,
    generation: app.placement?.generation ?? 0
  }
}

async function isolateStats(workers: Workers, only?: PoolApp): Promise<Map<number, IsolateStats>> {
  const asked = only === undefined ? workers.all : workers.all.filter((worker) => worker.apps.has(only.number))
  const params = only === undefined ? {} : { app: only.number }
  const answers = await Promise.all(asked.map((worker) => worker.control.call('stats', params, CALL_TIMEOUT_MS).catch(() => ({}))))
  return new Map(answers.flatMap((answer, index) => statsFrom(asked[index]!, answer)))
}

/** A worker speaks of the apps that it holds, in numbers: tenants' code may have written it. */
function statsFrom({ apps }: WorkerProcess, answer: unknown): [number, IsolateStats][] {
  if (typeof answer !== 'object' || answer === null) return []
  return Object.entries(answer as Record<string, IsolateStats | null>).flatMap(([number, stats]) => {
    const { turns, events, heapBytes, waiting, running } = stats ?? {}
    const isSound = [turns, events, heapBytes, waiting].every((value) => Number.isFinite(value) && value! >= 0) && typeof running === 'boolean'
    return apps.has(Number(number)) && isSound ? [[Number(number), { turns: turns!, events: events!, heapBytes: heapBytes!, waiting: waiting!, running }] as [number, IsolateStats]] : []
  })
}

/** The processes that the pool knows of, itself among them. */
export async function processes(parts: StatsParts): Promise<ProcessInfo[]> {
  const consolePid = parts.consolePid()
  const named: Omit<ProcessInfo, 'rssBytes' | 'uptimeSeconds'>[] = [
    ...parts.gateways.pids.map(({ index, pid }) => ({ kind: 'gateway' as const, index, pid })),
    { kind: 'pool', index: 0, pid: process.pid },
    ...(consolePid === null ? [] : [{ kind: 'console' as const, index: 0, pid: consolePid }]),
    ...parts.workers.all.map(({ index, pid, apps }) => ({ kind: 'worker' as const, index, pid, apps: appids(parts.apps, apps) })),
    ...(parts.workers.spare === null ? [] : [{ kind: 'spare' as const, index: parts.workers.spare.index, pid: parts.workers.spare.pid }]),
    ...parts.trials.processes.map(({ index, pid }) => ({ kind: 'trial' as const, index, pid }))
  ]
  return Promise.all(named.map(async (one) => ({ ...one, ...(await fromProc(one.pid)) })))
}

function appids(apps: Apps, numbers: Set<number>): string[] {
  return [...numbers].flatMap((number) => apps.byNumber(number)?.appid ?? []).toSorted()
}

/** Memory and age as the system has them (proc(5)); zeros where there is no /proc. */
async function fromProc(pid: number): Promise<{ rssBytes: number; uptimeSeconds: number }> {
  try {
    const [status, stat, uptime] = await Promise.all([`/proc/${pid}/status`, `/proc/${pid}/stat`, '/proc/uptime'].map((path) => readFile(path, 'utf8')))
    // The name in field 2 may hold anything, so fields are counted from behind it: 22 is the start time in ticks.
    const startTicks = Number(stat!.slice(stat!.lastIndexOf(')') + 2).split(' ')[19])
    const ageSeconds = Number(uptime!.split(' ')[0]) - startTicks / 100
    return { rssBytes: residentBytes(status!), uptimeSeconds: Math.max(0, Math.round(ageSeconds)) }
  } catch {
    return { rssBytes: 0, uptimeSeconds: 0 }
  }
}
