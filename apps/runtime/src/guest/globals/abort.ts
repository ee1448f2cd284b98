/** AbortController and AbortSignal (DOM Standard, "aborting ongoing activities"). */
import { abortError, DOMException } from './dom-exception.ts'
import { coded, illegalConstructor, inspectable, invalidType, webInterface } from './define.ts'
import { dispatch, Event, eventHandler, EventTarget, setIsAborted } from './event-target.ts'
import { hostTimers } from './host-timers.ts'
import { listOf, push } from '../lists.ts'
import { NativeRangeError, NativeSet, NativeSymbol, bareArray, setAdd, setClear, setDelete, setForEach, setSize } from '../primordials.ts'

/** Only this file makes signals. */
const MAKE = NativeSymbol('make')
const MOST_MS = Number.MAX_SAFE_INTEGER

let abortSignal: (signal: AbortSignal, reason: unknown) => void
export let isAbortSignal: (value: unknown) => value is AbortSignal
export let isAborted: (signal: AbortSignal) => boolean
export let reasonOf: (signal: AbortSignal) => unknown
/** `AbortSignal.any` of a list that is ours. */
export let anyOf: (signals: readonly AbortSignal[]) => AbortSignal

export class AbortSignal extends EventTarget {
  #aborted = false
  #reason: unknown
  /** Signals of `AbortSignal.any` that follow this one, and those that this one follows. */
  #followers = new NativeSet<AbortSignal>()
  #sources = new NativeSet<AbortSignal>()

  static {
    abortSignal = (signal, reason) => signal.#abort(reason)
    isAbortSignal = (value): value is AbortSignal => typeof value === 'object' && value !== null && #aborted in value
    isAborted = signal => signal.#aborted
    reasonOf = signal => signal.#reason
    anyOf = signals => {
      const result = new AbortSignal(MAKE)
      for (let i = 0; i < signals.length; i++) {
        if (!isAbortSignal(signals[i])) throw invalidType('signals', 'an instance of AbortSignal', signals[i])
      }
      for (let i = 0; i < signals.length; i++) {
        if (!signals[i]!.#aborted) continue
        result.#aborted = true
        result.#reason = signals[i]!.#reason
        return result
      }
      for (let i = 0; i < signals.length; i++) result.#follow(signals[i]!)
      return result
    }
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
    if (!(delay >= 0 && delay <= MOST_MS)) {
      throw coded(new NativeRangeError(`The value of "delay" is out of range. It must be >= 0 && <= ${MOST_MS}. Received ${delay}`), 'ERR_OUT_OF_RANGE')
    }
    const signal = new AbortSignal(MAKE)
    hostTimers.setTimeout?.(() => signal.#abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')), delay)
    return signal
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    return anyOf(listOf(signals))
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

  /** A follower of followers follows their sources, so that no chain builds up. */
  #follow(signal: AbortSignal): void {
    const add = (source: AbortSignal): void => {
      setAdd(this.#sources, source)
      setAdd(source.#followers, this)
    }
    if (setSize(signal.#sources) > 0) setForEach(signal.#sources, add)
    else add(signal)
  }

  #abort(reason: unknown): void {
    if (this.#aborted) return
    const affected = bareArray<AbortSignal>()
    push(affected, this)
    setForEach(this.#followers, follower => {
      if (!follower.#aborted) push(affected, follower)
    })
    // All are aborted before the first listener runs.
    for (let i = 0; i < affected.length; i++) {
      const signal = affected[i]!
      signal.#aborted = true
      signal.#reason = reason
      // Let go of by the sources that live on, or a signal for the whole app would hold every signal made from it.
      setForEach(signal.#sources, source => void setDelete(source.#followers, signal))
      setClear(signal.#sources)
    }
    setClear(this.#followers)
    for (let i = 0; i < affected.length; i++) dispatch(affected[i]!, new Event('abort'))
  }
}

export let signalOf: (controller: AbortController) => AbortSignal

export class AbortController {
  #signal = new AbortSignal(MAKE)

  static {
    signalOf = controller => controller.#signal
  }

  get signal(): AbortSignal {
    return this.#signal
  }

  abort(reason: unknown = abortError()): void {
    abortSignal(this.#signal, reason)
  }
}

export const abortController = (controller: AbortController): void => abortSignal(signalOf(controller), abortError())

setIsAborted(signal => isAbortSignal(signal) ? isAborted(signal) : signal.aborted)
eventHandler(AbortSignal, 'abort')
webInterface(AbortSignal, 'AbortSignal', ['aborted', 'reason', 'throwIfAborted'])
webInterface(AbortController, 'AbortController', ['signal', 'abort'])
inspectable(AbortSignal, ({ aborted }, depth, options, inspect) => depth < 0 ? 'AbortSignal' : `AbortSignal ${inspect({ aborted }, { ...options, depth })}`)
inspectable(AbortController, ({ signal }, depth, options, inspect) => depth < 0 ? 'AbortController' : `AbortController ${inspect({ signal }, { ...options, depth })}`)
