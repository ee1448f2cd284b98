// oxlint-disable typescript/no-require-imports -- the bundler's, see globals/index.ts
import { EventEmitter } from 'events'
import { FrameType, Listen, type BinaryType } from '@socklet/protocol/frame'
import { TurnWord } from '../turn-layout.ts'
// Makes the emitter of the package as Node's is now, codes of errors included.
// oxlint-disable-next-line import/no-unassigned-import
import './globals/node/events.ts'
import { CLOSED, CLOSING, CONNECTING, OPEN, binaryTypeIndex, type Connection } from './connection.ts'
import { changeWord, command } from './outbox.ts'
import { NativeRangeError, NativeSet, NativeTypeError, bareObject, objectAssign, objectCreate, objectDefine, objectHasOwn, reflectApply, setAdd, setForEach, toText } from './primordials.ts'
import { checkRoom, joinRoom, leaveRoom, restoreRooms } from './rooms.ts'
import { EMPTY, isBlob, toBytes } from './socket-bytes.ts'
import { sendClose } from './socket-close.ts'
import { readData, writeData } from './socket-data.ts'
import { bufferedAmount, sendAfterClose, sendControl, sendMessage, sendPlain } from './socket-send.ts'
import type { Done } from './write-callbacks.ts'

interface SendOptions {
  binary?: boolean
  compress?: boolean
  fin?: boolean
  mask?: boolean
}

type Listener = (...args: any[]) => void

/** What sockets have as event targets of the web. */
const events = (): typeof import('./socket-events.ts') => require('./socket-events.ts') as typeof import('./socket-events.ts')

const eventNames = EventEmitter.prototype.eventNames as (this: WebSocket) => unknown[]
const listenerCount = EventEmitter.prototype.listenerCount as (this: WebSocket, type: string | symbol) => number

// A constructor that returns what it is given, as in message.ts.
const Given = function (target: object) {
  return target
} as unknown as new (target: object) => object

/**
 * What makes an object a socket: its connection, which no function can see, and what the emitter keeps on it. Not by the emitter's own
 * constructor: a function may have replaced what that calls.
 */
class SocketParts extends Given {
  readonly #connection: Connection
  _events = bareObject<unknown>()
  _eventsCount = 0
  _maxListeners = undefined

  constructor(target: object, connection: Connection) {
    super(target)
    this.#connection = connection
  }
  static connectionOf(socket: object): Connection {
    return (socket as SocketParts).#connection
  }
  static isSocket(value: unknown): value is WebSocket {
    return typeof value === 'object' && value !== null && #connection in value
  }
}

/** Functions and not methods, so that no tenant can call them. */
export const connectionOf: (socket: WebSocket) => Connection = SocketParts.connectionOf
export const isSocket: (value: unknown) => value is WebSocket = SocketParts.isSocket

export function socketOf(connection: Connection, rooms: string[] | undefined): WebSocket {
  const socket = new SocketParts(objectCreate(prototype), connection) as unknown as WebSocket
  if (rooms !== undefined) restoreRooms(socket, connection, rooms)
  return socket
}

/** Whether somebody listens. What the functions have made of the method of that name does not count. */
export function isListenedTo(socket: WebSocket, type: string | symbol): boolean {
  return reflectApply(listenerCount, socket, [type]) > 0
}

/** `new WebSocket(url)` of a tenant is a client, which there is not. */
function refuse(): void {
  throw new NativeTypeError('a function cannot open a WebSocket to somewhere else; clients connect to it')
}

/** `ctx.socket`: behaves as the server-side WebSocket of `ws` 8 (ws docs, "Class: WebSocket"). */
export class WebSocket extends EventEmitter {
  constructor() {
    refuse()
    super()
  }

  // --- what it is ---

  /** Unique for the life of the platform. */
  get id(): string {
    return connectionOf(this).id
  }
  get readyState(): number {
    return connectionOf(this).readyState
  }
  get protocol(): string {
    return connectionOf(this).protocol
  }
  get extensions(): string {
    return connectionOf(this).extensions
  }
  /** A server-side socket of `ws` has none. */
  get url(): undefined {
    return undefined
  }
  get bufferedAmount(): number {
    return bufferedAmount(connectionOf(this))
  }

