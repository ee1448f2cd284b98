/** `timers` and `timers/promises` over the timers of the runtime. */
import { abortError } from '../dom-exception.ts'
import { isAborted, isAbortSignal, reasonOf, type AbortSignal } from '../abort.ts'
import { define, invalidType } from '../define.ts'
import { addListener, removeListener } from '../event-target.ts'
import { hostTimers, type Timers } from '../host-timers.ts'
import { NativePromise, ours } from '../../primordials.ts'

interface Options { signal?: AbortSignal }

export function timers(): Timers {
  const { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate } = hostTimers
  return { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate }
}

/** The value after a timer of `start`, unless the signal comes first. */
function later<T>(start: (run: () => void) => unknown, stop: (timer: unknown) => void, value: T, signal: AbortSignal | undefined): Promise<T> {
  return new NativePromise((resolve, reject) => {
    if (signal !== undefined && !isAbortSignal(signal)) {
      reject(invalidType('options.signal', 'an instance of AbortSignal', signal))
      return
    }
    const aborted = (): void => {
      stop(timer)
      const error = abortError()
      define(error, 'cause', reasonOf(signal!))
      reject(error)
    }
    const timer = start(() => {
      if (signal !== undefined) removeListener(signal, 'abort', aborted)
      resolve(value)
    })
    if (signal === undefined) return
    if (isAborted(signal)) aborted()
    else addListener(signal, 'abort', aborted, { once: true })
  })
}

export function timersPromises(): Record<string, unknown> {
  const { setTimeout, setImmediate, clearTimeout, clearImmediate } = hostTimers
  const timeout = <T>(delay?: number, value?: T, { signal }: Options = {}) => later(run => setTimeout(run, delay), clearTimeout, value, signal)
  const immediate = <T>(value?: T, { signal }: Options = {}) => later(setImmediate, clearImmediate, value, signal)
  async function* interval<T>(delay?: number, value?: T, options?: Options): AsyncGenerator<T | undefined> {
    for (;;) yield await ours(timeout(delay, value, options))
  }
  return { setTimeout: timeout, setImmediate: immediate, setInterval: interval, scheduler: { wait: (delay: number, options?: Options) => timeout(delay, undefined, options), yield: () => immediate() } }
}
