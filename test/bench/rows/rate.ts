import { againstWs } from '../compare.ts'
import type { Line, Row } from '../row.ts'
import { ECHO } from '../servers/functions.ts'

/** A load that both can bear, at its own pace: 78 messages a second for each connection. */
export const rate: Row = {
  name: 'rate',
  what: '256 connections, 20,000 messages a second',
  sharesServers: true,
  run: async (plan): Promise<Line[]> => {
    const { warmupMs, windowMs } = plan
    const { base, socklet } = await againstWs(plan, { functions: { __websocket__: ECHO } }, { kind: 'rate', connections: 256, perSecond: 20_000, bytes: 64, warmupMs, windowMs })
    return (['p50', 'p99'] as const).map((quantile) => ({
      measure: `256 connections, 20,000 messages a second: ${quantile}`,
      unit: 'µs',
      base: base.map((each) => each.latency[quantile]),
      socklet: socklet.map((each) => each.latency[quantile]),
      reach: { of: 'ratio', most: 2 }
    }))
  }
}