  get binaryType(): BinaryType {
    return connectionOf(this).binaryType
  }
  // An unknown value is ignored, as in ws.
  set binaryType(value: BinaryType) {
    const connection = connectionOf(this)
    const index = binaryTypeIndex(value)
    if (index < 0 || value === connection.binaryType) return
    connection.binaryType = value
    // The next life of the app is told of it.
    if (connection.readyState !== CLOSED) command(FrameType.BINARY_TYPE, index, connection.gateway, connection.number, '')
  }

  // --- sending ---

  send(data: unknown, options?: SendOptions | Done | null, done?: Done): void {
    const connection = connectionOf(this)
    const given = typeof options === 'function' ? undefined : options
    const callback = typeof options === 'function' ? options : done
    const message = typeof data === 'number' ? `${data}` : data
    if (connection.readyState !== OPEN) {
      sendAfterClose(connection, message, callback)
      return
    }
    const text = typeof message === 'string'
    // As the options of ws are spread over its defaults: one that is there and undefined is false.
    const binary = given && objectHasOwn(given, 'binary') ? !!given.binary : !text
    const fin = given && objectHasOwn(given, 'fin') ? !!given.fin : true
    if (callback === undefined && fin && connection.fragments === null && connection.delayed === null && (text || !isBlob(message))) {
      sendPlain(connection, text ? message : toBytes(message || EMPTY), binary)
    } else {
      sendMessage(connection, message, { binary, fin }, callback)
    }
  }

  ping(data?: unknown, mask?: boolean | Done, done?: Done): void {
    control(this, FrameType.SEND_PING, data, mask, done)
  }
  pong(data?: unknown, mask?: boolean | Done, done?: Done): void {
    control(this, FrameType.SEND_PONG, data, mask, done)
  }

  /** @throws TypeError on a code that may not be sent, RangeError on a reason above 123 bytes (RFC 6455, 5.5 and 7.4). */
  close(code?: number, reason?: string | Uint8Array): void {
    const connection = connectionOf(this)
    if (connection.readyState !== OPEN) return
    sendClose(connection, code, reason)
    connection.readyState = CLOSING
  }

  terminate(): void {
    const connection = connectionOf(this)
    if (connection.readyState === CLOSED) return
    command(FrameType.TERMINATE, 0, connection.gateway, connection.number, '')
    connection.readyState = CLOSING
  }

  // --- reading ---

  get isPaused(): boolean {
    return connectionOf(this).paused
  }
  pause(): void {
    read(this, true)
  }
  resume(): void {
    read(this, false)
  }

  // --- beyond ws ---

  /** Any structured-cloneable value of 16 KiB at most; survives publishing, hibernation and crashes. */
  get data(): unknown {
    return readData(connectionOf(this))
  }
  set data(value: unknown) {
    writeData(connectionOf(this), value)
  }

  /** The rooms that it is in. A copy. */
  get rooms(): Set<string> {
    const copy: Set<string> = new NativeSet()
    const { rooms } = connectionOf(this)
    if (rooms !== null) setForEach(rooms, (room) => setAdd(copy, room))
    return copy
  }
  join(room: string): this {
    checkRoom(room)
    if (connectionOf(this).readyState !== CLOSED) joinRoom(this, connectionOf(this), room)
    return this
  }
  leave(room: string): this {
    checkRoom(room)
    leaveRoom(this, connectionOf(this), room)
    return this
  }

  // --- EventTarget ---

  addEventListener(type: string, handler: unknown, options?: { once?: boolean }): void {
    events().addListener(this, type, handler, options)
  }
  removeEventListener(type: string, handler: unknown): void {
    events().removeListener(this, type, handler)
  }

  // --- EventEmitter: the client's pings and pongs come only while somebody listens ---

