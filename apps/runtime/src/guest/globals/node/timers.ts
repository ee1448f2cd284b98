/** `timers` and `timers/promises` over the global timers, which the runtime defines. Looked up when the module is first asked for. */
import { abortError } from '../dom-exception.ts'
import type { AbortSignal } from '../abort.ts'

type Start = (run: () => void, delay?: number) => unknown
interface Timers { setTimeout: Start, setInterval: Start, setImmediate: Start, clearTimeout(timer: unknown): void, clearInterval(timer: unknown): void, clearImmediate(timer: unknown): void }
interface Options { signal?: AbortSignal }

const globalTimers = globalThis as unknown as Timers

export function timers(): Timers {
  const { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate } = globalTimers
  return { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate }
}

/** The value after a timer of `start`, unless the signal comes first. */
function later<T>(start: (run: () => void) => unknown, stop: (timer: unknown) => void, value: T, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      stop(timer)
      reject(Object.assign(abortError(), { cause: signal?.reason }))
    }
    const timer = start(() => {
      signal?.removeEventListener('abort', aborted)
      resolve(value)
    })
    if (signal?.aborted) aborted()
    else signal?.addEventListener('abort', aborted, { once: true })
  })
}

export function timersPromises(): Record<string, unknown> {
  const { setTimeout, setImmediate, clearTimeout, clearImmediate } = globalTimers
  const timeout = <T>(delay?: number, value?: T, { signal }: Options = {}) => later(run => setTimeout(run, delay), clearTimeout, value, signal)
  const immediate = <T>(value?: T, { signal }: Options = {}) => later(setImmediate, clearImmediate, value, signal)
  async function* interval<T>(delay?: number, value?: T, options?: Options): AsyncGenerator<T | undefined> {
    for (;;) yield await timeout(delay, value, options)
  }
  return { setTimeout: timeout, setImmediate: immediate, setInterval: interval, scheduler: { wait: (delay: number, options?: Options) => timeout(delay, undefined, options), yield: () => immediate() } }
}
