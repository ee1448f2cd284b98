import { againstWs, perCpuSecond } from '../compare.ts'
import type { Line, Row } from '../row.ts'
import { BROADCAST } from '../servers/functions.ts'

/** A loop in a function that sends to each of 1,000 sockets, against the same loop on ws. */
export const broadcast: Row = {
  name: 'broadcast',
  what: 'a loop that sends 64 B to 1,000 sockets',
  sharesServers: true,
  run: async (plan): Promise<Line[]> => {
    const { warmupMs, windowMs } = plan
    const { base, socklet } = await againstWs(plan, { functions: { __websocket__: BROADCAST } }, { kind: 'broadcast', connections: 1000, bytes: 64, warmupMs, windowMs }, '/broadcast')
    return [{ measure: 'loop that sends 64 B to 1,000 sockets: deliveries for each CPU second', unit: '/s', base: base.map(perCpuSecond), socklet: socklet.map(perCpuSecond), reach: { of: 'ratio', least: 1.2 } }]
  }
}
