/** Event, CustomEvent and EventTarget (DOM Standard) without a tree: an event has its target and nobody above it. */
import { DOMException } from './dom-exception.ts'
import { inspectable, invalidType, missingArgument, reportUncaught, webInterface } from './define.ts'
import { now } from './performance.ts'
import { filter, map, ordinary, push } from '../lists.ts'
import { NativeMap, NativeWeakMap, mapDelete, mapGet, mapSet, objectDefine, reflectApply, toText, weakGet, weakSet } from '../primordials.ts'

interface EventOptions { bubbles?: boolean, cancelable?: boolean, composed?: boolean }

/** What dispatching changes in an event and nobody else may. */
interface EventState { target: EventTarget | null, current: EventTarget | null, dispatching: boolean, stopped: boolean, passive: boolean }

let stateOf: (event: Event) => EventState
let typeOf: (event: Event) => string
let isCanceled: (event: Event) => boolean
let isEvent: (value: unknown) => value is Event

export class Event {
  #type: string
  #options: EventOptions
  #canceled = false
  #stopped = false
  #time = now()
  #state: EventState = { target: null, current: null, dispatching: false, stopped: false, passive: false }

  static {
    stateOf = event => event.#state
    typeOf = event => event.#type
    isCanceled = event => event.#canceled
    isEvent = (value): value is Event => typeof value === 'object' && value !== null && #canceled in value
  }

  constructor(type: unknown, options: EventOptions | null = {}) {
    if (arguments.length === 0) throw missingArgument('type')
    this.#type = toText(type)
    const { bubbles, cancelable, composed } = options ?? {}
    this.#options = { bubbles: !!bubbles, cancelable: !!cancelable, composed: !!composed }
    objectDefine(this, 'isTrusted', UNTRUSTED)
  }

