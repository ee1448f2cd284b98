import { Child, type ChildSpec } from './child.ts'

/** Milliseconds. */
export interface Timing {
  /** What is not ready by then has failed. */
  readyMs: number
  /** Delay before the first restart; each further one is twice as long. */
  firstDelayMs: number
  longestDelayMs: number
  /** What has been up so long starts again with the first delay. */
  resetMs: number
  /** For work that runs when the platform stops. */
  graceMs: number
}

export const TIMING: Timing = { readyMs: 60_000, firstDelayMs: 100, longestDelayMs: 30_000, resetMs: 60_000, graceMs: 10_000 }

export interface SlotEvents {
  /** Where it has to listen, if that is settled already. */
  port(spec: ChildSpec): number | undefined
  ready(slot: Slot, port: number | undefined): void
  /** The process has ended, and nobody told it to. `how` completes a sentence about it, `lines` are its last on stderr. */
  died(slot: Slot, how: string, lines: string[]): void
  line(name: string, line: string): void
}

/** The place of one process: whatever runs there at the moment. */
export class Slot {
  readonly spec: ChildSpec
  /** The process, when it is ready. */
  up: Child | null = null
  /** How often it was started again. */
  restarts = 0
  readonly #events: SlotEvents
  readonly #timing: Timing
  #child: Child | null = null
  #restart: NodeJS.Timeout | undefined
  #failures = 0
  #readyAt = Infinity
  #stopping = false

  constructor(spec: ChildSpec, events: SlotEvents, timing: Timing) {
    this.spec = spec
    this.#events = events
    this.#timing = timing
  }

  start(): void {
    try {
      const child = new Child(this.spec, this.#events.port(this.spec), (line) => this.#events.line(this.spec.name, line))
      this.#child = child
      void this.#watch(child)
    } catch (error) {
      this.#events.died(this, `could not be started: ${(error as Error).message}`, [])
    }
  }

  /** Starts it again, after a delay that grows with each time. The delay in milliseconds. */
  startAgain(): number {
    const upMs = performance.now() - this.#readyAt
    if (upMs >= this.#timing.resetMs) this.#failures = 0
    const delay = Math.min(this.#timing.firstDelayMs * 2 ** this.#failures, this.#timing.longestDelayMs)
    this.#failures += 1
    this.restarts += 1
    this.#readyAt = Infinity
    this.#restart = setTimeout(() => this.start(), delay)
    return delay
  }

  /** Ends what runs here, for good. true if it went in order. */
  async stop(): Promise<boolean> {
    this.#stopping = true
    clearTimeout(this.#restart)
    return this.#child === null || this.#child.stop(this.#timing.graceMs)
  }

  /** Ends what runs here at once, for good. */
  kill(): void {
    this.#stopping = true
    clearTimeout(this.#restart)
    this.#child?.kill()
  }

  async #watch(child: Child): Promise<void> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.kill()
    }, this.#timing.readyMs)
    void child.ready.then((port) => {
      clearTimeout(timer)
      if (this.#child !== child) return
      this.up = child
      this.#readyAt = performance.now()
      this.#events.ready(this, port)
    })
    const how = await child.gone
    clearTimeout(timer)
    this.#child = null
    this.up = null
    if (!this.#stopping) this.#events.died(this, late ? `was not ready within ${this.#timing.readyMs / 1000} s` : how, child.lastLines)
  }
}
