import { setTimeout as sleep } from 'node:timers/promises'
import { LoadClient } from '../client.ts'
import { textFrame } from '../frames.ts'
import { Meter } from '../meter.ts'
import type { LoadResult, LoadSpec, Target } from '../spec.ts'

/** Connects to one path after the other, with a pause before each, and sends one message: the time from the first packet to the answer. */
export async function first(target: Target, spec: LoadSpec & { kind: 'first' }): Promise<LoadResult> {
  const meter = new Meter(target.pid)
  const frame = textFrame(spec.bytes)
  const end = meter.begin()
  for (const path of target.paths) {
    if (spec.pauseMs !== undefined) await sleep(spec.pauseMs)
    const start = performance.now()
    const done = Promise.withResolvers<void>()
    const client = new LoadClient(target.port, path, 0, {
      open: (opened) => opened.write(frame),
      messages: () => {
        meter.latency.record(performance.now() - start)
        meter.count++
        client.close()
      },
      gone: (_, why) => (why === '' ? done.resolve() : done.reject(new Error(`${path}: ${why}`)))
    })
    await done.promise
  }
  return end()
}
