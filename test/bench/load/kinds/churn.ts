import { LoadClient, type ClientEvents } from '../client.ts'
import { textFrame } from '../frames.ts'
import { Meter } from '../meter.ts'
import type { LoadResult, LoadSpec, Target } from '../spec.ts'

/** Connects, sends a message, waits for its answer, closes, waits for the end, and begins anew; so many at a time. */
export async function churn(target: Target, spec: LoadSpec & { kind: 'churn' }, fail: (why: string) => void): Promise<LoadResult> {
  const meter = new Meter(target.pid)
  const frame = textFrame(spec.bytes)
  let running = true
  let alive = 0
  let started = 0
  let onAllGone: () => void = () => {}
  const start = (): void => {
    alive++
    const client = new LoadClient(target.port, target.paths[started % target.paths.length]!, started++, events)
    client.sentAt.push(performance.now())
  }
  const events: ClientEvents = {
    open: (client) => client.write(frame),
    messages: (client) => client.close(),
    gone: (client, why) => {
      alive--
      if (why !== '') return fail(why)
      meter.count++
      meter.latency.record(performance.now() - client.sentAt[0]!)
      if (running) start()
      else if (alive === 0) onAllGone()
    }
  }
  for (let i = 0; i < spec.atATime; i++) start()
  const result = await meter.measure(spec.warmupMs, spec.windowMs)
  running = false
  await new Promise<void>((done) => {
    onAllGone = done
  })
  return result
}
