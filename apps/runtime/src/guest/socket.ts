import { EventEmitter } from 'events'
import { FrameType, Listen } from '@socklet/protocol/frame'
import { TurnWord } from '../turn-layout.ts'
// Makes the emitter of the package as Node's is now, codes of errors included.
// oxlint-disable-next-line import/no-unassigned-import
import './globals/node/events.ts'
import { CLOSED, CLOSING, CONNECTING, OPEN, type BinaryType, type Connection } from './connection.ts'
import { changeWord, command } from './outbox.ts'
import { NativeRangeError, NativeSet, NativeTypeError, objectAssign, objectDefine, objectHasOwn, reflectApply, setAdd, setForEach, toText } from './primordials.ts'
import { checkRoom, joinRoom, leaveRoom, restoreRooms } from './rooms.ts'
import { EMPTY, isBlob, toBytes } from './socket-bytes.ts'
import { sendClose } from './socket-close.ts'
import { readData, writeData } from './socket-data.ts'
import { addListener, defineAttributes, removeListener } from './socket-events.ts'
import { bufferedAmount, sendAfterClose, sendControl, sendMessage, sendPlain } from './socket-send.ts'
import type { Done } from './write-callbacks.ts'

interface SendOptions {
  binary?: boolean
  compress?: boolean
  fin?: boolean
  mask?: boolean
}

type Listener = (...args: any[]) => void

/** Only who has this can make a socket: `new WebSocket(url)` of a tenant is a client, which there is not. */
const KEY = {}

/** Functions and not methods, so that no tenant can call them. */
export let socketOf: (connection: Connection, rooms: string[] | undefined) => WebSocket
export let connectionOf: (socket: WebSocket) => Connection
export let isSocket: (value: unknown) => value is WebSocket

const eventNames = EventEmitter.prototype.eventNames as (this: WebSocket) => unknown[]
const listenerCount = EventEmitter.prototype.listenerCount as (this: WebSocket, type: string) => number

/** `ctx.socket`: behaves as the server-side WebSocket of `ws` 8 (ws docs, "Class: WebSocket"). */
export class WebSocket extends EventEmitter {
  readonly #connection: Connection

  static {
    socketOf = (connection, rooms) => {
      const socket = new WebSocket(KEY, connection)
      if (rooms !== undefined) restoreRooms(socket, connection, rooms)
      return socket
    }
    connectionOf = (socket) => socket.#connection
    isSocket = (value): value is WebSocket => typeof value === 'object' && value !== null && #connection in value
  }

  constructor(key: unknown, connection?: Connection) {
    if (key !== KEY || connection === undefined) throw new NativeTypeError('a function cannot open a WebSocket to somewhere else; clients connect to it')
    super()
    this.#connection = connection
  }

  // --- what it is ---

  /** Unique for the life of the platform. */
  get id(): string {
    return this.#connection.id
  }
  get readyState(): number {
    return this.#connection.readyState
  }
  get protocol(): string {
    return this.#connection.protocol
  }
  get extensions(): string {
    return this.#connection.extensions
  }
  /** A server-side socket of `ws` has none. */
  get url(): undefined {
    return undefined
  }
  get bufferedAmount(): number {
    return bufferedAmount(this.#connection)
  }

  get binaryType(): BinaryType {
    return this.#connection.binaryType
  }
  // An unknown value is ignored, as in ws, which knows `blob` where there are Blobs.
  set binaryType(value: BinaryType) {
    if (value === 'nodebuffer' || value === 'arraybuffer' || value === 'fragments') this.#connection.binaryType = value
    else if (value === 'blob' && (globalThis as { Blob?: unknown }).Blob !== undefined) this.#connection.binaryType = value
  }

  // --- sending ---

  send(data: unknown, options?: SendOptions | Done | null, done?: Done): void {
    const connection = this.#connection
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
    this.#control(FrameType.SEND_PING, data, mask, done)
  }
  pong(data?: unknown, mask?: boolean | Done, done?: Done): void {
    this.#control(FrameType.SEND_PONG, data, mask, done)
  }

  #control(type: number, data: unknown, mask: boolean | Done | undefined, done: Done | undefined): void {
    const connection = this.#connection
    const callback = typeof data === 'function' ? (data as Done) : typeof mask === 'function' ? mask : done
    const given = typeof data === 'function' ? undefined : typeof data === 'number' ? `${data}` : data
    if (connection.readyState !== OPEN) sendAfterClose(connection, given, callback)
    else sendControl(connection, type, given || EMPTY, callback)
  }

