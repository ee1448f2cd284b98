import { openAll } from '../connections.ts'
import { textFrame } from '../frames.ts'
import { Meter } from '../meter.ts'
import type { LoadClient } from '../client.ts'
import type { LoadResult, LoadSpec, Target } from '../spec.ts'

/** One connection sends a message that all receive; when all have it, it sends the next. */
export async function broadcast(target: Target, spec: LoadSpec & { kind: 'broadcast' }, fail: (why: string) => void): Promise<LoadResult> {
  const { connections, bytes, warmupMs, windowMs } = spec
  const meter = new Meter(target.pid)
  const frame = textFrame(bytes)
  let running = true
  let missing = 0
  let sentAt = 0
  const send = (client: LoadClient): void => {
    missing = connections
    sentAt = performance.now()
    client.write(frame)
  }
  const onMessages = (_: LoadClient, count: number): void => {
    meter.count += count
    missing -= count
    if (missing > 0) return
    meter.latency.record(performance.now() - sentAt)
    if (running) send(all.clients[0]!)
  }
  const all = await openAll(target, connections, onMessages, fail)
  send(all.clients[0]!)
  const result = await meter.measure(warmupMs, windowMs)
  running = false
  await all.close()
  return result
}
