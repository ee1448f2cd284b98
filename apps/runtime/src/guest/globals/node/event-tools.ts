/** What Node's `events` has beside the emitter: async iteration, listeners of event targets, limits of several emitters at once. */
import { isAborted as isSignalAborted, isAbortSignal, reasonOf, type AbortSignal } from '../abort.ts'
import { invalidType, define } from '../define.ts'
import { abortError, DOMException } from '../dom-exception.ts'
import { addListener, EventTarget, isEventTarget, listenersOf, removeListener } from '../event-target.ts'
import { EventEmitter, errorMonitor, type EmitterLike, type Listener } from './events.ts'
import { push, shift } from '../../lists.ts'
import { NativePromise, NativeWeakMap, bareArray, deferred, objectAssign, ours, symbolAsyncIterator, toText, weakGet, weakSet, type Deferred } from '../../primordials.ts'

interface Signal extends EventTarget { aborted: boolean, reason: unknown }
interface Options { signal?: Signal, close?: PropertyKey[] }

const isAborted = (signal: Signal | undefined): boolean => signal !== undefined && (isAbortSignal(signal) ? isSignalAborted(signal as unknown as AbortSignal) : signal.aborted)

function abortReason(signal: Signal): Error {
  const error = abortError()
  define(error, 'cause', isAbortSignal(signal) ? reasonOf(signal as unknown as AbortSignal) : signal.reason)
  return error
}

/** Listens on an emitter or on an event target; gives what stops it. The methods of an emitter are its own, as in Node. */
function listen(source: EmitterLike | EventTarget, name: PropertyKey, listener: Listener): () => void {
  if (isEventTarget(source)) {
    addListener(source, toText(name), listener)
    return () => removeListener(source, toText(name), listener)
  }
  if (typeof source?.on !== 'function') throw invalidType('emitter', 'an instance of EventEmitter', source)
  source.on(name, listener)
  return () => void source.removeListener(name, listener)
}

/** The arguments of the next event; an `error` before it rejects. */
async function once(source: EmitterLike | EventTarget, name: PropertyKey, { signal }: Options = {}): Promise<unknown[]> {
  if (isAborted(signal)) throw abortReason(signal!)
  const stops = bareArray<() => void>()
  const { promise, resolve, reject } = deferred<unknown[]>()
  try {
    push(stops, listen(source, name, (...args) => resolve(args)))
    if (name !== 'error' && !isEventTarget(source)) push(stops, listen(source, 'error', reject))
    if (signal !== undefined) push(stops, listen(signal, 'abort', () => reject(abortReason(signal))))
    return await ours(promise)
  } finally {
    for (let i = 0; i < stops.length; i++) stops[i]!()
  }
}

const rejected = (error: unknown): Promise<never> => new NativePromise((_, reject) => reject(error))
const resolved = <T>(value: T): Promise<T> => new NativePromise((resolve) => resolve(value))

/** Every event from now on, in an async iteration that ends with `return`, an `error`, the signal or one of the `close` events. */
function on(source: EmitterLike | EventTarget, name: PropertyKey, { signal, close }: Options = {}): AsyncIterableIterator<unknown[]> {
  if (isAborted(signal)) throw abortReason(signal!)
  const events = bareArray<unknown[]>()
  const waiting = bareArray<Deferred<IteratorResult<unknown[]>>>()
  const stops = bareArray<() => void>()
  let failure: { error: unknown } | undefined
  let finished = false

  function stop(): void {
    for (let end = shift(stops); end !== undefined; end = shift(stops)) end()
    finished = true
    for (let next = shift(waiting); next !== undefined; next = shift(waiting)) next.resolve({ value: undefined, done: true })
  }
  function failed(error: unknown): void {
    const next = shift(waiting)
    if (next === undefined) failure = { error }
    else next.reject(error)
    stop()
  }
  push(stops, listen(source, name, (...args) => {
    const next = shift(waiting)
    if (next === undefined) push(events, args)
    else next.resolve({ value: args, done: false })
  }))
  if (name !== 'error' && !isEventTarget(source)) push(stops, listen(source, 'error', failed))
  const ends = close ?? []
  for (let i = 0; i < ends.length; i++) push(stops, listen(source, ends[i]!, stop))
  if (signal !== undefined) push(stops, listen(signal, 'abort', () => failed(abortReason(signal))))

  return {
    next() {
      const value = shift(events)
      if (value !== undefined) return resolved<IteratorResult<unknown[]>>({ value, done: false })
      if (failure !== undefined) {
        const { error } = failure
        failure = undefined
        return rejected(error)
      }
      if (finished) return resolved<IteratorResult<unknown[]>>({ value: undefined, done: true })
      const next = deferred<IteratorResult<unknown[]>>()
      push(waiting, next)
      return next.promise
    },
    return() {
      stop()
      return resolved<IteratorResult<unknown[]>>({ value: undefined, done: true })
    },
    throw(error: unknown) {
      failed(error)
      return resolved<IteratorResult<unknown[]>>({ value: undefined, done: true })
    },
    [symbolAsyncIterator]() {
      return this
    }
  } as unknown as AsyncIterableIterator<unknown[]>
}

const targetLimits = new NativeWeakMap<EventTarget, number>()
const Class = EventEmitter as unknown as { defaultMaxListeners: number }

function setMaxListeners(count = Class.defaultMaxListeners, ...sources: (EmitterLike | EventTarget)[]): void {
  if (sources.length === 0) Class.defaultMaxListeners = count
  for (let i = 0; i < sources.length; i++) {
    const source = sources[i]!
    if (isEventTarget(source)) weakSet(targetLimits, source, count)
    else source.setMaxListeners(count)
  }
}

const getMaxListeners = (source: EmitterLike | EventTarget): number =>
  isEventTarget(source) ? weakGet(targetLimits, source) ?? Class.defaultMaxListeners : source.getMaxListeners()

const getEventListeners = (source: EmitterLike | EventTarget, name: PropertyKey): unknown[] =>
  isEventTarget(source) ? listenersOf(source, toText(name)) : source.listeners(name)

async function callSoon(listener: Listener): Promise<void> {
  await undefined
  listener(new DOMException('', 'AbortError'))
}

function addAbortListener(signal: Signal, listener: Listener): { [Symbol.dispose](): void } {
  if (isAborted(signal)) {
    void callSoon(listener)
    return { [Symbol.dispose]() {} }
  }
  return { [Symbol.dispose]: listenOnce(signal, listener) }
}

function listenOnce(signal: Signal, listener: Listener): () => void {
  addListener(signal, 'abort', listener, { once: true })
  return () => removeListener(signal, 'abort', listener)
}

const countListeners = (source: EmitterLike | EventTarget, name: PropertyKey): number => getEventListeners(source, name).length

objectAssign(EventEmitter, {
  EventEmitter, errorMonitor, once, on, setMaxListeners, getMaxListeners, getEventListeners, addAbortListener, listenerCount: countListeners, usingDomains: false
})

export { EventEmitter } from './events.ts'
