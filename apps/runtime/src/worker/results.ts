import { readResult, sendResult, sendToGateways, sendToPool, type CheckedResult, type Destination, type TurnResult } from './result.ts'

/** What waits at most before no further turn begins. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024
const MAX_WAITING = 1_000

/**
 * The results of an app's turns, on their way out. What a turn has changed of `cloud.shared` goes to the pool at once;
 * what it has for clients leaves when that is stored, and whatever comes after it stays behind it.
 */
export class Results {
  readonly #to: Destination
  #waiting: { result: CheckedResult; change: number }[] = []
  #bytes = 0
  /** Numbers of the last change that went to the pool, and of the last that it has stored. */
  #sent = 0
  #stored = 0
  #onEmpty: (() => void) | null = null

  constructor(to: Omit<Destination, 'nextChange'>) {
    this.#to = { ...to, nextChange: () => (this.#sent = (this.#sent + 1) >>> 0) }
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  get isFull(): boolean {
    return this.#bytes > MAX_WAITING_BYTES || this.#waiting.length > MAX_WAITING
  }

  /** @throws ResultError */
  add(result: CheckedResult): TurnResult {
    const read = readResult(result)
    if (!read.changesShared && this.isEmpty) {
      sendResult(result, this.#to)
      return read
    }
    sendToPool(result, this.#to)
    this.#waiting.push({ result, change: this.#sent })
    this.#bytes += sizeOf(result)
    this.#release()
    return read
  }

  /** The pool has stored the changes up to this one. @throws ResultError */
  onStored(change: number): void {
    this.#stored = change
    this.#release()
  }

  /** Calls `then` once nothing waits. */
  whenEmpty(then: () => void): void {
    if (this.isEmpty) then()
    else this.#onEmpty = then
  }

  /** Settles once nothing waits, or after so many milliseconds. */
  untilEmpty(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs)
      this.whenEmpty(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #release(): void {
    let count = 0
    // The difference and not the numbers: these begin anew after 2^32.
    while (count < this.#waiting.length && ((this.#stored - this.#waiting[count]!.change) | 0) >= 0) {
      const { result } = this.#waiting[count++]!
      this.#bytes -= sizeOf(result)
      sendToGateways(result, this.#to)
    }
    if (count > 0) this.#waiting = this.#waiting.slice(count)
    if (!this.isEmpty) return
    this.#onEmpty?.()
    this.#onEmpty = null
  }
}

/** Bytes that are kept with it. */
function sizeOf({ bytes, came }: CheckedResult): number {
  return bytes.buffer.byteLength + came.length
}
