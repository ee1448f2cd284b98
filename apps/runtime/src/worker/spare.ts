import { setImmediate as nextTurn } from 'node:timers/promises'
import { startIsolate, type Isolate, type Snapshot } from './isolate.ts'
import type { Turns } from './turns.ts'

export interface SpareParts {
  snapshot: Snapshot
  turns: Turns
  /** V8 gave up: this process has to be replaced. */
  onCatastrophe: (message: string) => void
}

/** To start an isolate is our own work. Beyond this something is wrong with it. */
export const START_LIMIT_MS = 5_000
const REFILL_AFTER_MS = 20

/** An isolate that is ready before it is needed: to make one takes most of the time that a trial does, or the start of an app. */
export class Spare {
  readonly #parts: SpareParts
  #timer: NodeJS.Timeout | null = null
  #next: { memoryMiB: number; isolate: Promise<Isolate> } | null = null

  constructor(parts: SpareParts) {
    this.#parts = parts
  }

  /** The spare one, if there is one with such a heap, else a new one. Whoever takes it disposes of it. */
  async take(memoryMiB: number): Promise<Isolate> {
    const spare = this.#next
    this.#next = null
    const isolate = spare?.memoryMiB === memoryMiB ? await spare.isolate : await this.#makeSoon(memoryMiB)
    if (spare !== null && spare.memoryMiB !== memoryMiB) spare.isolate.then((unused) => unused.dispose(), () => {})
    return isolate
  }

  /** Makes the next one when the answer to whoever took the last is out of the way: it keeps this thread for that long. */
  refillSoon(memoryMiB: number): void {
    if (this.#next !== null) return
    // Who starts many apps in a row is not to wait for one that it has no use for.
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = null
      const isolate = this.#make(memoryMiB)
      // Whoever takes it is told.
      isolate.catch(() => {})
      this.#next = { memoryMiB, isolate }
    }, REFILL_AFTER_MS)
  }

  /** After what this turn of the event loop has to send: whoever waits for that goes on meanwhile. */
  async #makeSoon(memoryMiB: number): Promise<Isolate> {
    await nextTurn()
    await nextTurn()
    return await this.#make(memoryMiB)
  }

  async #make(memoryMiB: number): Promise<Isolate> {
    const { snapshot, turns, onCatastrophe } = this.#parts
    let dispose = (): void => {}
    const watched = { cpuMs: () => 0, limitMs: START_LIMIT_MS, stop: () => dispose(), lost: () => onCatastrophe('an isolate that starts cannot be ended') }
    return await turns.run(watched, async () => await startIsolate({ snapshot, memoryMiB, onCatastrophe }, (end) => (dispose = end)))
  }
}
