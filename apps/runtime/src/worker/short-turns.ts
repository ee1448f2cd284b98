import { SILENT_MS } from '../silence.ts'

/** CPU milliseconds. */
const SHORT_MS = 2
/** In a row. */
const USUAL_FROM = 100
/** A turn that may take longer is not begun where only the pool can end it: until it is killed as silent, it has to have had its time. CPU milliseconds. */
const MAX_LIMIT_MS = SILENT_MS / 2

/** Tells whether an app's turns are short, by those that it had. */
export class ShortTurns {
  #inARow = 0

  /** A turn is over, and took so much CPU. */
  measure(cpuMs: number): void {
    this.#inARow = cpuMs > SHORT_MS ? 0 : this.#inARow + 1
  }

  /** `limitMs`: the app's limit turnCpuMs. */
  areUsual(limitMs: number): boolean {
    return this.#inARow >= USUAL_FROM && limitMs <= MAX_LIMIT_MS
  }
}
