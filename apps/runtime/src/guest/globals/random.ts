/** Random bytes for the guest, a page at a time: a call out of the isolate costs as much as thousands of bytes. */

export interface RandomSource {
  randomBytes(count: number): Uint8Array
}

const PAGE = 4096
/** What the host gives at once at most. */
const MOST = 65_536

/** Fills `target`. Bytes that were handed out are wiped, so that nobody finds them in the pool again. */
export function randomPool(host: RandomSource): (target: Uint8Array) => void {
  const { randomBytes } = host
  const { set, subarray, fill } = Uint8Array.prototype
  const { apply } = Reflect
  let pool: Uint8Array | undefined
  let at = PAGE

  /** A copy: what the host gave stays out of reach. */
  function fresh(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    for (let done = 0; done < count; done += MOST) {
      const part = count - done < MOST ? count - done : MOST
      const given = randomBytes(part)
      if (given.length !== part) throw new Error('The host gave too few random bytes')
      apply(set, bytes, [given, done])
    }
    return bytes
  }

  return target => {
    const count = target.length
    if (count > PAGE / 4) return void apply(set, target, [fresh(count)])
    // Taken on the first use, never in the snapshot: all isolates would share it.
    if (pool === undefined || at + count > PAGE) [pool, at] = [fresh(PAGE), 0]
    apply(set, target, [apply(subarray, pool, [at, at + count])])
    apply(fill, pool, [0, at, at + count])
    at += count
  }
}
