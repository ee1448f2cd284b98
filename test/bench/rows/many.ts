import { setTimeout as sleep } from 'node:timers/promises'
import { Crowd } from '../crowd.ts'
import type { Latency } from '../load/histogram.ts'
import { memoryOf } from '../proc.ts'
import type { Line, Plan, Row } from '../row.ts'
import { startSocklet, untilAsleep, type AppSpec, type Socklet } from '../servers/server.ts'
import { ECHO } from '../servers/functions.ts'

/** Each app has as many connections as the default of its limit allows. The first few bring code and tables with them that all others share. */
const FULL = { connections: 100_000, few: 2_000, apps: 10, gateways: 7, probes: 2_000, perSecond: 500, restMs: 5_000 }
const QUICK = { connections: 2_000, few: 200, apps: 2, gateways: 2, probes: 200, perSecond: 500, restMs: 500 }
/** No app goes to sleep by itself. */
const AWAKE = { idleMs: 3_600_000 }
const ASLEEP_WITHIN_MS = 60_000
const AT_ONCE = 1_000_000
const KiB = 1024

/** More connections than one process can hold: several gateways share the port. */
export const many: Row = {
  name: 'many',
  what: '100,000 connections on one machine, several gateways on one port',
  run: async (plan): Promise<Line[]> => {
    const { connections, few, apps, gateways, restMs, probes, perSecond } = plan.quick ? QUICK : FULL
    const appids = Array.from({ length: apps }, (_, n) => `crowd-${n}`)
    const socklet = await startSocklet(Object.fromEntries(appids.map((appid): [string, AppSpec] => [appid, { functions: { __websocket__: ECHO }, limits: AWAKE }])), ['--gateways', String(gateways)])
    const first = await Crowd.gather(socklet, few)
    const before = await rested(socklet, restMs)
    const base = await inRounds(plan, `µs with ${few}`, () => first.probe({ count: probes, perSecond }))
    await first.leave()
    plan.say(`${connections} connections`)
    const start = performance.now()
    const crowd = await Crowd.gather(socklet, connections)
    plan.say(`${connections} connections are open after ${((performance.now() - start) / 1000).toFixed(1)} s`)
    const bytes = (await rested(socklet, restMs)) - before
    const count = connections.toLocaleString('en-US')
    const baseIs = `of ${few.toLocaleString('en-US')}`
    const rounds = await inRounds(plan, 'µs', () => crowd.probe({ count: probes, perSecond }))
    const killed = await inRounds(plan, 'ms after a kill', () => afterKill(socklet, crowd, apps))
    const woken = await inRounds(plan, 'ms to wake an app', () => afterSleep(socklet, crowd, appids))
    await crowd.leave()
    return [
      { measure: `one of ${count} connections: memory`, unit: 'KiB', socklet: [bytes / (connections - few) / KiB], reach: { of: 'value', most: 10 } },
      { measure: `a message on one of ${count} connections: p50`, unit: 'ms', base: base.map(({ p50 }) => p50 / 1000), baseIs, socklet: rounds.map(({ p50 }) => p50 / 1000), reach: null },
      { measure: `a message on one of ${count} connections: p99`, unit: 'ms', base: base.map(({ p99 }) => p99 / 1000), baseIs, socklet: rounds.map(({ p99 }) => p99 / 1000), reach: { of: 'value', most: 50 } },
      { measure: `a message on one of ${count} connections: the longest of ${probes.toLocaleString('en-US')}`, unit: 'ms', base: base.map(({ max }) => max / 1000), baseIs, socklet: rounds.map(({ max }) => max / 1000), reach: { of: 'value', most: 50 } },
      { measure: `the worker of ${count} connections is killed: until all apps have answered`, unit: 'ms', socklet: killed, reach: { of: 'value', most: 5_000 } },
      { measure: `a message to a hibernated app with ${(connections / apps).toLocaleString('en-US')} connections`, unit: 'ms', socklet: woken, reach: null }
    ]
  }
}

async function inRounds<T>({ rounds, say }: Plan, what: string, run: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let round = 0; round < rounds; round++) {
    results.push(await run())
    say(`${what}: ${JSON.stringify(results.at(-1))}`)
  }
  return results
}

/** Milliseconds from kill -9 of the worker to the last answer to a message to each app. No connection is lost, or the crowd fails. */
async function afterKill({ platform }: Socklet, crowd: Crowd, apps: number): Promise<number> {
  const { json } = await platform.admin('GET', '/platform')
  const worker = (json.workers as { pid: number; apps: string[] }[]).find(({ apps: held }) => held.length > 0)!
  const start = performance.now()
  process.kill(worker.pid, 'SIGKILL')
  await crowd.probe({ count: apps, perSecond: AT_ONCE }, 1)
  return performance.now() - start
}

/** Milliseconds until a message to an app that was put away is answered; another one is awake. */
async function afterSleep({ platform }: Socklet, crowd: Crowd, appids: string[]): Promise<number> {
  await platform.admin('PATCH', `/apps/${appids[0]!}`, { limits: { idleMs: 100 } })
  await untilAsleep(platform, ASLEEP_WITHIN_MS, [appids[0]!])
  await platform.admin('PATCH', `/apps/${appids[0]!}`, { limits: AWAKE })
  const times: Latency = await crowd.probe({ count: 1, perSecond: 1, app: 0 }, 1)
  return times.max / 1000
}

async function rested({ pid }: Socklet, restMs: number): Promise<number> {
  await sleep(restMs)
  return memoryOf(pid)
}
