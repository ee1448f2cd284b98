import { openAll } from '../connections.ts'
import { textFrame } from '../frames.ts'
import { Meter } from '../meter.ts'
import type { LoadClient } from '../client.ts'
import type { LoadResult, LoadSpec, Target } from '../spec.ts'

/** A server that is so far behind does not keep up with the rate. */
const MAX_BEHIND_SECONDS = 10

/** So many messages a second over all connections, whether or not the server answers in time. */
export async function rate(target: Target, spec: LoadSpec & { kind: 'rate' }, fail: (why: string) => void): Promise<LoadResult> {
  const { connections, perSecond, bytes, warmupMs, windowMs } = spec
  const meter = new Meter(target.pid)
  const frames = Array.from({ length: connections }, (_, client) => textFrame(bytes, client))
  let waiting = 0
  const onMessages = (client: LoadClient, count: number): void => {
    const now = performance.now()
    for (let i = 0; i < count; i++) meter.latency.record(now - client.sentAt.shift()!)
    meter.count += count
    waiting -= count
  }
  const all = await openAll(target, connections, onMessages, fail)
  const start = performance.now()
  let sent = 0
  // What is due is sent at each tick of the timer, of a millisecond or as late as it comes; latency counts from the sending.
  const timer = setInterval(() => {
    const now = performance.now()
    const due = Math.floor(((now - start) / 1000) * perSecond)
    for (; sent < due; sent++, waiting++) {
      const client = all.clients[sent % connections]!
      client.sentAt.push(performance.now())
      client.write(frames[client.index]!)
    }
    if (waiting > perSecond * MAX_BEHIND_SECONDS) fail(`${waiting} messages wait for an answer`)
  }, 1)
  const result = await meter.measure(warmupMs, windowMs)
  clearInterval(timer)
  await all.close()
  return result
}
