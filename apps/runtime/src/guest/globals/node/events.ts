// oxlint-disable no-underscore-dangle -- so the emitter of the package calls what it keeps
/**
 * Node's `events`: the emitter of npm `events`, which is Node's of some years ago, and what came since: the monitor of errors, async iteration, listeners of
 * event targets, limits of several emitters at once.
 */
import Emitter from 'events/'
import { abortError, DOMException } from '../dom-exception.ts'
import { isAborted as isSignalAborted, isAbortSignal, reasonOf, type AbortSignal } from '../abort.ts'
import { addListener, EventTarget, isEventTarget, listenersOf, removeListener } from '../event-target.ts'
import { coded, define, invalidType, named } from '../define.ts'
import { inspect } from '../inspect.ts'
import { filter, map, ordinary, push, removeAt, shift } from '../../lists.ts'
import { NativeError, NativePromise, NativeRangeError, NativeWeakMap, bareArray, bareObject, deferred, objectAssign, ours, reflectApply, symbolAsyncIterator, toText, weakGet, weakSet, type Deferred } from '../../primordials.ts'

type Listener = (...args: any[]) => void
interface EmitterLike {
  on(name: PropertyKey, listener: Listener): unknown
  once(name: PropertyKey, listener: Listener): unknown
  removeListener(name: PropertyKey, listener: Listener): unknown
  listenerCount(name: PropertyKey): number
  listeners(name: PropertyKey): Listener[]
  setMaxListeners(count: number): unknown
  getMaxListeners(): number
}
interface Signal extends EventTarget { aborted: boolean, reason: unknown }
interface Options { signal?: Signal, close?: PropertyKey[] }

export const EventEmitter = Emitter as unknown as { new (): EmitterLike, prototype: EmitterLike & { emit(name: PropertyKey, ...args: unknown[]): boolean } }

// The bundler calls it something else.
named(EventEmitter, 'EventEmitter')
const errorMonitor = Symbol.for('events.errorMonitor')

type Events = Record<PropertyKey, Listener | Listener[] | undefined>

/** Where the emitter of the package has its listeners. */
function eventsOf(emitter: object): Events | undefined {
  return (emitter as Record<string, Events | undefined>)['_events']
}

/** As Node's. The emitter of the package pushes the arguments on a list, by methods that may be a tenant's. */
function emit(this: EmitterLike, name: PropertyKey, ...args: unknown[]): boolean {
  const events = eventsOf(this)
  if (name === 'error') {
    if (events?.[errorMonitor] !== undefined) callAll(this, events[errorMonitor], args)
    if (events?.['error'] === undefined) throw unhandled(args[0])
  }
  const listeners = events?.[name]
  if (listeners === undefined) return false
  callAll(this, listeners, args)
  return true
}

function callAll(emitter: EmitterLike, listeners: Listener | Listener[], args: unknown[]): void {
  if (typeof listeners === 'function') {
    reflectApply(listeners, emitter, args as never[])
    return
  }
  // Those that are there now, whatever they add and remove.
  const now = map(listeners, (listener) => listener)
  for (let i = 0; i < now.length; i++) reflectApply(now[i]!, emitter, args as never[])
}

function unhandled(error: unknown): unknown {
  if (error instanceof NativeError) return error
  return objectAssign(coded(new NativeError(`Unhandled error. (${typeof error === 'string' ? `'${error}'` : inspect(error)})`), 'ERR_UNHANDLED_ERROR'), { context: error })
}
EventEmitter.prototype.emit = emit

/** What the emitter of the package keeps of an emitter. */
interface State { _events: Events | undefined, _eventsCount: number }
type Wrapped = Listener & { listener?: Listener }

/** As Node's `_addListener`. The one of the package changes its list by methods that may be a tenant's. */
function add(emitter: EmitterLike, name: PropertyKey, listener: unknown, first: boolean): EmitterLike {
  if (typeof listener !== 'function') throw invalidType('listener', 'of type function', listener)
  const one = listener as Wrapped
  const state = emitter as unknown as State
  if (state._events === undefined) {
    state._events = bareObject() as Events
    state._eventsCount = 0
  } else if (state._events['newListener'] !== undefined) {
    (emitter as unknown as { emit: Listener }).emit('newListener', name, one.listener ?? one)
  }
  const events = state._events
  const there = events[name]
  if (there === undefined) {
    events[name] = one
    state._eventsCount++
    return emitter
  }
  const list = bareArray<Listener>()
  if (first) push(list, one)
  if (typeof there === 'function') push(list, there)
  else for (let i = 0; i < there.length; i++) push(list, there[i]!)
  if (!first) push(list, one)
  events[name] = ordinary(list)
  warnOnce(emitter, name, there, events[name])
  return emitter
}

