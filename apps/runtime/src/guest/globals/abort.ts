/** AbortController and AbortSignal (DOM Standard, "aborting ongoing activities"). */
import { abortError, DOMException } from './dom-exception.ts'
import { coded, illegalConstructor, invalidType, webInterface } from './define.ts'
import { Event, eventHandler, EventTarget } from './event-target.ts'

/** Only this file makes signals. */
const MAKE = Symbol('make')

let abortSignal: (signal: AbortSignal, reason: unknown) => void

export class AbortSignal extends EventTarget {
  #aborted = false
  #reason: unknown
  /** Signals of `AbortSignal.any` that follow this one, and those that this one follows. */
  #followers = new Set<AbortSignal>()
  #sources = new Set<AbortSignal>()

  static {
    abortSignal = (signal, reason) => signal.#abort(reason)
  }

  constructor(key?: symbol) {
    if (key !== MAKE) throw illegalConstructor()
    super()
  }

  static abort(reason: unknown = abortError()): AbortSignal {
    const signal = new AbortSignal(MAKE)
    signal.#aborted = true
    signal.#reason = reason
    return signal
  }

  static timeout(delay: unknown): AbortSignal {
    if (typeof delay !== 'number') throw invalidType('delay', 'of type number', delay)
    if (!(delay >= 0 && delay <= Number.MAX_SAFE_INTEGER)) {
      throw coded(new RangeError(`The value of "delay" is out of range. It must be >= 0 && <= ${Number.MAX_SAFE_INTEGER}. Received ${delay}`), 'ERR_OUT_OF_RANGE')
    }
    const signal = new AbortSignal(MAKE)
    const timers = globalThis as { setTimeout?: (run: () => void, delay: number) => { unref?(): void } }
    timers.setTimeout?.(() => signal.#abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')), delay)?.unref?.()
    return signal
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const result = new AbortSignal(MAKE)
    const list = [...signals]
    for (const signal of list) if (!(signal instanceof AbortSignal)) throw invalidType('signals', 'an instance of AbortSignal', signal)
    const first = list.find(signal => signal.#aborted)
    if (first !== undefined) {
      result.#aborted = true
      result.#reason = first.#reason
      return result
    }
    for (const signal of list) {
      // A follower of followers follows their sources, so that no chain builds up.
      for (const source of signal.#sources.size > 0 ? signal.#sources : [signal]) {
        result.#sources.add(source)
        source.#followers.add(result)
      }
    }
    return result
  }

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): unknown {
    return this.#reason
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason
  }

  #abort(reason: unknown): void {
    if (this.#aborted) return
    const affected = [this as AbortSignal, ...[...this.#followers].filter(follower => !follower.#aborted)]
    // All are aborted before the first listener runs.
    for (const signal of affected) {
      signal.#aborted = true
      signal.#reason = reason
      // Let go of by the sources that live on, or a signal for the whole app would hold every signal made from it.
      for (const source of signal.#sources) source.#followers.delete(signal)
      signal.#sources.clear()
    }
    this.#followers.clear()
    for (const signal of affected) signal.dispatchEvent(new Event('abort'))
  }
}

export class AbortController {
  #signal = new AbortSignal(MAKE)

  get signal(): AbortSignal {
    return this.#signal
  }

  abort(reason: unknown = abortError()): void {
    abortSignal(this.#signal, reason)
  }
}

eventHandler(AbortSignal, 'abort')
webInterface(AbortSignal, 'AbortSignal', ['aborted', 'reason', 'throwIfAborted'])
webInterface(AbortController, 'AbortController', ['signal', 'abort'])

const INSPECT = Symbol.for('nodejs.util.inspect.custom')
type Inspect = (value: unknown, options: object) => string
const inspectable = (constructor: Function, show: (value: never) => object) => Object.defineProperty(constructor.prototype, INSPECT, {
  configurable: true,
  writable: true,
  value(this: never, depth: number, options: object, inspect: Inspect) {
    return depth < 0 ? constructor.name : `${constructor.name} ${inspect(show(this), { ...options, depth })}`
  }
})
inspectable(AbortSignal, ({ aborted }: AbortSignal) => ({ aborted }))
inspectable(AbortController, ({ signal }: AbortController) => ({ signal }))
