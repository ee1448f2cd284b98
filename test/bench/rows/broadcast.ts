import { againstWs, perCpuSecond } from '../compare.ts'
import type { Line, Row } from '../row.ts'
import { BROADCAST } from '../servers/functions.ts'

const CONNECTIONS = 1000
/** Messages that are under way at a time: one is the least that a platform can gather, and a room in which several talk has more. */
const UNDER_WAY = [1, 2, 16]

/** A loop in a function that sends to each of 1,000 sockets, against the same loop on ws. */
export const broadcast: Row = {
  name: 'broadcast',
  what: 'a loop that sends 64 B to 1,000 sockets',
  sharesServers: true,
  run: async (plan): Promise<Line[]> => {
    const { warmupMs, windowMs } = plan
    const lines: Line[] = []
    for (const inFlight of UNDER_WAY) {
      const { base, socklet } = await againstWs(plan, { functions: { __websocket__: BROADCAST } }, { kind: 'broadcast', connections: CONNECTIONS, inFlight, bytes: 64, warmupMs, windowMs }, '/broadcast')
      lines.push({ measure: `loop that sends 64 B to 1,000 sockets, ${inFlight} under way: deliveries for each CPU second`, unit: '/s', base: base.map(perCpuSecond), socklet: socklet.map(perCpuSecond), reach: { of: 'ratio', least: 1.2 } })
    }
    return lines
  }
}