  override on(type: string | symbol, listener: Listener): this {
    super.on(type, listener)
    listen(this, type)
    return this
  }
  override addListener(type: string | symbol, listener: Listener): this {
    super.addListener(type, listener)
    listen(this, type)
    return this
  }
  override prependListener(type: string | symbol, listener: Listener): this {
    super.prependListener(type, listener)
    listen(this, type)
    return this
  }
  override off(type: string | symbol, listener: Listener): this {
    super.off(type, listener)
    listen(this, type)
    return this
  }
  override removeListener(type: string | symbol, listener: Listener): this {
    super.removeListener(type, listener)
    listen(this, type)
    return this
  }
  override removeAllListeners(type?: string | symbol): this {
    if (type === undefined) super.removeAllListeners()
    else super.removeAllListeners(type)
    listen(this, 'ping')
    return this
  }

  // Newer in Node than in the package.
  override listenerCount(type: string | symbol, listener?: Listener): number {
    return reflectApply(listenerCount as (...args: unknown[]) => number, this, [type, listener])
  }
  override setMaxListeners(count: number): this {
    if (typeof count === 'number' && count >= 0) return super.setMaxListeners(count)
    throw objectAssign(new NativeRangeError(`The value of "setMaxListeners" is out of range. It must be >= 0. Received ${toText(count)}`), { code: 'ERR_OUT_OF_RANGE' })
  }
}

const { prototype } = WebSocket

// Functions and no private methods: the constructor that would give these to a socket is not run.
function control(socket: WebSocket, type: number, data: unknown, mask: boolean | Done | undefined, done: Done | undefined): void {
  const connection = connectionOf(socket)
  const callback = typeof data === 'function' ? (data as Done) : typeof mask === 'function' ? mask : done
  const given = typeof data === 'function' ? undefined : typeof data === 'number' ? `${data}` : data
  if (connection.readyState !== OPEN) sendAfterClose(connection, given, callback)
  else sendControl(connection, type, given || EMPTY, callback)
}

function read(socket: WebSocket, paused: boolean): void {
  const connection = connectionOf(socket)
  if (connection.readyState === CLOSED || connection.paused === paused) return
  connection.paused = paused
  command(paused ? FrameType.PAUSE : FrameType.RESUME, 0, connection.gateway, connection.number, '')
}

function listen(socket: WebSocket, type: string | symbol): void {
  tellListened(socket, connectionOf(socket))
  if (type === 'ping' || type === 'pong') tellListening(socket, connectionOf(socket))
}

/** Whoever listens to an open socket would be lost with the isolate, which the host has to know. */
export function tellListened(socket: WebSocket, connection: Connection): void {
  const listened = connection.readyState !== CLOSED && reflectApply(eventNames, socket, []).length > 0
  if (listened !== connection.listened) changeWord(TurnWord.HELD, listened ? 1 : -1)
  connection.listened = listened
}

/** Tells the gateway which of the client's control frames somebody listens to, if that has changed. */
export function tellListening(socket: WebSocket, connection: Connection, known = connection.listening): void {
  const wanted = (isListenedTo(socket, 'ping') ? Listen.PING : 0) | (isListenedTo(socket, 'pong') ? Listen.PONG : 0)
  connection.listening = wanted
  if (wanted !== known && connection.readyState !== CLOSED) command(FrameType.LISTEN, wanted, connection.gateway, connection.number, '')
}

// The bundler calls it something else.
objectDefine(WebSocket, 'name', { value: 'WebSocket', configurable: true })
for (const [name, value] of Object.entries({ CONNECTING, OPEN, CLOSING, CLOSED })) {
  objectDefine(WebSocket, name, { value, enumerable: true })
  objectDefine(WebSocket.prototype, name, { value, enumerable: true })
}
for (const name of ['binaryType', 'bufferedAmount', 'extensions', 'isPaused', 'protocol', 'readyState', 'url']) objectDefine(WebSocket.prototype, name, { enumerable: true })
for (const type of ['open', 'error', 'close', 'message']) {
  objectDefine(WebSocket.prototype, `on${type}`, {
    enumerable: true,
    configurable: true,
    get(this: WebSocket) {
      return events().attribute(this, type)
    },
    set(this: WebSocket, handler: unknown) {
      events().setAttribute(this, type, handler)
    }
  })
}
