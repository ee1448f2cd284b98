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
