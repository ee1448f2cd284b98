import { SILENT_MS } from '../silence.ts'

/** CPU milliseconds. isolated-vm counts as such also what the thread waits for a core, so that any turn may take longer now and then. */
const SHORT_MS = 5
const LONG_MS = 50
const USUAL_FROM = 100
/** A turn that may take longer is not begun where only the pool can end it: until it is killed as silent, it has to have had its time. CPU milliseconds. */
const MAX_LIMIT_MS = SILENT_MS / 2

/** Tells whether an app's turns are short, by those that it had. */
export class ShortTurns {
  #count = 0

  /** A turn is over, and took so much CPU. One that was not short takes half of what there is, a long one all. */
  measure(cpuMs: number): void {
    if (cpuMs <= SHORT_MS) this.#count = Math.min(this.#count + 1, 2 * USUAL_FROM)
    else this.#count = cpuMs < LONG_MS ? this.#count >> 1 : 0
  }

  /** `limitMs`: the app's limit turnCpuMs. */
  areUsual(limitMs: number): boolean {
    return this.#count >= USUAL_FROM && limitMs <= MAX_LIMIT_MS
  }
}
