import { openAll } from '../connections.ts'
import { Meter } from '../meter.ts'
import type { LoadResult, LoadSpec, Target } from '../spec.ts'

/** Opens connections and keeps them, silent, until it is told to stop. */
export async function hold(target: Target, spec: LoadSpec & { kind: 'hold' }, fail: (why: string) => void, holding: (count: number) => Promise<void>): Promise<LoadResult> {
  const meter = new Meter(target.pid)
  const end = meter.begin()
  const all = await openAll(target, spec.connections, () => {}, fail)
  await holding(all.clients.length)
  const result = { ...end(), count: spec.connections }
  await all.close()
  return result
}
