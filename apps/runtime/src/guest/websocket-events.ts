// oxlint-disable typescript/no-require-imports -- the bundler's, see globals/index.ts
import { BINARY_TYPES, Flag, FrameType, readU16, readU32 } from '@socklet/protocol/frame'
import type { AttachHead } from '@socklet/protocol'
import { CLOSED, CLOSING, OPEN, type Connection, type Known } from './connection.ts'
import { setCurrent, type Running } from './current.ts'
import { readError, requestPrefix, twelveHex } from './event-details.ts'
import { readAttachHead, readConnectionHead } from './heads.ts'
import { readHead, readText, type EventFrame, type Mailbox } from './mailbox.ts'
import { messageBuffer, type TextSource } from './message.ts'
import { handlerOf, type LoadedFunction } from './modules.ts'
import { acknowledge } from './outbox.ts'
import type { DispatcherParts } from './parts.ts'
import { NativeMap, NativeUint8Array, arrayBufferSlice, bareArray, mapDelete, mapGet, mapSet } from './primordials.ts'
import { leaveAllRooms } from './rooms.ts'
import { connectionOf, tellListened, tellListening, type WebSocket } from './socket.ts'
import { listenersOf, tellListeners } from './socket-listeners.ts'
import { forgetUnsent } from './socket-send.ts'
import { addSocket, openSocket, removeSocket } from './sockets.ts'
import { failed, type Task, type TaskList } from './tasks.ts'
import { failCallbacks, settleCallback } from './write-callbacks.ts'

export const WEBSOCKET = '__websocket__'

/** What a function is called with, and what the socket's own listeners get after it. */
interface Described {
  method: string
  params: unknown
  url: string | undefined
  headers: unknown
  emit: [string, ...unknown[]] | null
}

/** Events of connections: calls of `__websocket__`, then of the socket's listeners. */
export class WebSocketEvents {
  readonly #parts: DispatcherParts
  readonly #handlers: TaskList
  /** By gateway, then by the connection's number there. */
  readonly #connections = bareArray<Map<number, WebSocket>>()

  constructor(parts: DispatcherParts, handlers: TaskList) {
    this.#parts = parts
    this.#handlers = handlers
  }

  /** A connection that is new to this isolate. */
  attach(mailbox: Mailbox, frame: EventFrame): void {
    const { text, end } = readHead(mailbox, frame)
    this.#open(mailbox, frame, readAttachHead(text), end)
  }

