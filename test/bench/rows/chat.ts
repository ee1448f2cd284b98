import { againstWs, cpuUsEach, UNHURRIED } from '../compare.ts'
import type { Line, Row } from '../row.ts'
import { CHAT } from '../servers/functions.ts'

const MEASURE = "the example's message handler, 64 sockets: CPU for each message"
const MOST_US = 20
/** What an echo of `ws` took where laf's handler took 20.4 µs. */
const WS_US = 7.2

/** The handler of the example: a shared Map of 64 sockets, looked through by identity, and a line in the log for each message. */
export const chat: Row = {
  name: 'chat',
  what: "the example's message handler, 64 sockets",
  sharesServers: true,
  run: async (plan): Promise<Line[]> => {
    const { warmupMs, windowMs } = plan
    const { base, socklet } = await againstWs(plan, { functions: { __websocket__: CHAT }, limits: UNHURRIED }, { kind: 'echo', connections: 64, inFlight: 1, bytes: 64, warmupMs, windowMs })
    const [ours, theirs] = [socklet.map(cpuUsEach), base.map(cpuUsEach)]
    return [
      { measure: MEASURE, unit: 'µs', socklet: ours, reach: { of: 'value', most: MOST_US } },
      { measure: `${MEASURE}, as a multiple of an echo of ws`, unit: 'µs', base: theirs, socklet: ours, reach: { of: 'ratio', most: Number((MOST_US / WS_US).toFixed(2)) } }
    ]
  }
}
