import { addCounts, decodeCounts } from '@socklet/protocol'
import type { PoolApp } from './app.ts'

/** What is counted of an app has come on, as its worker says. What is none is dropped. */
export function onCounted(app: PoolApp, payload: Uint8Array): void {
  try {
    app.counts = addCounts(app.counts, decodeCounts(payload))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
}
