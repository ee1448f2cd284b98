import { named, showMembers } from './globals/define.ts'
import { reflectApply, toText } from './primordials.ts'

/**
 * The EventTarget side of a socket, as that of ws (docs, "websocket.addEventListener"): a listener of the web is a listener
 * of the emitter that makes an Event of what it gets. Other types than the four have none.
 */
type Handler = ((event: SocketEvent) => unknown) | { handleEvent(event: SocketEvent): unknown } | null
type Wrapper = ((...args: never[]) => void) & { [HANDLER]?: unknown; [IS_ATTRIBUTE]?: boolean }

/** What is needed of the socket. */
interface Emitter {
  on(type: string, listener: Wrapper): unknown
  once(type: string, listener: Wrapper): unknown
  removeListener(type: string, listener: Wrapper): unknown
  listeners(type: string): unknown[]
}

/** On the wrapper: what was registered, and whether by `onmessage = …`. */
const HANDLER = Symbol('handler')
const IS_ATTRIBUTE = Symbol('is attribute')

class SocketEvent {
  readonly #type: string
  readonly #target: object
  constructor(type: string, target: object) {
    this.#type = type
    this.#target = target
  }
  get type(): string {
    return this.#type
  }
  get target(): object {
    return this.#target
  }
}

class MessageEvent extends SocketEvent {
  readonly #data: unknown
  constructor(target: object, data: unknown) {
    super('message', target)
    this.#data = data
  }
  get data(): unknown {
    return this.#data
  }
}

class CloseEvent extends SocketEvent {
  readonly #code: number
  readonly #reason: string
  constructor(target: object, code: number, reason: string) {
    super('close', target)
    this.#code = code
    this.#reason = reason
  }
  get code(): number {
    return this.#code
  }
  get reason(): string {
    return this.#reason
  }
  /** Both sent a close frame: else the code is 1006 (RFC 6455, 7.1.5). */
  get wasClean(): boolean {
    return this.#code !== 1006
  }
}

class ErrorEvent extends SocketEvent {
  readonly #error: unknown
  constructor(target: object, error: unknown) {
    super('error', target)
    this.#error = error
  }
  get error(): unknown {
    return this.#error
  }
  get message(): unknown {
    return (this.#error as Error).message
  }
}

describe(SocketEvent, ['target', 'type'], 'Event')
describe(MessageEvent, ['data'], 'MessageEvent')
describe(CloseEvent, ['code', 'reason', 'wasClean'], 'CloseEvent')
describe(ErrorEvent, ['error', 'message'], 'ErrorEvent')

function describe(event: { prototype: SocketEvent }, members: readonly string[], name: string): void {
  showMembers(event.prototype, members)
  // The bundler calls them something else.
  named(event as unknown as Function, name)
}

export function addListener(socket: Emitter, type: string, handler: unknown, options: { once?: boolean } | undefined): void {
  if (find(socket, type, (wrapper) => wrapper[HANDLER] === handler && !wrapper[IS_ATTRIBUTE]) !== null) return
  const wrapper = wrap(socket, type, handler as Handler, false)
  if (wrapper === null) return
  if (options?.once) socket.once(type, wrapper)
  else socket.on(type, wrapper)
}

export function removeListener(socket: Emitter, type: string, handler: unknown): void {
  const wrapper = find(socket, type, (one) => one[HANDLER] === handler && !one[IS_ATTRIBUTE])
  if (wrapper !== null) socket.removeListener(type, wrapper)
}

/** `onopen`, `onmessage`, `onclose` and `onerror`. */
export function attribute(socket: Emitter, type: string): unknown {
  return find(socket, type, isAttribute)?.[HANDLER] ?? null
}

export function setAttribute(socket: Emitter, type: string, handler: unknown): void {
  const before = find(socket, type, isAttribute)
  if (before !== null) socket.removeListener(type, before)
  if (typeof handler === 'function') socket.on(type, wrap(socket, type, handler as Handler, true)!)
}

function isAttribute(wrapper: Wrapper): boolean {
  return wrapper[IS_ATTRIBUTE] === true
}

function find(socket: Emitter, type: string, matches: (wrapper: Wrapper) => boolean): Wrapper | null {
  const listeners = socket.listeners(type) as Wrapper[]
  for (let i = 0; i < listeners.length; i++) {
    const listener = listeners[i]!
    if (listener[HANDLER] !== undefined && matches(listener)) return listener
  }
  return null
}

function wrap(socket: object, type: string, handler: Handler, isOne: boolean): Wrapper | null {
  const toEvent = makers(socket)[type]
  if (toEvent === undefined) return null
  const wrapper: Wrapper = (a: unknown, b: unknown) => call(handler, socket, toEvent(a, b))
  wrapper[HANDLER] = handler
  wrapper[IS_ATTRIBUTE] = isOne
  return wrapper
}

function makers(socket: object): Record<string, ((a: unknown, b: unknown) => SocketEvent) | undefined> {
  return {
    __proto__: null as never,
    message: (data, isBinary) => new MessageEvent(socket, isBinary ? data : toText(data)),
    close: (code, reason) => new CloseEvent(socket, code as number, toText(reason)),
    error: (error) => new ErrorEvent(socket, error),
    open: () => new SocketEvent('open', socket)
  }
}

function call(handler: Handler, socket: object, event: SocketEvent): void {
  if (typeof handler === 'function') reflectApply(handler, socket, [event])
  else handler!.handleEvent(event)
}
