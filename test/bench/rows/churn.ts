import { againstWs, cpuUsEach, perSecond } from '../compare.ts'
import type { Line, Row } from '../row.ts'
import { ECHO } from '../servers/functions.ts'

export const churn: Row = {
  name: 'churn',
  what: 'connect, one echo, close, 32 at a time',
  sharesServers: true,
  run: async (plan): Promise<Line[]> => {
    const { warmupMs, windowMs } = plan
    const { base, socklet } = await againstWs(plan, { functions: { __websocket__: ECHO } }, { kind: 'churn', atATime: 32, bytes: 64, warmupMs, windowMs })
    return [
      { measure: 'connect, one echo, close: a second', unit: '/s', base: base.map(perSecond), socklet: socklet.map(perSecond), reach: { of: 'ratio', least: 0.7 } },
      { measure: 'connect, one echo, close: CPU for each', unit: 'µs', base: base.map(cpuUsEach), socklet: socklet.map(cpuUsEach), reach: null }
    ]
  }
}