/** Once for each event of an emitter. */
function warnOnce(emitter: EmitterLike, name: PropertyKey, before: Listener | Listener[], list: Listener[] & { warned?: boolean }): void {
  const most = (emitter as unknown as { _maxListeners?: number })._maxListeners ?? (EventEmitter as unknown as { defaultMaxListeners: number }).defaultMaxListeners
  const warned = typeof before !== 'function' && (before as { warned?: boolean }).warned === true
  if (warned || (most > 0 && list.length > most)) define(list, 'warned', true)
  if (warned || !(most > 0 && list.length > most)) return
  const warning = new NativeError(`Possible EventEmitter memory leak detected. ${list.length} ${toText(name)} listeners added. Use emitter.setMaxListeners() to increase limit`)
  define(warning, 'name', 'MaxListenersExceededWarning')
  objectAssign(warning, { emitter, type: name, count: list.length })
  const { console } = globalThis as { console?: { warn?(value: unknown): void } }
  console?.warn?.(warning)
}

/** Removes itself before it calls. */
function wrapOnce(emitter: EmitterLike, name: PropertyKey, listener: Listener): Listener {
  let fired = false
  const wrapper: Wrapped = function (...args: unknown[]) {
    if (fired) return undefined
    emitter.removeListener(name, wrapper)
    fired = true
    return reflectApply(listener, emitter, args as never[])
  }
  wrapper.listener = listener
  return wrapper
}

function remove(emitter: EmitterLike, name: PropertyKey, listener: unknown): EmitterLike {
  if (typeof listener !== 'function') throw invalidType('listener', 'of type function', listener)
  const state = emitter as unknown as State
  const events = state._events
  const there = events?.[name]
  if (events === undefined || there === undefined) return emitter
  const list: readonly Wrapped[] = typeof there === 'function' ? [there] : there
  let at = list.length - 1
  while (at >= 0 && !isListener(list[at]!, listener as Listener)) at--
  if (at < 0) return emitter
  const removed = list[at]!
  if (list.length > 1) {
    const rest = map(list, (one) => one)
    removeAt(rest, at)
    const kept = ordinary(rest)
    if ((there as { warned?: boolean }).warned === true) define(kept, 'warned', true)
    events[name] = rest.length === 1 ? rest[0]! : kept
  } else if (--state._eventsCount === 0) state._events = bareObject() as Events
  else delete events[name]
  if (events['removeListener'] !== undefined) (emitter as unknown as { emit: Listener }).emit('removeListener', name, removed.listener ?? removed)
  return emitter
}

const methods: Record<string, Function> = {
  on(this: EmitterLike, name: PropertyKey, listener: unknown) { return add(this, name, listener, false) },
  prependListener(this: EmitterLike, name: PropertyKey, listener: unknown) { return add(this, name, listener, true) },
  once(this: EmitterLike, name: PropertyKey, listener: unknown) {
    if (typeof listener !== 'function') throw invalidType('listener', 'of type function', listener)
    return this.on(name, wrapOnce(this, name, listener as Listener))
  },
  prependOnceListener(this: EmitterLike & { prependListener: Function }, name: PropertyKey, listener: unknown) {
    if (typeof listener !== 'function') throw invalidType('listener', 'of type function', listener)
    return this.prependListener(name, wrapOnce(this, name, listener as Listener))
  },
  removeListener(this: EmitterLike, name: PropertyKey, listener: unknown) { return remove(this, name, listener) }
}
function listenerCount(this: EmitterLike, name: PropertyKey, listener?: Listener): number {
  const all = eventsOf(this)?.[name]
  if (all === undefined) return 0
  if (typeof all === 'function') return listener === undefined || isListener(all, listener) ? 1 : 0
  return listener === undefined ? all.length : filter(all, (one) => isListener(one, listener)).length
}

/** One that is called once stands in a wrapper. */
function isListener(one: Listener & { listener?: Listener }, listener: Listener): boolean {
  return one === listener || one.listener === listener
}

const plainSetMaxListeners = EventEmitter.prototype.setMaxListeners

function setOwnMaxListeners(this: EmitterLike, count: unknown): EmitterLike {
  if (typeof count !== 'number') throw invalidType('setMaxListeners', 'of type number', count)
  if (!(count >= 0)) {
    throw coded(new NativeRangeError(`The value of "setMaxListeners" is out of range. It must be a non-negative number. Received ${count}`), 'ERR_OUT_OF_RANGE')
  }
  return reflectApply(plainSetMaxListeners, this, [count]) as EmitterLike
}
methods['addListener'] = methods['on']!
methods['off'] = methods['removeListener']!
Object.assign(EventEmitter.prototype, methods, { listenerCount: named(listenerCount, 'listenerCount'), setMaxListeners: named(setOwnMaxListeners, 'setMaxListeners') })

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

Object.assign(EventEmitter, {
  EventEmitter, errorMonitor, once, on, setMaxListeners, getMaxListeners, getEventListeners, addAbortListener, listenerCount: countListeners, usingDomains: false
})
