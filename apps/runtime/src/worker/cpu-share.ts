/**
 * The CPU that an app may use (limit `minuteCpuMs`): what it has not used of the last minute it may use at once, and when
 * that is gone it gets its share of each moment, so that it goes on, slowly.
 */
export class CpuShare {
  #minuteMs: number
  #leftMs: number
  #at = performance.now()

  /** `minuteMs`: CPU milliseconds in a minute. */
  constructor(minuteMs: number) {
    this.#minuteMs = minuteMs
    this.#leftMs = minuteMs
  }

  /** The limit has changed. What was used stays used. */
  limit(minuteMs: number): void {
    this.#refill()
    this.#leftMs += minuteMs - this.#minuteMs
    this.#minuteMs = minuteMs
  }

  spend(cpuMs: number): void {
    this.#refill()
    this.#leftMs -= cpuMs
  }

  /** Milliseconds until there is anything to be used; 0 if there is. */
  get waitMs(): number {
    this.#refill()
    return this.#leftMs >= 0 ? 0 : -this.#leftMs / (this.#minuteMs / 60_000)
  }

  #refill(): void {
    const now = performance.now()
    this.#leftMs = Math.min(this.#minuteMs, this.#leftMs + ((now - this.#at) * this.#minuteMs) / 60_000)
    this.#at = now
  }
}

const TELL_EVERY_MS = 60_000

/** Keeps an app waiting that has used up its share. */
export class Slowdown {
  readonly share: CpuShare
  readonly #onTold: () => void
  readonly #onOver: () => void
  #timer: NodeJS.Timeout | null = null
  #toldAt = -Infinity

  /** `onTold`: the app waits, for the first time in a minute; `onOver`: it may go on. */
  constructor(minuteMs: number, onTold: () => void, onOver: () => void) {
    this.share = new CpuShare(minuteMs)
    this.#onTold = onTold
    this.#onOver = onOver
  }

  /** Whether it has to wait. `onOver` is called when it has not any more. */
  get isWaiting(): boolean {
    const { waitMs } = this.share
    if (waitMs === 0) return false
    if (this.#timer !== null) return true
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#onOver()
    }, Math.ceil(waitMs))
    this.#tell(performance.now())
    return true
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #tell(now: number): void {
    if (now - this.#toldAt < TELL_EVERY_MS) return
    this.#toldAt = now
    this.#onTold()
  }
}
