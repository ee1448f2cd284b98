import { againstWs } from '../compare.ts'
import type { Line, Row } from '../row.ts'
import { ECHO } from '../servers/functions.ts'

/** The quick form's own are so short that one answer in a hundred waits for V8's compilers: how fast they are is not the question. */
const LEAST_WARMUP_MS = 1_500
const LEAST_WINDOW_MS = 1_000

/** One connection with one message under way: nothing can be done together, every hop counts. */
export const latency: Row = {
  name: 'latency',
  what: 'echo latency, one connection',
  sharesServers: true,
  run: async (plan): Promise<Line[]> => {
    const [warmupMs, windowMs] = [Math.max(plan.warmupMs, LEAST_WARMUP_MS), Math.max(plan.windowMs, LEAST_WINDOW_MS)]
    // Below the default of 1,000 a second it would be the timer of the generator that is measured.
    const app = { functions: { __websocket__: ECHO }, limits: { messagesPerSecond: 1_000_000 } }
    const { base, socklet } = await againstWs(plan, app, { kind: 'echo', connections: 1, inFlight: 1, bytes: 64, warmupMs, windowMs })
    return [
      { measure: 'echo latency, one connection: p50', unit: 'µs', base: base.map((each) => each.latency.p50), socklet: socklet.map((each) => each.latency.p50), reach: { of: 'difference', most: 100 } },
      { measure: 'echo latency, one connection: p99', unit: 'µs', base: base.map((each) => each.latency.p99), socklet: socklet.map((each) => each.latency.p99), reach: { of: 'difference', most: 300 } }
    ]
  }
}
