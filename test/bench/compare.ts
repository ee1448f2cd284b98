import { load } from './load.ts'
import type { LoadResult, LoadSpec } from './load/spec.ts'
import type { Plan } from './row.ts'
import { pairWith } from './servers/pair.ts'
import type { AppSpec, Server } from './servers/server.ts'

/**
 * What 64 connections can send when nothing holds them back is above the default of 1,000 a second for each. They are
 * counted all the same.
 */
export const UNHURRIED = { messagesPerSecond: 1_000_000 }

export interface Results {
  base: LoadResult[]
  socklet: LoadResult[]
}

/** The same load on both servers, one after the other, as often as the plan says. */
export async function interleaved(plan: Plan, base: Server, socklet: Server, spec: LoadSpec): Promise<Results> {
  const results: Results = { base: [], socklet: [] }
  for (let round = 0; round < plan.rounds; round++) {
    plan.say(`round ${round + 1} of ${plan.rounds}`)
    results.base.push(await load(base, spec))
    results.socklet.push(await load(socklet, spec))
  }
  return results
}

/** A bare ws server and the platform with this app, under the same load. */
export async function againstWs(plan: Plan, app: AppSpec, spec: LoadSpec, path: '/echo' | '/broadcast' = '/echo'): Promise<Results> {
  const { ws, socklet } = await pairWith(plan, app, path)
  return interleaved(plan, ws, socklet, spec)
}

export const cpuUsEach = ({ serverCpuUs, count }: LoadResult): number => serverCpuUs / count
export const loadCpuUsEach = ({ loadCpuUs, count }: LoadResult): number => loadCpuUs / count
export const perSecond = ({ count, seconds }: LoadResult): number => count / seconds
export const perCpuSecond = ({ serverCpuUs, count }: LoadResult): number => (count * 1e6) / serverCpuUs