  get type(): string { return this.#type }
  get target(): EventTarget | null { return this.#state.target }
  get currentTarget(): EventTarget | null { return this.#state.current }
  get srcElement(): EventTarget | null { return this.#state.target }
  get bubbles(): boolean { return this.#options.bubbles! }
  get cancelable(): boolean { return this.#options.cancelable! }
  get composed(): boolean { return this.#options.composed! }
  get defaultPrevented(): boolean { return this.#canceled }
  get timeStamp(): number { return this.#time }
  get eventPhase(): number { return this.#state.dispatching ? Event.AT_TARGET : Event.NONE }
  get returnValue(): boolean { return !this.#canceled }
  get cancelBubble(): boolean { return this.#stopped }
  set cancelBubble(value: boolean) { if (value) this.#stopped = true }

  composedPath(): EventTarget[] { return this.#state.dispatching ? [this.#state.target!] : [] }
  preventDefault(): void { if (this.#options.cancelable && !this.#state.passive) this.#canceled = true }
  stopPropagation(): void { this.#stopped = true }
  stopImmediatePropagation(): void {
    this.#stopped = true
    this.#state.stopped = true
  }

  static readonly NONE = 0
  static readonly CAPTURING_PHASE = 1
  static readonly AT_TARGET = 2
  static readonly BUBBLING_PHASE = 3
}

/** One function for all events, as the platform has it. */
function untrusted(): boolean {
  return false
}
const UNTRUSTED = { __proto__: null, get: untrusted, enumerable: true, configurable: false } as PropertyDescriptor

export class CustomEvent extends Event {
  #detail: unknown
  constructor(type: unknown, options: (EventOptions & { detail?: unknown }) | null = {}) {
    if (arguments.length === 0) throw missingArgument('type')
    super(type, options)
    this.#detail = options?.detail ?? null
  }

  get detail(): unknown { return this.#detail }
}

type Callback = ((event: Event) => unknown) | { handleEvent(event: Event): unknown }
interface ListenerOptions { capture?: boolean, once?: boolean, passive?: boolean, signal?: EventTarget & { aborted: boolean } }
interface Listener { callback: Callback, capture: boolean, once: boolean, passive: boolean, removed: boolean }

const isCallback = (value: unknown): value is Callback => typeof value === 'function' || (typeof value === 'object' && value !== null)

export let isEventTarget: (value: unknown) => value is EventTarget
export let listenersOf: (target: EventTarget, type: string) => Callback[]
/** As the methods of their names, which a tenant may have replaced. */
export let addListener: (target: EventTarget, name: string, callback: Callback, options?: ListenerOptions) => void
export let removeListener: (target: EventTarget, name: string, callback: Callback | null, capture?: boolean) => void
export let dispatch: (target: EventTarget, event: Event) => boolean

/** Whether a signal is aborted: of ours, as abort.ts says. */
let isAborted = (signal: { aborted: boolean }): boolean => signal.aborted
export function setIsAborted(ask: typeof isAborted): void {
  isAborted = ask
}

export class EventTarget {
  #listeners = new NativeMap<string, Listener[]>()

  static {
    isEventTarget = (value): value is EventTarget => typeof value === 'object' && value !== null && #listeners in value
    listenersOf = (target, type) => ordinary(map(mapGet(target.#listeners, type) ?? [], listener => listener.callback))
    addListener = (target, name, callback, options) => target.#add(name, callback, options)
    removeListener = (target, name, callback, capture = false) => target.#drop(name, listener => listener.callback === callback && listener.capture === capture)
    dispatch = (target, event) => target.#dispatch(event)
  }

  addEventListener(type: unknown, callback: Callback | null, options?: boolean | ListenerOptions | null): void {
    if (arguments.length < 2) throw missingArgument('type', 'listener')
    const given: ListenerOptions = typeof options === 'boolean' ? { capture: options } : options ?? {}
    if (callback === null || callback === undefined) return
    if (!isCallback(callback)) throw invalidType('listener', 'an instance of EventListener', callback)
    this.#add(toText(type), callback, given)
  }

  removeEventListener(type: unknown, callback: Callback | null, options?: boolean | ListenerOptions | null): void {
    removeListener(this, toText(type), callback, !!(typeof options === 'boolean' ? options : options?.capture))
  }

  dispatchEvent(event: Event): boolean {
    return this.#dispatch(event)
  }

  #add(name: string, callback: Callback, options: ListenerOptions = {}): void {
    const { once, passive, signal } = options
    const capture = !!options.capture
    if (signal !== undefined && signal !== null && isAborted(signal)) return
    const list = mapGet(this.#listeners, name) ?? []
    for (let i = 0; i < list.length; i++) if (list[i]!.callback === callback && list[i]!.capture === capture) return
    // Copied, not changed: a dispatch that runs goes on over the list it began with.
    const longer = map(list, listener => listener)
    push(longer, { callback, capture, once: !!once, passive: !!passive, removed: false })
    mapSet(this.#listeners, name, longer)
    if (signal !== undefined && signal !== null) addListener(signal, 'abort', () => removeListener(this, name, callback, capture), { once: true })
  }

  #dispatch(event: Event): boolean {
    if (!isEvent(event)) throw invalidType('event', 'an instance of Event', event)
    const state = stateOf(event)
    if (state.dispatching) throw new DOMException('The event is already being dispatched', 'InvalidStateError')
    state.target = state.current = this
    state.dispatching = true
    state.stopped = false
    const list = mapGet(this.#listeners, typeOf(event)) ?? []
    for (let i = 0; i < list.length && !state.stopped; i++) {
      if (!list[i]!.removed) this.#call(list[i]!, event, state)
    }
    state.current = null
    state.dispatching = state.passive = false
    return !isCanceled(event)
  }

  #call(listener: Listener, event: Event, state: EventState): void {
    if (listener.once) this.#drop(typeOf(event), other => other === listener)
    state.passive = listener.passive
    try {
      const { callback } = listener
      // Node reports what an async listener rejects with; here the rejection is its own report.
      if (typeof callback === 'function') void reflectApply(callback, this, [event])
      else void callback.handleEvent(event)
    } catch (error) {
      reportUncaught(error)
    }
  }

  #drop(name: string, which: (listener: Listener) => boolean): void {
    const list = mapGet(this.#listeners, name)
    if (list === undefined) return
    const rest = filter(list, listener => {
      const gone = which(listener)
      if (gone) listener.removed = true
      return !gone
    })
    if (rest.length === 0) mapDelete(this.#listeners, name)
    else mapSet(this.#listeners, name, rest)
  }
}

/** `target.on<name> = fn`: one listener that keeps its place in the order (HTML Standard, "event handlers"). */
export function eventHandler(constructor: { prototype: EventTarget }, name: string): void {
  const handlers = new NativeWeakMap<EventTarget, { handler: unknown }>()
  objectDefine(constructor.prototype, `on${name}`, {
    __proto__: null,
    enumerable: true,
    configurable: true,
    get(this: EventTarget) {
      return weakGet(handlers, this)?.handler ?? null
    },
    set(this: EventTarget, value: unknown) {
      const handler = typeof value === 'function' ? value : null
      const held = weakGet(handlers, this)
      if (held !== undefined) {
        held.handler = handler
        return
      }
      const fresh = { handler: handler as unknown }
      weakSet(handlers, this, fresh)
      addListener(this, name, event => {
        if (typeof fresh.handler === 'function') return reflectApply(fresh.handler as () => unknown, this, [event] as never)
      })
    }
  } as PropertyDescriptor)
}

webInterface(Event, 'Event', [
  'type', 'target', 'currentTarget', 'srcElement', 'bubbles', 'cancelable', 'composed', 'defaultPrevented', 'timeStamp', 'eventPhase', 'returnValue',
  'cancelBubble', 'composedPath', 'preventDefault', 'stopPropagation', 'stopImmediatePropagation'
])
const PHASES = ['NONE', 'CAPTURING_PHASE', 'AT_TARGET', 'BUBBLING_PHASE'] as const
for (let i = 0; i < PHASES.length; i++) {
  const name = PHASES[i]!
  const constant = { __proto__: null, value: Event[name], writable: false, enumerable: true, configurable: false } as PropertyDescriptor
  objectDefine(Event, name, constant)
  objectDefine(Event.prototype, name, constant)
}
webInterface(CustomEvent, 'CustomEvent', ['detail'])
webInterface(EventTarget, 'EventTarget', ['addEventListener', 'removeEventListener', 'dispatchEvent'])

inspectable(Event, (event, depth, options, inspect) => {
  const { type, defaultPrevented, cancelable, timeStamp } = event
  const name = event.constructor.name
  return depth < 0 ? name : `${name} ${inspect({ type, defaultPrevented, cancelable, timeStamp }, { ...options, depth })}`
})
inspectable(EventTarget, (target, depth, options, inspect) => {
  const name = target.constructor.name
  return depth < 0 ? name : `${name} ${inspect({ ...target }, { ...options, depth })}`
})
