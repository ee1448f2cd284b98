/** What is counted of an app over all the isolates that it has. */
export interface AppCounts {
  turns: number
  /** Handlers that threw. */
  errors: number
  /** CPU milliseconds. */
  cpuMs: number
  /** Log lines above the limit. */
  logLinesDropped: number
}

const KEYS = ['turns', 'errors', 'cpuMs', 'logLinesDropped'] as const

export const NO_COUNTS: Readonly<AppCounts> = { turns: 0, errors: 0, cpuMs: 0, logLinesDropped: 0 }

/** Payload of a COUNTED frame: an f64 each. */
export function encodeCounts(counts: AppCounts): Uint8Array {
  return new Uint8Array(Float64Array.from(KEYS, (key) => counts[key]).buffer)
}

/** @throws RangeError if these are no counts */
export function decodeCounts(payload: Uint8Array): AppCounts {
  if (payload.byteLength !== KEYS.length * 8) throw new RangeError('counts have another length')
  const values = new Float64Array(Uint8Array.from(payload).buffer)
  if (!values.every((value) => value >= 0 && value < Number.MAX_SAFE_INTEGER)) throw new RangeError('a count is no number')
  return byKey((_, index) => values[index]!)
}

/** What has come on since. */
export function countsSince(before: AppCounts, now: AppCounts): AppCounts {
  return byKey((key) => now[key] - before[key])
}

export function addCounts(one: AppCounts, other: AppCounts): AppCounts {
  return byKey((key) => one[key] + other[key])
}

function byKey(valueOf: (key: keyof AppCounts, index: number) => number): AppCounts {
  return Object.fromEntries(KEYS.map((key, index) => [key, valueOf(key, index)])) as unknown as AppCounts
}
