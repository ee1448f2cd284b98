import { openAll } from '../connections.ts'
import { textFrame } from '../frames.ts'
import { Meter } from '../meter.ts'
import type { LoadClient } from '../client.ts'
import type { LoadResult, LoadSpec, Target } from '../spec.ts'

/** Each connection always has `inFlight` messages under way: what comes back is sent again at once. */
export async function echo(target: Target, spec: LoadSpec & { kind: 'echo' }, fail: (why: string) => void): Promise<LoadResult> {
  const { connections, inFlight, bytes, warmupMs, windowMs } = spec
  const meter = new Meter(target.pid)
  const frames = Array.from({ length: connections }, (_, client) => textFrame(bytes, client))
  let running = true
  const send = (client: LoadClient, count: number, now: number): void => {
    for (let i = 0; i < count; i++) client.sentAt.push(now)
    // What has come together is sent together.
    client.write(count === 1 ? frames[client.index]! : Buffer.concat(Array.from({ length: count }, () => frames[client.index]!)))
  }
  const onMessages = (client: LoadClient, count: number): void => {
    const now = performance.now()
    if (count > client.sentAt.length) return fail(`${count} answers to ${client.sentAt.length} messages`)
    for (let i = 0; i < count; i++) meter.latency.record(now - client.sentAt.shift()!)
    meter.count += count
    if (running) send(client, count, now)
  }
  const all = await openAll(target, connections, onMessages, fail)
  for (const client of all.clients) send(client, inFlight, performance.now())
  const result = await meter.measure(warmupMs, windowMs)
  running = false
  await all.close()
  return result
}
