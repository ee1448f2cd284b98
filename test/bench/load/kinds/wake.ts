import { setTimeout as sleep } from 'node:timers/promises'
import type { LoadClient } from '../client.ts'
import { openAll } from '../connections.ts'
import { textFrame } from '../frames.ts'
import { Meter } from '../meter.ts'
import type { LoadResult, LoadSpec, Target } from '../spec.ts'

/**
 * Opens a connection to each path and holds them, until it is told to go on. Then it sends one message on each, the next
 * when the one before was answered and `pauseMs` are over, or all at once without that: the time from sending to answer.
 */
export async function wake(target: Target, spec: LoadSpec & { kind: 'wake' }, fail: (why: string) => void, holding: (count: number) => Promise<void>): Promise<LoadResult> {
  const { bytes, pauseMs } = spec
  const meter = new Meter(target.pid)
  const frame = textFrame(bytes)
  const answered = new Map<LoadClient, () => void>()
  const onMessages = (client: LoadClient): void => {
    meter.latency.record(performance.now() - client.sentAt.shift()!)
    meter.count++
    answered.get(client)!()
  }
  const all = await openAll(target, target.paths.length, onMessages, fail)
  const send = (client: LoadClient): Promise<void> =>
    new Promise((resolve) => {
      answered.set(client, resolve)
      client.sentAt.push(performance.now())
      client.write(frame)
    })
  await holding(all.clients.length)
  const end = meter.begin()
  if (pauseMs === undefined) await Promise.all(all.clients.map(send))
  else {
    for (const client of all.clients) {
      await send(client)
      await sleep(pauseMs)
    }
  }
  const result = end()
  await all.close()
  return result
}
