import type { BenchChild } from './child.ts'
import { startLoad, untilHolding } from './load.ts'
import type { Latency } from './load/histogram.ts'
import type { LoadLine, Probe } from './load/spec.ts'
import type { Server } from './servers/server.ts'

/** What one process of the generator holds: it may have 20,000 descriptors, and has as many ports for one address. */
const MOST_EACH = 15_000
const BYTES = 64
const OPEN_MS = 300_000
const PROBE_MS = 120_000
let addresses = 0

/** More connections than one process can hold, in as many processes as it takes, each with an address of its own. */
export class Crowd {
  readonly #children: BenchChild<LoadLine>[]

  constructor(children: BenchChild<LoadLine>[]) {
    this.#children = children
  }

  /** Settles when all are open. @throws Error if one is refused */
  static async gather(server: Server, connections: number): Promise<Crowd> {
    const processes = Math.ceil(connections / MOST_EACH)
    const children = Array.from({ length: processes }, (_each, n) => {
      const share = Math.floor(((n + 1) * connections) / processes) - Math.floor((n * connections) / processes)
      return startLoad({ ...server, from: nextAddress() }, { kind: 'probe', connections: share, bytes: BYTES })
    })
    await Promise.all(children.map((child) => untilHolding(child, OPEN_MS)))
    return new Crowd(children)
  }

  /** Sends so many messages on as many connections, shared by all processes or those of the first few; quantiles are those of the worst one. @throws Error if a connection was lost or one is not answered */
  async probe({ count, perSecond, app }: Probe, processes = this.#children.length): Promise<Latency> {
    const chosen = this.#children.slice(0, processes)
    const each: Probe = { count: Math.ceil(count / chosen.length), perSecond: perSecond / chosen.length, ...(app === undefined ? {} : { app }) }
    const times = await Promise.all(chosen.map((child) => probed(child, each)))
    return times.reduce((one, other) => ({ count: one.count + other.count, p50: Math.max(one.p50, other.p50), p90: Math.max(one.p90, other.p90), p99: Math.max(one.p99, other.p99), max: Math.max(one.max, other.max) }))
  }

  /** Closes all connections in order. @throws Error if one was lost before */
  async leave(): Promise<void> {
    await Promise.all(this.#children.map(async (child) => {
      child.tell()
      const line = await child.line(PROBE_MS)
      if ('error' in line) throw new Error(`load: ${line.error}`)
      await child.end()
    }))
  }
}

/** Of 127.0.0.0/8, another one each time: two crowds may be there at once. */
function nextAddress(): string {
  return `127.0.1.${++addresses}`
}

async function probed(child: BenchChild<LoadLine>, probe: Probe): Promise<Latency> {
  child.tell(JSON.stringify(probe))
  const line = await child.line(PROBE_MS)
  if (!('probed' in line)) throw new Error(`load: ${'error' in line ? line.error : 'it does not probe'}`)
  return line.probed
}
