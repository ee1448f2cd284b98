/**
 * Node's `events`: the emitter of npm `events`, which is Node's of some years ago, and what came since: the monitor of errors, async iteration, listeners of
 * event targets, limits of several emitters at once.
 */
import Emitter from 'events/'
import { abortError, DOMException } from '../dom-exception.ts'
import { EventTarget, listenersOf } from '../event-target.ts'
import { coded, invalidType, named } from '../define.ts'
import { inspect } from '../inspect.ts'
import { filter, map } from '../../lists.ts'
import { NativeError, objectAssign, reflectApply } from '../../primordials.ts'

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

/** The codes that Node's errors have and the package's lack. */
for (const name of ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener', 'off', 'removeListener'] as const) {
  const prototype = EventEmitter.prototype as unknown as Record<string, Function>
  const plain = prototype[name]!
  const checked = function (this: EmitterLike, event: PropertyKey, listener: unknown): unknown {
    if (typeof listener !== 'function') throw invalidType('listener', 'of type function', listener)
    return reflectApply(plain as Listener, this, [event, listener] as never[])
  }
  prototype[name] = named(checked, name)
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
    throw coded(new RangeError(`The value of "setMaxListeners" is out of range. It must be a non-negative number. Received ${count}`), 'ERR_OUT_OF_RANGE')
  }
  return reflectApply(plainSetMaxListeners, this, [count]) as EmitterLike
}
Object.assign(EventEmitter.prototype, { listenerCount: named(listenerCount, 'listenerCount'), setMaxListeners: named(setOwnMaxListeners, 'setMaxListeners') })

const abortReason = (signal: Signal): Error => Object.assign(abortError(), { cause: signal.reason })

/** Listens on an emitter or on an event target; gives what stops it. */
function listen(source: EmitterLike | EventTarget, name: PropertyKey, listener: Listener): () => void {
  if (source instanceof EventTarget) {
    source.addEventListener(String(name), listener)
    return () => source.removeEventListener(String(name), listener)
  }
  if (typeof source?.on !== 'function') throw invalidType('emitter', 'an instance of EventEmitter', source)
  source.on(name, listener)
  return () => void source.removeListener(name, listener)
}

/** The arguments of the next event; an `error` before it rejects. */
async function once(source: EmitterLike | EventTarget, name: PropertyKey, { signal }: Options = {}): Promise<unknown[]> {
  if (signal?.aborted) throw abortReason(signal)
  const stops: (() => void)[] = []
  try {
    return await new Promise<unknown[]>((resolve, reject) => {
      stops.push(listen(source, name, (...args) => resolve(args)))
      if (name !== 'error' && !(source instanceof EventTarget)) stops.push(listen(source, 'error', reject))
      if (signal !== undefined) stops.push(listen(signal, 'abort', () => reject(abortReason(signal))))
    })
  } finally {
    for (const stop of stops) stop()
  }
}

/** Every event from now on, in an async iteration that ends with `return`, an `error`, the signal or one of the `close` events. */
function on(source: EmitterLike | EventTarget, name: PropertyKey, { signal, close = [] }: Options = {}): AsyncIterableIterator<unknown[]> {
  if (signal?.aborted) throw abortReason(signal)
  const events: unknown[][] = []
  const waiting: { resolve(result: IteratorResult<unknown[]>): void, reject(error: unknown): void }[] = []
  const stops: (() => void)[] = []
  let failure: { error: unknown } | undefined
  let finished = false

  function stop(): void {
    for (const end of stops.splice(0)) end()
    finished = true
    for (const { resolve } of waiting.splice(0)) resolve({ value: undefined, done: true })
  }
  function failed(error: unknown): void {
    const next = waiting.shift()
    if (next === undefined) failure = { error }
    else next.reject(error)
    stop()
  }
  stops.push(listen(source, name, (...args) => {
    const next = waiting.shift()
    if (next === undefined) events.push(args)
    else next.resolve({ value: args, done: false })
  }))
  if (name !== 'error' && !(source instanceof EventTarget)) stops.push(listen(source, 'error', failed))
  for (const end of close) stops.push(listen(source, end, stop))
  if (signal !== undefined) stops.push(listen(signal, 'abort', () => failed(abortReason(signal))))

  return {
    next() {
      const value = events.shift()
      if (value !== undefined) return Promise.resolve({ value, done: false })
      if (failure !== undefined) {
        const { error } = failure
        failure = undefined
        return Promise.reject(error)
      }
      if (finished) return Promise.resolve({ value: undefined, done: true })
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
    return() {
      stop()
      return Promise.resolve({ value: undefined, done: true })
    },
    throw(error: unknown) {
      failed(error)
      return Promise.resolve({ value: undefined, done: true })
    },
    [Symbol.asyncIterator]() {
      return this
    }
  }
}

const targetLimits = new WeakMap<EventTarget, number>()
const Class = EventEmitter as unknown as { defaultMaxListeners: number }

function setMaxListeners(count = Class.defaultMaxListeners, ...sources: (EmitterLike | EventTarget)[]): void {
  if (sources.length === 0) Class.defaultMaxListeners = count
  for (const source of sources) {
    if (source instanceof EventTarget) targetLimits.set(source, count)
    else source.setMaxListeners(count)
  }
}

const getMaxListeners = (source: EmitterLike | EventTarget): number =>
  source instanceof EventTarget ? targetLimits.get(source) ?? Class.defaultMaxListeners : source.getMaxListeners()

const getEventListeners = (source: EmitterLike | EventTarget, name: PropertyKey): unknown[] =>
  source instanceof EventTarget ? listenersOf(source, String(name)) : source.listeners(name)

function addAbortListener(signal: Signal, listener: Listener): { [Symbol.dispose](): void } {
  if (signal.aborted) {
    void Promise.resolve().then(() => listener(new DOMException('', 'AbortError')))
    return { [Symbol.dispose]() {} }
  }
  signal.addEventListener('abort', listener, { once: true })
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', listener) }
}

const countListeners = (source: EmitterLike | EventTarget, name: PropertyKey): number => getEventListeners(source, name).length

Object.assign(EventEmitter, {
  EventEmitter, errorMonitor, once, on, setMaxListeners, getMaxListeners, getEventListeners, addAbortListener, listenerCount: countListeners, usingDomains: false
})
