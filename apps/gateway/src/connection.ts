import { WEBSOCKET_FUNCTION } from '@socklet/config'
import { BINARY_TYPES, FrameType, Flag, Listen, withHead, writeU16, type BinaryType, type ConnectionHead, type ErrorHead } from '@socklet/protocol'
import type { Socket } from 'node:net'
import type { App, EventDescription } from './app.ts'
import { noteBacklog } from './backlog.ts'
import { CompressedWriter, type Written } from './compressed-writer.ts'
import { deliver } from './delivery.ts'
import { Pause } from './flow.ts'
import { HEARTBEAT } from './heartbeat.ts'
import { HeldWrites } from './held-writes.ts'
import { notify } from './notify.ts'
import { reached } from './reached.ts'
import { readSlowly } from './read-slowly.ts'
import { leaveAll } from './rooms.ts'
import { afterHeld } from './slow-clients.ts'
import { tellSent, whenWritten } from './tell.ts'
import type { ClientSocket } from './websocket-server.ts'
import { copyOf, joined, withoutRest } from './write-chunks.ts'

/** What waits for one write is copied together up to here. */
const JOIN_BELOW = 64 * 1024

/** More than this does not wait for the end of a read. */
const FLUSH_ABOVE = 1024 * 1024

const OPEN = 1

/** docs/counted-limits.md, `socketData`. */
const MAX_DATA_BYTES = 16 * 1024

/** `ctx.method` of the events, for logs. */
const EVENT_NAMES: Record<number, string> = {
  [FrameType.OPEN]: 'WebSocket:connection',
  [FrameType.MESSAGE]: 'WebSocket:message',
  [FrameType.CLOSED]: 'WebSocket:close',
  [FrameType.ERROR]: 'WebSocket:error'
}

/** One client. There may be very many: no timers and no closures of their own. */
export class Connection {
  readonly number: number
  /** `ctx.socket.id` */
  readonly id: string
  readonly app: App
  readonly ws: ClientSocket
  readonly socket: Socket
  /** JSON of the ConnectionHead as it was at first: a string, since a Buffer would take twice the memory and is seldom needed. */
  readonly #head: string
  readonly since = Date.now()
  /** Which one it is of all that this gateway has opened, from 1. */
  readonly ordinal: number
  messagesIn = 0
  messagesOut = 0
  bytesIn = 0
  bytesOut = 0
  /** The app has handled its connection event: a new isolate learns of it by ATTACH. */
  known = false
  /** The socket is gone. */
  closed = false
  /** The platform closes it: what the client still sends is nobody's. */
  deaf = false
  /** The app is gone: no event of it is worth keeping. */
  forgotten = false
  /** A ping was sent to which no pong has come. */
  awaitsPong = false
  /** Bits of Pause. */
  pauses = 0
  /** When the messages so far would all have been due, at the rate of the limit (see rate.ts). */
  dueAt = 0
  /** `bytesRead` of the socket at the last heartbeat, -1 before the first. */
  readAtBeat = -1
  /** `socket.data`, as the guest encodes it. */
  data: Uint8Array | null = null
  rooms: Set<string> | null = null
  /** What the app wants binary messages to be. */
  binaryType: BinaryType = BINARY_TYPES[0]
  /** The app has closed it, and knows it as closing. */
  closing = false
  /** Flags of Listen: which control frames the app wants to hear of. */
  listens = 0
  /** Bytes that the app was told wait for the client (see backlog.ts). */
  backlog = 0
  watched = false
  /** Writes that the system did not take, from the first one on. */
  held: HeldWrites | null = null
  /** Set if compression was negotiated. */
  readonly #compressed: CompressedWriter | null
  /** Numbers of the frames, of those that wait, of whose fate the app wants to hear. */
  #tells: number[] | null = null
  /** What waits for the flush. */
  #frames: Uint8Array | Uint8Array[] | null = null
  #waitingBytes = 0

  constructor(app: App, number: number, id: string, ws: ClientSocket, socket: Socket, head: ConnectionHead) {
    this.app = app
    this.number = number
    this.id = id
    this.ws = ws
    this.socket = socket
    this.ordinal = app.gateway.opened
    this.#head = JSON.stringify(head)
    this.#compressed = head.extensions === '' ? null : new CompressedWriter(ws, () => this.#countCompressed())
  }

  // --- from the client ------------------------------------------------------------------------

  onMessage(data: Buffer, binary: boolean): void {
    if (this.deaf) return
    const { app } = this
    if (data.byteLength > app.limits.messageBytes) {
      // ws checks against the limit of the time of the upgrade, which may have been higher.
      this.#tooLarge()
      this.closeByPlatform(1009, '')
      return
    }
    this.messagesIn++
    this.bytesIn += data.byteLength
    app.counters.events.message++
    app.counters.bytesIn += data.byteLength
    deliver(app, FrameType.MESSAGE, binary ? Flag.BINARY : 0, this, worthKeeping(data))
    app.gateway.rates.count(this, Date.now())
  }

  onPing(data: Buffer): void {
    this.#onControl(FrameType.PING, Listen.PING, data)
  }