  /** `end`: where its head ends. */
  #open(mailbox: Mailbox, frame: EventFrame, { id, protocol, extensions, rooms, paused, binaryType, closing }: AttachHead, end: number): WebSocket {
    const dataBytes = end < frame.end ? new NativeUint8Array(arrayBufferSlice(mailbox.buffer, end, frame.end)) : null
    const known: Known = {
      gateway: frame.gateway,
      number: frame.connection,
      id,
      protocol,
      extensions,
      readyState: closing === true ? CLOSING : OPEN,
      binaryType: binaryType ?? BINARY_TYPES[0],
      paused: paused === true,
      dataBytes
    }
    const socket = openSocket(this.#parts.sockets, known, rooms)
    mapSet(this.#socketsOf(frame.gateway), frame.connection, socket)
    addSocket(this.#parts.sockets, socket)
    return socket
  }

  event(mailbox: Mailbox, frame: EventFrame): Task | null {
    const opened = frame.type === FrameType.OPEN ? this.#onOpen(mailbox, frame) : null
    const socket = opened === null ? mapGet(this.#socketsOf(frame.gateway), frame.connection) : opened.socket
    const loaded = this.#parts.program().functions[WEBSOCKET]
    if (socket === undefined || loaded === undefined) {
      acknowledge(frame.gateway, frame.sequence)
      return null
    }
    const connection = connectionOf(socket)
    if (connection.requestPrefix === '') connection.requestPrefix = requestPrefix(connection.id)
    const requestId = connection.requestPrefix + twelveHex(frame.sequence)
    const running: Running = { function: WEBSOCKET, version: loaded.version, requestId, connection: connection.id }
    setCurrent(running)
    const event = opened === null ? this.#describe(mailbox, frame, socket, connection) : opened.event
    const ctx: Record<string, unknown> = {
      params: event.params,
      method: event.method,
      requestId,
      socket,
      __function_name: WEBSOCKET,
      url: event.url,
      headers: event.headers
    }
    if ((frame.flags & Flag.REDELIVERED) !== 0) ctx['redelivered'] = true
    // As if `main` were the first of the listeners: those that it adds or takes away are others from the next event on.
    const listeners = event.emit === null ? null : listenersOf(socket, event.emit[0])
    const task = this.#call(frame, loaded, running, ctx, connection)
    if (listeners !== null) tellListeners(socket, listeners, event.emit!)
    return task
  }

  /** What the function is not called for, and the gateway does not wait for. */
  notice(mailbox: Mailbox, frame: EventFrame): void {
    const socket = mapGet(this.#socketsOf(frame.gateway), frame.connection)
    if (socket === undefined) return
    const connection = connectionOf(socket)
    if (frame.type === FrameType.BUFFERED) {
      if (frame.end - frame.start >= 4) connection.buffered = readU32(mailbox.bytes, frame.start)
      return
    }
    setCurrent({ function: WEBSOCKET, version: this.#parts.program().functions[WEBSOCKET]?.version ?? 0, requestId: '', connection: connection.id })
    if (frame.type === FrameType.SENT) {
      for (let at = frame.start; at + 4 <= frame.end; at += 4) settleCallback(connection, readU32(mailbox.bytes, at), (frame.flags & Flag.FAILED) !== 0)
      return
    }
    const type = frame.type === FrameType.PING ? 'ping' : 'pong'
    const listeners = listenersOf(socket, type)
    if (listeners !== null) tellListeners(socket, listeners, [type, messageBuffer(mailbox.buffer, frame.start, frame.end - frame.start, null)])
    // The isolate that asked for them is gone, and its listeners with it.
    else tellListening(socket, connection, -1)
  }

  #onOpen(mailbox: Mailbox, frame: EventFrame): { socket: WebSocket; event: Described } {
    const { text, end } = readHead(mailbox, frame)
    const head = readConnectionHead(text)
    const event = { method: 'WebSocket:connection', params: null, url: head.url, headers: head.headers, emit: null }
    return { socket: this.#open(mailbox, frame, head, end), event }
  }

  #socketsOf(gateway: number): Map<number, WebSocket> {
    return (this.#connections[gateway] ??= new NativeMap())
  }

  /** Calls the handler. Returns its task if it goes on after this, else null: then the event is settled. */
  #call(frame: EventFrame, loaded: LoadedFunction, running: Running, ctx: object, connection: Connection): Task | null {
    let result: unknown
    try {
      const main = handlerOf(this.#parts.program(), loaded, this.#parts.platform)
      result = main(ctx)
    } catch (error) {
      failed(error)
      result = undefined
    }
    if (typeof result !== 'object' || result === null) {
      acknowledge(frame.gateway, frame.sequence)
      return null
    }
    const task = this.#handlers.begin(frame, running, null, connection)
    void this.#finish(task, result)
    return task
  }

  async #finish(task: Task, result: object): Promise<void> {
    try {
      await result
    } catch (error) {
      if (!task.settled) failed(error)
    }
    this.#handlers.settle(task)
  }

  #describe(mailbox: Mailbox, frame: EventFrame, socket: WebSocket, connection: Connection): Described {
    switch (frame.type) {
      case FrameType.MESSAGE: {
        const isBinary = (frame.flags & Flag.BINARY) !== 0
        const data = this.#messageData(mailbox, frame, isBinary, connection)
        return { method: 'WebSocket:message', params: { data, isBinary }, url: undefined, headers: undefined, emit: ['message', data, isBinary] }
      }
      case FrameType.ERROR: {
        const error = readError(readText(mailbox, frame.start, frame.end))
        connection.readyState = CLOSING
        return { method: 'WebSocket:error', params: error, url: undefined, headers: undefined, emit: ['error', error] }
      }
      default: {
        // As ws says it of a close frame without a code (RFC 6455, 7.1.5).
        const isEmpty = frame.end - frame.start < 2
        const code = isEmpty ? 1005 : readU16(mailbox.bytes, frame.start)
        const reason = messageBuffer(mailbox.buffer, isEmpty ? frame.end : frame.start + 2, isEmpty ? 0 : frame.end - frame.start - 2, null)
        this.#forget(frame, socket, connection)
        return { method: 'WebSocket:close', params: { code, reason }, url: undefined, headers: undefined, emit: ['close', code, reason] }
      }
    }
  }

  /** Before anybody is told: a closed socket is nowhere any more. */
  #forget(frame: EventFrame, socket: WebSocket, connection: Connection): void {
    connection.readyState = CLOSED
    forgetUnsent(connection)
    mapDelete(this.#socketsOf(frame.gateway), frame.connection)
    removeSocket(this.#parts.sockets, socket)
    leaveAllRooms(socket, connection)
    failCallbacks(connection)
    tellListened(socket, connection)
  }

  #messageData(mailbox: Mailbox, frame: EventFrame, isBinary: boolean, connection: Connection): unknown {
    const length = frame.end - frame.start
    if (!isBinary) return messageBuffer(mailbox.buffer, frame.start, length, textSource(mailbox, frame))
    if (connection.binaryType === 'nodebuffer') return messageBuffer(mailbox.buffer, frame.start, length, null)
    const bytes = arrayBufferSlice(mailbox.buffer, frame.start, frame.end)
    if (connection.binaryType === 'arraybuffer') return bytes
    // The message came in one piece, whatever the client sent. Without bytes there are no fragments, as in ws.
    if (connection.binaryType === 'fragments') return length === 0 ? [] : [messageBuffer(bytes, 0, length, null)]
    const { Blob } = require('./globals/blob.ts') as typeof import('./globals/blob.ts')
    return new Blob([bytes])
  }
}

function textSource(mailbox: Mailbox, { flags, start, end }: EventFrame): TextSource | null {
  const decoded = (flags & Flag.EXTERNAL) === 0 ? null : mailbox.texts![mailbox.nextText++]!
  return decoded === null && mailbox.latin1 === undefined ? null : { mailbox, start, length: end - start, decoded }
}
