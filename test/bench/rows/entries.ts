import { cpuUsEach, interleaved } from '../compare.ts'
import type { Line, Row } from '../row.ts'
import { startSocklet } from '../servers/server.ts'
import { ENTRIES } from '../servers/functions.ts'

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
    const pair = await interleaved(plan, { ...socklet, paths: [few] }, { ...socklet, paths: [many] }, { kind: 'churn', atATime: 8, bytes: 64, warmupMs, windowMs })
    return [
      {
        measure: "the example's connect event, 10,000 entries: CPU for each connection",
        unit: 'µs',
        base: pair.base.map(cpuUsEach),
        baseIs: '10 entries',
        socklet: pair.socklet.map(cpuUsEach),
        reach: { of: 'ratio', most: 2 }
      }
    ]
  }
}
