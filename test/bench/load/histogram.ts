/** Each power of two is cut in so many: a value is known to 1/128, 0.8 %. */
const CUTS_BITS = 6
const CUTS = 1 << CUTS_BITS
/** The smallest difference, in milliseconds. */
const UNIT_MS = 0.0001
/** The greatest value is 2^31 units, three and a half minutes. */
const MAX_UNITS = 2 ** 31 - 1

/** Microseconds. */
export interface Latency {
  count: number
  p50: number
  p90: number
  p99: number
  max: number
}

/** Times in buckets that grow with the value: recording one allocates nothing. */
export class Histogram {
  readonly #counts = new Float64Array((32 - CUTS_BITS) * CUTS)
  #count = 0
  #max = 0

  record(ms: number): void {
    const units = Math.min(MAX_UNITS, Math.max(0, Math.round(ms / UNIT_MS)))
    this.#counts[bucketOf(units)]!++
    this.#count++
    if (ms > this.#max) this.#max = ms
  }

  clear(): void {
    this.#counts.fill(0)
    this.#count = 0
    this.#max = 0
  }

  /** The value, in milliseconds, that this share of all recorded ones does not pass. 0 if there is none. */
  quantile(share: number): number {
    const wanted = Math.max(1, Math.ceil(this.#count * share))
    let seen = 0
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      seen += this.#counts[bucket]!
      if (seen >= wanted) return Math.min(this.#max, middleOf(bucket) * UNIT_MS)
    }
    return 0
  }

  latency(): Latency {
    const us = (share: number): number => this.quantile(share) * 1000
    return { count: this.#count, p50: us(0.5), p90: us(0.9), p99: us(0.99), max: this.#max * 1000 }
  }
}

/** Below 2 × CUTS every value has a bucket of its own; above, each power of two has CUTS. */
function bucketOf(units: number): number {
  if (units < CUTS) return units
  const shift = 31 - Math.clz32(units) - CUTS_BITS
  return shift * CUTS + (units >>> shift)
}

function middleOf(bucket: number): number {
  const shift = Math.max(0, Math.floor(bucket / CUTS) - 1)
  const low = (bucket - shift * CUTS) * 2 ** shift
  return low + (2 ** shift - 1) / 2
}
