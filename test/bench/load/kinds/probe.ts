import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LoadClient } from '../client.ts'
import { openAll } from '../connections.ts'
import { textFrame } from '../frames.ts'
import { Histogram, type Latency } from '../histogram.ts'
import { Meter } from '../meter.ts'
import type { LoadLine, LoadResult, LoadSpec, Probe, Target } from '../spec.ts'

/** An answer that takes longer does not come. */
const ANSWER_MS = 60_000

/**
 * Opens connections and keeps them, silent but for what it is told: each line on its standard input is a Probe, and is
 * answered with how long the answers took. An empty line ends it.
 */
export async function probe(target: Target, spec: LoadSpec & { kind: 'probe' }, fail: (why: string) => void, say: (line: LoadLine) => Promise<void>): Promise<LoadResult> {
  const meter = new Meter(target.pid)
  const end = meter.begin()
  const probing = new Probing(textFrame(spec.bytes))
  const all = await openAll(target, spec.connections, (client) => probing.onAnswer(client), fail)
  await say({ holding: all.clients.length })
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === '') break
    await say({ probed: await probing.run(JSON.parse(line) as Probe, all.clients, target.paths.length) })
  }
  const result = { ...end(), count: spec.connections }
  await all.close()
  return result
}

class Probing {
  readonly #frame: Buffer
  readonly #times = new Histogram()
  #waiting = 0
  #onAll: () => void = () => {}

  constructor(frame: Buffer) {
    this.#frame = frame
  }

  onAnswer(client: LoadClient): void {
    this.#times.record(performance.now() - client.sentAt.shift()!)
    if (--this.#waiting === 0) this.#onAll()
  }

  /** @throws Error if an answer does not come */
  async run(wanted: Probe, clients: LoadClient[], apps: number): Promise<Latency> {
    const chosen = choose(wanted, clients, apps)
    this.#times.clear()
    this.#waiting = chosen.length
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#onAll = resolve
    const start = performance.now()
    for (const [index, client] of chosen.entries()) {
      const due = start + (index * 1000) / wanted.perSecond
      if (due > performance.now()) await sleep(due - performance.now())
      client.sentAt.push(performance.now())
      client.write(this.#frame)
    }
    const timer = setTimeout(() => reject(new Error(`${this.#waiting} of ${chosen.length} messages were not answered within ${ANSWER_MS} ms`)), ANSWER_MS)
    await promise
    clearTimeout(timer)
    return this.#times.latency()
  }
}

/** Evenly picked: of all apps, the next one each time. Connections take the apps in turn (connections.ts). */
function choose({ count, app }: Probe, clients: LoadClient[], apps: number): LoadClient[] {
  const each = Math.floor(clients.length / apps)
  return Array.from({ length: Math.min(count, each * apps) }, (_, index) => clients[Math.floor((index * each) / count) * apps + (app ?? index % apps)]!)
}
