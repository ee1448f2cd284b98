/** Whether a turn is wanted though there are no events: the guest has left something, or its timers are due. */
export class Wake {
  readonly #onDue: () => void
  #timer: NodeJS.Timeout | null = null
  isWanted = false

  /** `onDue`: from now on one is wanted. */
  constructor(onDue: () => void) {
    this.#onDue = onDue
  }

  /** One is wanted in so many milliseconds. */
  after(ms: number): void {
    this.#stopTimer()
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.isWanted = true
      this.#onDue()
    }, ms)
  }

  /** A turn begins; whether another is wanted, it will say. */
  clear(): void {
    this.isWanted = false
    this.#stopTimer()
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}
