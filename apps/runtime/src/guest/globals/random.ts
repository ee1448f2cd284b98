/** Random bytes for the guest, a page at a time: a call out of the isolate costs as much as thousands of bytes. */

import { makeBytes, part } from './bytes.ts'
import { NativeError, typedArrayByteLength, typedArraySet } from '../primordials.ts'

export interface RandomSource {
  /** Fresh random bytes from the host; expensive (a call out of the isolate), so they are taken 4 KiB at a time. */
  randomBytes(count: number): Uint8Array
}

let source: RandomSource | undefined

export function setRandomSource(host: RandomSource): void {
  source = host
}

const PAGE = 4096
/** What the host gives at once at most. */
const MOST = 65_536

/** Fills `target`. Bytes that were handed out are wiped, so that nobody finds them in the pool again. */
export function randomPool(): (target: Uint8Array) => void {
  const { randomBytes } = source!
  let pool: Uint8Array | undefined
  let at = PAGE

  /** A copy: what the host gave stays out of reach. */
  function fresh(count: number): Uint8Array {
    const bytes = makeBytes(count)
    for (let done = 0; done < count; done += MOST) {
      const wanted = count - done < MOST ? count - done : MOST
      const given = randomBytes(wanted)
      if (typedArrayByteLength(given) !== wanted) throw new NativeError('The host gave too few random bytes')
      typedArraySet(bytes, given, done)
    }
    return bytes
  }

  return target => {
    const count = typedArrayByteLength(target)
    if (count > PAGE / 4) return void typedArraySet(target, fresh(count))
    // Taken on the first use, never in the snapshot: all isolates would share it.
    if (pool === undefined || at + count > PAGE) {
      pool = fresh(PAGE)
      at = 0
    }
    typedArraySet(target, part(pool, at, at + count))
    typedArraySet(pool, makeBytes(count), at)
    at += count
  }
}
