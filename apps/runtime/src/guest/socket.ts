import { EventEmitter } from 'events'
import { FrameType, writeU16 } from '@socklet/protocol/frame'
import { command, beginFrame, finishFrame, send } from './outbox.ts'
import {
  NativeArrayBuffer,
  NativeError,
  NativeRangeError,
  NativeTypeError,
  NativeUint8Array,
  arrayBufferByteLength,
  arrayBufferIsView,
  dataViewBuffer,
  dataViewByteLength,
  dataViewByteOffset,
  typedArrayBuffer,
  typedArrayByteLength,
  typedArrayByteOffset,
  typedArrayTag
} from './primordials.ts'
import { writeUtf8 } from './utf8.ts'

/** Where a connection is, and what is known of it: the part of a socket that the guest keeps to itself. */
export interface Connection {
  readonly gateway: number
  readonly number: number
  readonly id: string
  readonly url: string
  readonly headers: Record<string, string | string[] | undefined>
  readonly protocol: string
  readonly extensions: string
  /** First 24 characters of the requestIds of its events. */
  readonly requestPrefix: string
}

const CONNECTING = 0
const OPEN = 1
const CLOSING = 2
const CLOSED = 3

export type BinaryType = 'nodebuffer' | 'arraybuffer' | 'fragments'
const BINARY_TYPES: readonly string[] = ['nodebuffer', 'arraybuffer', 'fragments']

const EMPTY = new NativeUint8Array(0)
const MAX_REASON_BYTES = 123

interface SendOptions {
  binary?: boolean
  compress?: boolean
  fin?: boolean
}
type Done = (error?: Error) => void

/** Only who has this can make a socket: `new WebSocket(url)` of a tenant is a client, which there is not. */
const KEY = {}

/** State changes that come from the gateway. Functions and not methods, so that no tenant can call them. */
export let socketOf: (connection: Connection) => WebSocket
export let connectionOf: (socket: WebSocket) => Connection
export let setReadyState: (socket: WebSocket, state: 2 | 3) => void
export let binaryTypeOf: (socket: WebSocket) => BinaryType

/** `ctx.socket`: behaves as the server-side WebSocket of `ws` 8 (ws docs, "Class: WebSocket"). */
export class WebSocket extends EventEmitter {
  static readonly CONNECTING = CONNECTING
  static readonly OPEN = OPEN
  static readonly CLOSING = CLOSING
  static readonly CLOSED = CLOSED

  readonly #connection: Connection
  #readyState: 0 | 1 | 2 | 3 = OPEN
  #binaryType: BinaryType = 'nodebuffer'

  static {
    socketOf = (connection) => new WebSocket(KEY, connection)
    connectionOf = (socket) => socket.#connection
    setReadyState = (socket, state) => {
      socket.#readyState = state
    }
    binaryTypeOf = (socket) => socket.#binaryType
  }

  constructor(key: unknown, connection?: Connection) {
    if (key !== KEY || connection === undefined) throw new NativeTypeError('a function cannot open a WebSocket to somewhere else; clients connect to it')
    super()
    this.#connection = connection
  }

  /** Unique for the life of the platform. */
  get id(): string {
    return this.#connection.id
  }

  get readyState(): number {
    return this.#readyState
  }

  get protocol(): string {
    return this.#connection.protocol
  }

  get extensions(): string {
    return this.#connection.extensions
  }

  /** Of a server-side socket of `ws`: the empty string. */
  get url(): string {
    return ''
  }

  get binaryType(): BinaryType {
    return this.#binaryType
  }

  // An unknown value is ignored, as in ws.
  set binaryType(value: BinaryType) {
    if (BINARY_TYPES.includes(value)) this.#binaryType = value
  }

