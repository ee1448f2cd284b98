// oxlint-disable no-underscore-dangle -- so the emitter of the package calls what it keeps
// oxlint-disable typescript/no-require-imports -- the bundler's, see ../index.ts
/**
 * The emitter of Node's `events`: that of npm `events`, which is Node's of some years ago, and what came since, the monitor of errors. Sockets are such emitters; what else
 * the module has is in event-tools.ts.
 */
import Emitter from 'events/'
import { coded, define, invalidType, named } from '../define.ts'
import { filter, map, ordinary, push, removeAt } from '../../lists.ts'
import { NativeError, NativeRangeError, bareArray, bareObject, objectAssign, reflectApply, toText } from '../../primordials.ts'

export type Listener = (...args: any[]) => void
export interface EmitterLike {
  on(name: PropertyKey, listener: Listener): unknown
  once(name: PropertyKey, listener: Listener): unknown
  removeListener(name: PropertyKey, listener: Listener): unknown
  listenerCount(name: PropertyKey): number
  listeners(name: PropertyKey): Listener[]
  setMaxListeners(count: number): unknown
  getMaxListeners(): number
}

export const EventEmitter = Emitter as unknown as { new (): EmitterLike, prototype: EmitterLike & { emit(name: PropertyKey, ...args: unknown[]): boolean } }

// The bundler calls it something else.
named(EventEmitter, 'EventEmitter')
export const errorMonitor = Symbol.for('events.errorMonitor')

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
  const { inspect } = require('../inspect.ts') as typeof import('../inspect.ts')
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
