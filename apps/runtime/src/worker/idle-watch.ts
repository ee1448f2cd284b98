export interface IdleWatchParts {
  /** Whether there is nothing to do at the moment. */
  isIdle: () => boolean
  /** Milliseconds. */
  idleMs: () => number
  /** There was nothing to do for so long. Called again after as long again. */
  onIdle: () => void
}

/** Tells when an app has had nothing to do for a while. It has one timer, however much the app does. */
export class IdleWatch {
  readonly #parts: IdleWatchParts
  #workedAt = performance.now()
  #timer: NodeJS.Timeout

  constructor(parts: IdleWatchParts) {
    this.#parts = parts
    this.#timer = setTimeout(() => this.#look(), parts.idleMs())
  }

  /** There was something to do just now. */
  worked(): void {
    this.#workedAt = performance.now()
  }

  /** The time is another one from now on. */
  limitChanged(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#look(), this.#parts.idleMs())
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #look(): void {
    const { isIdle, idleMs, onIdle } = this.#parts
    if (!isIdle()) this.worked()
    const left = this.#workedAt + idleMs() - performance.now()
    this.#timer = setTimeout(() => this.#look(), left > 0 ? left : idleMs())
    if (left <= 0) onIdle()
  }
}