  send(data: unknown, options?: SendOptions | Done | null, done?: Done): void {
    const given = typeof options === 'function' ? undefined : options
    const callback = typeof options === 'function' ? options : done
    const message = typeof data === 'number' ? `${data}` : data
    if (this.#readyState !== OPEN) {
      sendAfterClose(this.#readyState, message, callback)
      return
    }
    const binary = given?.binary === undefined ? typeof message !== 'string' : Boolean(given.binary)
    send(this.#connection.gateway, this.#connection.number, typeof message === 'string' ? message : toBytes(message || EMPTY), binary)
    if (typeof callback === 'function') void later(callback)
  }

  /** @throws TypeError on a code that may not be sent, RangeError on a reason above 123 bytes (RFC 6455, 5.5 and 7.4). */
  close(code?: number, reason?: string | Uint8Array): void {
    if (this.#readyState === CLOSED || this.#readyState === CLOSING) return
    const { gateway, number } = this.#connection
    if (code === undefined) {
      command(FrameType.CLOSE, 0, gateway, number, '')
    } else {
      if (typeof code !== 'number' || !isValidCloseCode(code)) throw new NativeTypeError('First argument must be a valid error code number')
      writeClose(gateway, number, code, reason ?? '')
    }
    this.#readyState = CLOSING
  }

  terminate(): void {
    if (this.#readyState === CLOSED) return
    command(FrameType.TERMINATE, 0, this.#connection.gateway, this.#connection.number, '')
    this.#readyState = CLOSING
  }
}

for (const [name, value] of Object.entries({ CONNECTING, OPEN, CLOSING, CLOSED })) {
  Object.defineProperty(WebSocket.prototype, name, { value, enumerable: true })
}

async function later(callback: Done, error?: Error): Promise<void> {
  await undefined
  callback(error)
}

/** As `sendAfterClose` of ws: data that cannot be sent is a TypeError even now; else the callback gets the error. */
function sendAfterClose(state: number, data: unknown, callback: Done | undefined): void {
  if (data && typeof data !== 'string') toBytes(data)
  if (typeof callback === 'function') void later(callback, new NativeError(`WebSocket is not open: readyState ${state} (${['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'][state]})`))
}

/** The bytes of whatever `ws` takes as data: buffers and views as they are, else what `Buffer.from` makes of it. */
function toBytes(data: unknown): Uint8Array {
  if (typeof data === 'object' && data !== null) {
    if (arrayBufferIsView(data)) return viewBytes(data)
    if (isArrayBuffer(data)) return new NativeUint8Array(data)
  }
  return (globalThis as unknown as { Buffer: { from: (value: unknown) => Uint8Array } }).Buffer.from(data)
}

function viewBytes(view: ArrayBufferView): Uint8Array {
  const tag = typedArrayTag(view)
  if (tag === 'Uint8Array') return view as Uint8Array
  if (tag === undefined) return new NativeUint8Array(dataViewBuffer(view as DataView), dataViewByteOffset(view as DataView), dataViewByteLength(view as DataView))
  return new NativeUint8Array(typedArrayBuffer(view as Uint8Array), typedArrayByteOffset(view as Uint8Array), typedArrayByteLength(view as Uint8Array))
}

function isArrayBuffer(value: object): value is ArrayBuffer {
  try {
    return arrayBufferByteLength(value as ArrayBuffer) >= 0
  } catch {
    return false
  }
}

/** RFC 6455, 7.4.1 and 7.4.2, as `isValidStatusCode` of ws. */
function isValidCloseCode(code: number): boolean {
  return (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code <= 4999)
}

function writeClose(gateway: number, number: number, code: number, reason: string | Uint8Array): void {
  const bytes = typeof reason === 'string' ? encode(reason) : viewBytes(reason)
  const length = typedArrayByteLength(bytes)
  if (length > MAX_REASON_BYTES) throw new NativeRangeError('The message must not be greater than 123 bytes')
  const frame = beginFrame(2 + length)
  writeU16(frame.bytes, frame.offset, code)
  for (let i = 0; i < length; i++) frame.bytes[frame.offset + 2 + i] = bytes[i]!
  finishFrame(FrameType.CLOSE, 0, gateway, number, frame.offset + 2 + length)
}

function encode(text: string): Uint8Array {
  const bytes = new NativeUint8Array(new NativeArrayBuffer(text.length * 3))
  return new NativeUint8Array(typedArrayBuffer(bytes), 0, writeUtf8(bytes, 0, text))
}