  /** @throws TypeError on a code that may not be sent, RangeError on a reason above 123 bytes (RFC 6455, 5.5 and 7.4). */
  close(code?: number, reason?: string | Uint8Array): void {
    const connection = this.#connection
    if (connection.readyState !== OPEN) return
    sendClose(connection, code, reason)
    connection.readyState = CLOSING
  }

  terminate(): void {
    const connection = this.#connection
    if (connection.readyState === CLOSED) return
    command(FrameType.TERMINATE, 0, connection.gateway, connection.number, '')
    connection.readyState = CLOSING
  }

  // --- reading ---

  get isPaused(): boolean {
    return this.#connection.paused
  }
  pause(): void {
    this.#read(true)
  }
  resume(): void {
    this.#read(false)
  }

  #read(paused: boolean): void {
    const connection = this.#connection
    if (connection.readyState === CLOSED || connection.paused === paused) return
    connection.paused = paused
    command(paused ? FrameType.PAUSE : FrameType.RESUME, 0, connection.gateway, connection.number, '')
  }

  // --- beyond ws ---

  /** Any structured-cloneable value of 16 KiB at most; survives publishing, hibernation and crashes. */
  get data(): unknown {
    return readData(this.#connection)
  }
  set data(value: unknown) {
    writeData(this.#connection, value)
  }

  /** The rooms that it is in. A copy. */
  get rooms(): Set<string> {
    const copy: Set<string> = new NativeSet()
    const { rooms } = this.#connection
    if (rooms !== null) setForEach(rooms, (room) => setAdd(copy, room))
    return copy
  }
  join(room: string): this {
    checkRoom(room)
    if (this.#connection.readyState !== CLOSED) joinRoom(this, this.#connection, room)
    return this
  }
  leave(room: string): this {
    checkRoom(room)
    leaveRoom(this, this.#connection, room)
    return this
  }

  // --- EventTarget ---

  addEventListener(type: string, handler: unknown, options?: { once?: boolean }): void {
    addListener(this, type, handler, options)
  }
  removeEventListener(type: string, handler: unknown): void {
    removeListener(this, type, handler)
  }

  // --- EventEmitter: the client's pings and pongs come only while somebody listens ---

  override on(type: string | symbol, listener: Listener): this {
    super.on(type, listener)
    return this.#listen(type)
  }
  override addListener(type: string | symbol, listener: Listener): this {
    super.addListener(type, listener)
    return this.#listen(type)
  }
  override prependListener(type: string | symbol, listener: Listener): this {
    super.prependListener(type, listener)
    return this.#listen(type)
  }
  override off(type: string | symbol, listener: Listener): this {
    super.off(type, listener)
    return this.#listen(type)
  }
  override removeListener(type: string | symbol, listener: Listener): this {
    super.removeListener(type, listener)
    return this.#listen(type)
  }
  override removeAllListeners(type?: string | symbol): this {
    if (type === undefined) super.removeAllListeners()
    else super.removeAllListeners(type)
    return this.#listen('ping')
  }

  // Newer in Node than in the package.
  override listenerCount(type: string | symbol, listener?: Listener): number {
    if (listener === undefined) return super.listenerCount(type)
    const listeners = this.listeners(type)
    let found = 0
    for (let i = 0; i < listeners.length; i++) if (listeners[i] === listener) found++
    return found
  }
  override setMaxListeners(count: number): this {
    if (typeof count === 'number' && count >= 0) return super.setMaxListeners(count)
    throw objectAssign(new NativeRangeError(`The value of "setMaxListeners" is out of range. It must be >= 0. Received ${toText(count)}`), { code: 'ERR_OUT_OF_RANGE' })
  }

  #listen(type: string | symbol): this {
    tellListened(this, this.#connection)
    if (type === 'ping' || type === 'pong') tellListening(this, this.#connection)
    return this
  }
}

/** Whoever listens to an open socket would be lost with the isolate, which the host has to know. */
export function tellListened(socket: WebSocket, connection: Connection): void {
  const listened = connection.readyState !== CLOSED && reflectApply(eventNames, socket, []).length > 0
  if (listened !== connection.listened) changeWord(TurnWord.HELD, listened ? 1 : -1)
  connection.listened = listened
}

/** Tells the gateway which of the client's control frames somebody listens to, if that has changed. */
export function tellListening(socket: WebSocket, connection: Connection, known = connection.listening): void {
  const wanted = (reflectApply(listenerCount, socket, ['ping']) > 0 ? Listen.PING : 0) | (reflectApply(listenerCount, socket, ['pong']) > 0 ? Listen.PONG : 0)
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
defineAttributes(WebSocket.prototype)
