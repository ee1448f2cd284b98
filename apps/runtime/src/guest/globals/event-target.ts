/** Event, CustomEvent and EventTarget (DOM Standard) without a tree: an event has its target and nobody above it. */
import { DOMException } from './dom-exception.ts'
import { invalidType, missingArgument, reportUncaught, webInterface } from './define.ts'
import { now } from './performance.ts'

interface EventOptions { bubbles?: boolean, cancelable?: boolean, composed?: boolean }

/** What dispatching changes in an event and nobody else may. */
interface EventState { target: EventTarget | null, current: EventTarget | null, dispatching: boolean, stopped: boolean, passive: boolean }

let stateOf: (event: Event) => EventState

export class Event {
  #type: string
  #options: EventOptions
  #canceled = false
  #stopped = false
  #time = now()
  #state: EventState = { target: null, current: null, dispatching: false, stopped: false, passive: false }

  static {
    stateOf = event => event.#state
  }

  constructor(type: unknown, options: EventOptions | null = {}) {
    if (arguments.length === 0) throw missingArgument('type')
    this.#type = String(type)
    const { bubbles, cancelable, composed } = options ?? {}
    this.#options = { bubbles: Boolean(bubbles), cancelable: Boolean(cancelable), composed: Boolean(composed) }
    Object.defineProperty(this, 'isTrusted', { get: untrusted, enumerable: true, configurable: false })
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

export let listenersOf: (target: EventTarget, type: string) => Callback[]

export class EventTarget {
  #listeners = new Map<string, Listener[]>()

  static {
    listenersOf = (target, type) => (target.#listeners.get(type) ?? []).map(listener => listener.callback)
  }

  addEventListener(type: unknown, callback: Callback | null, options?: boolean | ListenerOptions | null): void {
    if (arguments.length < 2) throw missingArgument('type', 'listener')
    const { capture = false, once = false, passive = false, signal } = typeof options === 'boolean' ? { capture: options } : options ?? {}
    if (callback === null || callback === undefined || signal?.aborted) return
    if (!isCallback(callback)) throw invalidType('listener', 'an instance of EventListener', callback)
    const name = String(type)
    const list = this.#listeners.get(name) ?? []
    if (list.some(listener => listener.callback === callback && listener.capture === Boolean(capture))) return
    // Copied, not changed: a dispatch that runs goes on over the list it began with.
    this.#listeners.set(name, [...list, { callback, capture: Boolean(capture), once: Boolean(once), passive: Boolean(passive), removed: false }])
    signal?.addEventListener('abort', () => this.removeEventListener(name, callback, { capture: Boolean(capture) }), { once: true })
  }

  removeEventListener(type: unknown, callback: Callback | null, options?: boolean | ListenerOptions | null): void {
    const name = String(type)
    const capture = Boolean(typeof options === 'boolean' ? options : options?.capture)
    this.#drop(name, listener => listener.callback === callback && listener.capture === capture)
  }

  dispatchEvent(event: Event): boolean {
    if (!(event instanceof Event)) throw invalidType('event', 'an instance of Event', event)
    const state = stateOf(event)
    if (state.dispatching) throw new DOMException('The event is already being dispatched', 'InvalidStateError')
    Object.assign(state, { target: this, current: this, dispatching: true, stopped: false })
    for (const listener of this.#listeners.get(event.type) ?? []) {
      if (state.stopped) break
      if (!listener.removed) this.#call(listener, event, state)
    }
    Object.assign(state, { current: null, dispatching: false, passive: false })
    return !event.defaultPrevented
  }

  #call(listener: Listener, event: Event, state: EventState): void {
    if (listener.once) this.#drop(event.type, other => other === listener)
    state.passive = listener.passive
    try {
      const { callback } = listener
      const result = typeof callback === 'function' ? Reflect.apply(callback, this, [event]) : callback.handleEvent(event)
      // Node reports what an async listener rejects with; here the rejection is its own report.
      void result
    } catch (error) {
      reportUncaught(error)
    }
  }

  #drop(name: string, which: (listener: Listener) => boolean): void {
    const list = this.#listeners.get(name)
    if (list === undefined) return
    const rest = list.filter(listener => {
      const gone = which(listener)
      if (gone) listener.removed = true
      return !gone
    })
    if (rest.length === 0) this.#listeners.delete(name)
    else this.#listeners.set(name, rest)
  }
}

/** `target.on<name> = fn`: one listener that keeps its place in the order (HTML Standard, "event handlers"). */
export function eventHandler(constructor: { prototype: EventTarget }, name: string): void {
  const handlers = new WeakMap<EventTarget, { handler: unknown }>()
  Object.defineProperty(constructor.prototype, `on${name}`, {
    enumerable: true,
    configurable: true,
    get(this: EventTarget) {
      return handlers.get(this)?.handler ?? null
    },
    set(this: EventTarget, value: unknown) {
      const handler = typeof value === 'function' ? value : null
      const held = handlers.get(this)
      if (held !== undefined) {
        held.handler = handler
        return
      }
      const fresh = { handler: handler as unknown }
      handlers.set(this, fresh)
      this.addEventListener(name, event => {
        if (typeof fresh.handler === 'function') return Reflect.apply(fresh.handler, this, [event])
      })
    }
  })
}

webInterface(Event, 'Event', [
  'type', 'target', 'currentTarget', 'srcElement', 'bubbles', 'cancelable', 'composed', 'defaultPrevented', 'timeStamp', 'eventPhase', 'returnValue',
  'cancelBubble', 'composedPath', 'preventDefault', 'stopPropagation', 'stopImmediatePropagation'
])
for (const name of ['NONE', 'CAPTURING_PHASE', 'AT_TARGET', 'BUBBLING_PHASE'] as const) {
  for (const target of [Event, Event.prototype]) Object.defineProperty(target, name, { value: Event[name], writable: false, enumerable: true, configurable: false })
}
webInterface(CustomEvent, 'CustomEvent', ['detail'])
webInterface(EventTarget, 'EventTarget', ['addEventListener', 'removeEventListener', 'dispatchEvent'])

const INSPECT = Symbol.for('nodejs.util.inspect.custom')
type Inspect = (value: unknown, options: object) => string
Object.defineProperty(Event.prototype, INSPECT, {
  configurable: true,
  writable: true,
  value(this: Event, depth: number, options: object, inspect: Inspect) {
    const { type, defaultPrevented, cancelable, timeStamp } = this
    const name = this.constructor.name
    return depth < 0 ? name : `${name} ${inspect({ type, defaultPrevented, cancelable, timeStamp }, { ...options, depth })}`
  }
})
Object.defineProperty(EventTarget.prototype, INSPECT, {
  configurable: true,
  writable: true,
  value(this: EventTarget, depth: number, options: object, inspect: Inspect) {
    const name = this.constructor.name
    return depth < 0 ? name : `${name} ${inspect({ ...this }, { ...options, depth })}`
  }
})