  onPong(data: Buffer): void {
    this.awaitsPong = false
    // Answers to our own pings are none of the app's business.
    if (!data.equals(HEARTBEAT)) this.#onControl(FrameType.PONG, Listen.PONG, data)
  }

  onError(error: Error & { code?: string }): void {
    readSlowly(this.socket)
    if (this.forgotten) return
    this.app.counters.events.error++
    if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') this.#tooLarge()
    const head: ErrorHead = { name: error.name, message: error.message, ...(error.code === undefined ? {} : { code: error.code }) }
    deliver(this.app, FrameType.ERROR, 0, this, Buffer.from(JSON.stringify(head)))
  }

  #tooLarge(): void {
    reached(this.app, 'messageBytes', `${this.id} was closed with 1009: it sent more than ${this.app.limits.messageBytes} bytes in one message`)
  }

  /** ws emits this once, after everything else. */
  onClose(code: number, reason: Buffer): void {
    this.closed = true
    this.app.open--
    this.app.gateway.heartbeat.delete(this)
    this.app.gateway.rates.delete(this)
    this.held?.clear()
    leaveAll(this)
    if (this.forgotten) return
    this.app.counters.events.close++
    const payload = Buffer.allocUnsafe(2 + reason.byteLength)
    writeU16(payload, 0, code)
    payload.set(reason, 2)
    deliver(this.app, FrameType.CLOSED, 0, this, payload)
  }

  /** A control frame is as much work as a message, and counts as one, if it is heard or not. */
  #onControl(type: number, listen: number, data: Buffer): void {
    if (this.deaf) return
    if ((this.listens & listen) !== 0) notify(this.app, type, this, data)
    this.app.gateway.rates.count(this, Date.now())
  }

  // --- from the app ---------------------------------------------------------------------------

  onEventSettled(type: number): void {
    if (type === FrameType.OPEN) this.known = true
    if (type !== FrameType.CLOSED) return
    this.app.connections.delete(this.number)
    this.app.gateway.numbers.free(this.number)
  }

  describe(type: number): EventDescription {
    return { name: `${EVENT_NAMES[type]} of connection ${this.id}`, functionName: WEBSOCKET_FUNCTION, requestId: '', connection: this.id }
  }

  /** false if it is too large. */
  setData(data: Uint8Array): boolean {
    if (data.byteLength > MAX_DATA_BYTES) return false
    this.data = data.byteLength === 0 ? null : copyOf(data)
    return true
  }

  /** Payload of OPEN: all that its handler is told, and what an earlier try of it has left. */
  opening(): Uint8Array {
    return this.#withState(this.#head)
  }

  /** Payload of ATTACH: all that a new life of the app has to know of it. */
  attaching(): Uint8Array {
    const { protocol } = this.ws
    const extensions = this.#compressed === null ? '' : this.ws.extensions
    // An AttachHead. Of 10,000 of them JSON.stringify and the extensions, which ws puts together anew each time, would be half of the work.
    return this.#withState(`{"id":"${this.id}","protocol":${textOf(protocol)},"extensions":${textOf(extensions)}}`)
  }

  #withState(headText: string): Uint8Array {
    const { rooms, data, binaryType, closing } = this
    const paused = (this.pauses & Pause.APP) !== 0
    const isUsual = binaryType === BINARY_TYPES[0]
    if (rooms === null && data === null && !paused && isUsual && !closing) return withHead(headText)
    const state = { ...(rooms === null ? {} : { rooms: [...rooms] }), ...(paused ? { paused } : {}), ...(isUsual ? {} : { binaryType }), ...(closing ? { closing } : {}) }
    const more = JSON.stringify(state).slice(1)
    return withHead(more === '}' ? headText : `${headText.slice(0, -1)},${more}`, data ?? undefined)
  }

  /** As it was when the connection was opened. */
  head(): ConnectionHead {
    return JSON.parse(this.#head) as ConnectionHead
  }

  // --- to the client --------------------------------------------------------------------------

  /** Can still be sent to. */
  get isOpen(): boolean {
    return !this.closed && this.ws.readyState === OPEN
  }

  /** Bytes that wait for the client to read them. */
  get buffered(): number {
    return this.#compressed === null ? this.socket.writableLength : this.#compressed.bytes
  }

  /** The app wants to hear what becomes of the next frame, by this number. */
  tell(sequence: number): void {
    if (this.#tells === null) this.#tells = [sequence]
    else this.#tells.push(sequence)
  }

  /** Takes a framed message; it leaves with the next flush. */
  send(frame: Uint8Array, messageBytes: number): void {
    this.messagesOut++
    this.bytesOut += messageBytes
    this.app.counters.messagesOut++
    this.app.counters.bytesOut += messageBytes
    this.sendFrame(frame)
  }

  /** Takes any frame. */
  sendFrame(frame: Uint8Array): void {
    this.#waitingBytes += frame.byteLength
    if (this.#frames === null) {
      this.#frames = frame
      this.app.gateway.touched.push(this)
    } else if (Array.isArray(this.#frames)) this.#frames.push(frame)
    else this.#frames = [this.#frames, frame]
    // One small command can name the same receiver a million times.
    if (this.#waitingBytes > FLUSH_ABOVE) this.flush()
  }

  /** Writes what waits: one write, whatever the number of messages. */
  flush(): void {
    const frames = this.#frames
    this.#frames = null
    this.#waitingBytes = 0
    if (frames === null) return
    const tells = this.#tells
    this.#tells = null
    if (!this.isOpen) {
      if (tells !== null) tellSent(this.app, this.number, tells, true)
      return
    }
    const written = tells === null ? undefined : whenWritten(this.app, this.number, tells)
    if (this.#compressed !== null) this.#compress(frames, written)
    else this.#write(frames, written)
    if (this.socket.writableLength > 0) noteBacklog(this)
    if (this.held === null || this.deaf) return
    if (this.buffered > this.app.limits.sendBufferBytes) {
      reached(this.app, 'sendBufferBytes', `${this.id} was closed with 1013: more than ${this.app.limits.sendBufferBytes} bytes wait for it`)
      this.closeSlow()
    }
    afterHeld(this.app)
  }

  /** What the system does not take at once is counted until it has left. For clients that keep up, nothing is. */
  #write(frames: Uint8Array | Uint8Array[], written?: Written): void {
    const busy = this.socket.writableLength > 0
    const chunks = Array.isArray(frames) ? this.#chunksOf(frames, busy) : busy ? withoutRest(frames) : frames
    const done = busy ? this.#hold(chunks, written) : written
    if (Array.isArray(chunks)) this.#writeMany(chunks, done)
    else this.socket.write(chunks, done)
    if (!busy && this.socket.writableLength > 0) this.socket.write('', this.#hold(chunks))
  }

  #chunksOf(frames: Uint8Array[], busy: boolean): Uint8Array | Uint8Array[] {
    const bytes = frames.reduce((sum, frame) => sum + frame.byteLength, 0)
    if (bytes >= JOIN_BELOW) return busy ? frames.map(withoutRest) : frames
    return busy ? joined(frames, bytes) : Buffer.concat(frames, bytes)
  }

  #hold(chunks: Uint8Array | Uint8Array[], written?: Written): Written {
    return (this.held ??= new HeldWrites(this.app.sendMemory)).hold(chunks, written)
  }

  #writeMany(frames: Uint8Array[], written?: Written): void {
    this.socket.cork()
    for (const [index, frame] of frames.entries()) this.socket.write(frame, index === frames.length - 1 ? written : undefined)
    this.socket.uncork()
  }

  #compress(frames: Uint8Array | Uint8Array[], written?: Written): void {
    const all = Array.isArray(frames) ? frames : [frames]
    for (const [index, frame] of all.entries()) this.#compressed!.write(frame, index === all.length - 1 ? written : undefined)
    this.#countCompressed()
  }

  #countCompressed(): void {
    const { bytes } = this.#compressed!
    if (bytes > 0) this.held ??= new HeldWrites(this.app.sendMemory)
    this.held?.set(this.closed ? 0 : bytes)
  }

  // --- the end --------------------------------------------------------------------------------

  /** Closing handshake on the word of the app. What it sent before leaves before. */
  close(code: number | undefined, reason?: Buffer): void {
    if (this.closed) return
    this.closing = true
    this.flush()
    try {
      this.ws.close(code, reason)
    } catch {
      // A code or reason that no close frame can have: the guest refuses them, so this one did not come from it.
      this.ws.terminate()
    }
  }

  terminateByApp(): void {
    this.closing = true
    this.terminate()
  }

  terminate(): void {
    if (this.closed) return
    this.flush()
    this.ws.terminate()
    this.held?.clear()
  }

  /** Closing handshake on the platform's own account. */
  closeByPlatform(code: number, reason: string): void {
    if (this.closed || this.deaf) return
    this.deaf = true
    this.flush()
    this.ws.close(code, reason)
    this.held?.leave(this.buffered)
    // The client's close frame has to be read.
    this.pauses = 0
    readSlowly(this.socket)
    this.ws.resume()
  }

  /** Ends a client for which too much waits. */
  closeSlow(): void {
    if (this.deaf || !this.isOpen) {
      this.terminate()
      return
    }
    this.closeByPlatform(1013, 'the client reads too slowly')
    setTimeout(() => this.terminate(), this.app.gateway.times.slowClose).unref()
  }

  // --- reading --------------------------------------------------------------------------------

  pause(why: number): void {
    if (this.deaf || this.closed) return
    if (this.pauses === 0) this.ws.pause()
    this.pauses |= why
  }

  resume(why: number): void {
    if ((this.pauses & why) === 0) return
    this.pauses &= ~why
    if (this.pauses === 0) this.ws.resume()
  }
}

function textOf(text: string): string {
  return text === '' ? '""' : JSON.stringify(text)
}

/**
 * The payload, or a copy of it if it stands in a chunk of many times its size: an event may be kept for long,
 * and is counted with its own bytes only.
 */
function worthKeeping(data: Buffer): Buffer {
  return data.buffer.byteLength > 1024 + data.byteLength * 4 ? Buffer.from(data) : data
}
