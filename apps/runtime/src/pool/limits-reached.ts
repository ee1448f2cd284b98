import { readU32 } from '@socklet/protocol'
import type { PoolApp } from './app.ts'

/** Far more than there are limits: a worker may say anything. */
const MAX_LIMITS = 64
const MAX_TIMES = 1_000_000_000

/** An app has reached a limit so often, as its worker says. What is none is dropped. */
export function onReached(app: PoolApp, payload: Uint8Array): void {
  if (payload.byteLength < 5 || payload.byteLength > 4 + 32) return
  const limit = Buffer.from(payload.subarray(4)).toString('latin1')
  if (/^[a-zA-Z]+$/.test(limit)) countReached(app, limit, readU32(payload, 0))
}

export function countReached({ limitsReached }: PoolApp, limit: string, times: number): void {
  const before = limitsReached.get(limit)
  if (before === undefined && limitsReached.size >= MAX_LIMITS) return
  limitsReached.set(limit, (before ?? 0) + Math.min(times, MAX_TIMES))
}

/** How often each was reached, with what the gateways have counted. */
export function limitsOf({ limitsReached }: PoolApp, ofGateways: Record<string, number>): Record<string, number> {
  const sums = new Map(limitsReached)
  for (const [limit, times] of Object.entries(ofGateways)) sums.set(limit, (sums.get(limit) ?? 0) + times)
  return Object.fromEntries(sums)
}
