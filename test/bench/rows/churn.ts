import { againstWs, cpuUsEach, loadCpuUsEach, perSecond } from '../compare.ts'
import type { Line, Plan, Row } from '../row.ts'
import { ECHO } from '../servers/functions.ts'

/**
 * The generator, a new process each time, needs as much CPU for a connection as a bare ws server, and a fifth more until V8 has compiled what it
 * runs, as do the servers. What the platform's two processes may use of two cores is what it leaves.
 */
export const churnWarmup = (plan: Plan): number => (plan.quick ? plan.warmupMs : 4_000)

export const churn: Row = {
  name: 'churn',
  what: 'connect, one echo, close, 32 at a time',
  sharesServers: true,
  run: async (plan): Promise<Line[]> => {
    const { base, socklet } = await againstWs(plan, { functions: { __websocket__: ECHO } }, { kind: 'churn', atATime: 32, bytes: 64, warmupMs: churnWarmup(plan), windowMs: plan.windowMs })
    return [
      { measure: 'connect, one echo, close: a second', unit: '/s', base: base.map(perSecond), socklet: socklet.map(perSecond), reach: { of: 'ratio', least: 0.7 } },
      { measure: 'connect, one echo, close: CPU for each', unit: 'µs', base: base.map(cpuUsEach), socklet: socklet.map(cpuUsEach), reach: null },
      { measure: 'connect, one echo, close: CPU of the generator for each', unit: 'µs', base: base.map(loadCpuUsEach), socklet: socklet.map(loadCpuUsEach), reach: null }
    ]
  }
}
