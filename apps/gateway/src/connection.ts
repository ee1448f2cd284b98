import { WEBSOCKET_FUNCTION } from '@socklet/config'
import { FrameType, Flag, writeU16, type ErrorHead } from '@socklet/protocol'
import type { Socket } from 'node:net'
import type { App, EventDescription } from './app.ts'
import { deliver } from './delivery.ts'
import type { ClientSocket } from './websocket-server.ts'

/** What waits for one write is copied together up to here. */
const JOIN_BELOW = 64 * 1024
/** Smaller payloads are copied rather than kept with the chunk that they arrived in. */
const COPY_BELOW = 16 * 1024

/** More than this does not wait for the end of a read. */
const FLUSH_ABOVE = 1024 * 1024

const OPEN = 1

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
  /** JSON ConnectionHead, for OPEN and every ATTACH. */
  readonly head: Buffer
  readonly since = Date.now()
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
  /** Bits of Pause. */
  pauses = 0
  /** When the messages so far would all have been due, at the rate of the limit (see rate.ts). */
  dueAt = 0
  /** `bytesRead` of the socket at the last heartbeat, -1 before the first. */
  readAtBeat = -1
  /** What waits for the flush. */
  #frames: Uint8Array | Uint8Array[] | null = null
  #waitingBytes = 0

  constructor(app: App, number: number, id: string, ws: ClientSocket, socket: Socket, head: Buffer) {
    this.app = app
    this.number = number
    this.id = id
    this.ws = ws
    this.socket = socket
    this.head = head
  }

  // --- from the client ------------------------------------------------------------------------

  onMessage(data: Buffer, binary: boolean): void {
    if (this.deaf) return
    const { app } = this
    if (data.byteLength > app.limits.messageBytes) {
      // ws checks against the limit of the time of the upgrade, which may have been higher.
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

  onError(error: Error & { code?: string }): void {
    if (this.forgotten) return
    this.app.counters.events.error++
    const head: ErrorHead = { name: error.name, message: error.message, ...(error.code === undefined ? {} : { code: error.code }) }
    deliver(this.app, FrameType.ERROR, 0, this, Buffer.from(JSON.stringify(head)))
  }

  /** ws emits this once, after everything else. */
  onClose(code: number, reason: Buffer): void {
    this.closed = true
    this.app.open--
    this.app.gateway.heartbeat.delete(this)
    this.app.gateway.rates.delete(this)
    if (this.forgotten) return
    this.app.counters.events.close++
    const payload = Buffer.allocUnsafe(2 + reason.byteLength)
    writeU16(payload, 0, code)
    payload.set(reason, 2)
    deliver(this.app, FrameType.CLOSED, 0, this, payload)
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

  // --- to the client --------------------------------------------------------------------------

  /** Can still be sent to. */
  get isOpen(): boolean {
    return !this.closed && this.ws.readyState === OPEN
  }

  /** Takes a framed message; it leaves with the next flush. */
  send(frame: Uint8Array, messageBytes: number): void {
    this.messagesOut++
    this.bytesOut += messageBytes
    this.app.counters.messagesOut++
    this.app.counters.bytesOut += messageBytes
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
    if (frames === null || !this.isOpen) return
    if (Array.isArray(frames)) this.#writeMany(frames)
    // While the client does not keep up, the frame will wait: not in the large chunk that it came in.
    else this.socket.write(this.socket.writableLength > 0 && frames.byteLength < COPY_BELOW ? Buffer.from(frames) : frames)
    if (this.socket.writableLength > this.app.limits.sendBufferBytes) this.#closeSlow()
  }

  #writeMany(frames: Uint8Array[]): void {
    const bytes = frames.reduce((sum, frame) => sum + frame.byteLength, 0)
    if (bytes < JOIN_BELOW) {
      this.socket.write(Buffer.concat(frames, bytes))
      return
    }
    this.socket.cork()
    for (const frame of frames) this.socket.write(frame)
    this.socket.uncork()
  }

  // --- the end --------------------------------------------------------------------------------

  /** Closing handshake on the word of the app. What it sent before leaves before. */
  close(code: number | undefined, reason?: Buffer): void {
    if (this.closed) return
    this.flush()
    try {
      this.ws.close(code, reason)
    } catch {
      // A code or reason that no close frame can have: the guest refuses them, so this one did not come from it.
      this.ws.terminate()
    }
  }

  terminate(): void {
    if (this.closed) return
    this.flush()
    this.ws.terminate()
  }

  /** Closing handshake on the platform's own account. */
  closeByPlatform(code: number, reason: string): void {
    if (this.closed || this.deaf) return
    this.deaf = true
    this.flush()
    this.ws.close(code, reason)
    // The client's close frame has to be read.
    this.pauses = 0
    this.ws.resume()
  }

  #closeSlow(): void {
    if (this.deaf) return
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

/**
 * The payload, or a copy of it if it stands in a chunk of many times its size: an event may be kept for long,
 * and is counted with its own bytes only.
 */
function worthKeeping(data: Buffer): Buffer {
  return data.buffer.byteLength > 1024 + data.byteLength * 4 ? Buffer.from(data) : data
}
