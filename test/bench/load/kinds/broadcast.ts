import { openAll } from '../connections.ts'
import { textFrame } from '../frames.ts'
import { Meter } from '../meter.ts'
import type { LoadResult, LoadSpec, Target } from '../spec.ts'

/**
 * `inFlight` connections send messages that all receive: when as many have come as one message makes, the next of them sends again. With one under way it is
 * sent when all have the last.
 */
export async function broadcast(target: Target, spec: LoadSpec & { kind: 'broadcast' }, fail: (why: string) => void): Promise<LoadResult> {
  const { connections, inFlight, bytes, warmupMs, windowMs } = spec
  const meter = new Meter(target.pid)
  const frame = textFrame(bytes)
  const sentAt: number[] = []
  let running = true
  let missing = 0
  let next = 0
  const send = (): void => {
    missing += connections
    sentAt.push(performance.now())
    all.clients[next++ % inFlight]!.write(frame)
  }
  const onMessages = (_: unknown, count: number): void => {
    meter.count += count
    missing -= count
    while (sentAt.length > 0 && missing <= connections * (sentAt.length - 1)) {
      meter.latency.record(performance.now() - sentAt.shift()!)
      if (running) send()
    }
  }
  const all = await openAll(target, connections, onMessages, fail)
  for (let n = 0; n < inFlight; n++) send()
  const result = await meter.measure(warmupMs, windowMs)
  running = false
  await all.close()
  return result
}
