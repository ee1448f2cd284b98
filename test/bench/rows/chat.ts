import { cpuUsEach, UNHURRIED } from '../compare.ts'
import { load } from '../load.ts'
import type { LoadResult } from '../load/spec.ts'
import type { Line, Row } from '../row.ts'
import { pairWith } from '../servers/pair.ts'
import { CHAT } from '../servers/functions.ts'

/** The handler of the example: a shared Map of 64 sockets, looked through by identity, and a line in the log for each message. */
export const chat: Row = {
  name: 'chat',
  what: "the example's message handler, 64 sockets",
  sharesServers: true,
  run: async (plan): Promise<Line[]> => {
    const { rounds, warmupMs, windowMs, say } = plan
    const { socklet } = await pairWith(plan, { functions: { __websocket__: CHAT }, limits: UNHURRIED })
    const results: LoadResult[] = []
    for (let round = 0; round < rounds; round++) {
      say(`round ${round + 1} of ${rounds}`)
      results.push(await load(socklet, { kind: 'echo', connections: 64, inFlight: 1, bytes: 64, warmupMs, windowMs }))
    }
    return [{ measure: "the example's message handler, 64 sockets: CPU for each message", unit: 'µs', socklet: results.map(cpuUsEach), reach: { of: 'value', most: 20 } }]
  }
}
