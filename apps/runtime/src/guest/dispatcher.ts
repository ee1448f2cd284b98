import { Flag, FrameType, readU16, readU32 } from '@socklet/protocol/frame'
import type { ConnectionHead, ErrorHead, RequestHead } from '@socklet/protocol'
import { TurnWord } from '../turn-layout.ts'
import { current, setCurrent, type Running } from './current.ts'
import { Level, log, logError } from './log.ts'
import { nextEvent, readText, type EventFrame, type Mailbox } from './mailbox.ts'
import { messageBuffer } from './message.ts'
import { mainOf, type LoadedFunction, type Main, type PlatformModules, type Program } from './modules.ts'
import { acknowledge, setWord } from './outbox.ts'
import {
  NativeError,
  NativeMap,
  arrayBufferSlice,
  bareArray,
  charCodeAt,
  jsonParse,
  mapDelete,
  mapGet,
  mapSet,
  now,
  numberToString
} from './primordials.ts'
import { BadRequest, readRequest } from './request.ts'
import { Response } from './response.ts'
import { binaryTypeOf, connectionOf, setReadyState, socketOf, type Connection, type WebSocket } from './socket.ts'
import { addSocket, removeSocket, type Sockets } from './sockets.ts'
import { setDeadline } from './timers.ts'

const WEBSOCKET = '__websocket__'

/**
 * Microtask rounds that the next event waits for a handler. laf runs a handler until it waits for something
 * outside before it takes the next message, since each message comes from a socket of its own; code relies on it
 * (get from cloud.shared, await, set). A handler that has not settled after so many rounds does wait for something.
 */
const MAX_ROUNDS = 100

/** A handler that runs. They stand in a list in the order of their start, which is the order of their deadlines. */
interface Task {
  readonly gateway: number
  readonly sequence: number
  readonly running: Running
  readonly deadline: number
  readonly response: Response | null
  settled: boolean
  previous: Task | null
  next: Task | null
}

type BufferConstructor = Parameters<typeof messageBuffer>[0]

export interface DispatcherParts {
  program: () => Program
  platform: PlatformModules
  sockets: Sockets
  handlerMs: () => number
  Buffer: BufferConstructor
}

export interface Dispatcher {
  /** All events of a turn, in order. */
  run(mailbox: Mailbox): Promise<void>
  /** Gives up on handlers that have taken too long. */
  expire(): void
  /** Lets what was just started go on until it settles or waits for something outside. */
  settleDown(): Promise<void>
  /** Calls `__init__`, if there is one. */
  init(): void
}

export function makeDispatcher(parts: DispatcherParts): Dispatcher {
  /** By gateway, then by the connection's number there. */
  const connections = bareArray<Map<number, WebSocket>>()
  let oldest: Task | null = null
  let newest: Task | null = null
  let pending = 0
  let errors = 0

  const socketsOf = (gateway: number): Map<number, WebSocket> => (connections[gateway] ??= new NativeMap())

  function begin(frame: EventFrame, running: Running, response: Response | null): Task {
    const task: Task = { gateway: frame.gateway, sequence: frame.sequence, running, deadline: now() + parts.handlerMs(), response, settled: false, previous: newest, next: null }
    if (newest === null) oldest = task
    else newest.next = task
    newest = task
    setWord(TurnWord.PENDING, ++pending)
    setDeadline(oldest!.deadline)
    return task
  }

  function settle(task: Task): void {
    if (task.settled) return
    task.settled = true
    if (task.previous === null) oldest = task.next
    else task.previous.next = task.next
    if (task.next === null) newest = task.previous
    else task.next.previous = task.previous
    setWord(TurnWord.PENDING, --pending)
    setDeadline(oldest === null ? Infinity : oldest.deadline)
    acknowledge(task.gateway, task.sequence)
  }

  function failed(error: unknown): void {
    setWord(TurnWord.ERRORS, ++errors)
    logError('', error)
  }

  /** Calls the handler. Returns its task if it goes on after this, else null: then the event is settled. */
  function call(frame: EventFrame, loaded: LoadedFunction, running: Running, ctx: object): Task | null {
    setCurrent(running)
    let result: unknown
    try {
      const main = mainOf(parts.program(), loaded, parts.platform)
      if (main === null) throw new NativeError(`the function ${loaded.name} exports no main and no default function`)
      result = main(ctx)
    } catch (error) {
      failed(error)
      result = undefined
    }
    if (typeof result !== 'object' || result === null) {
      acknowledge(frame.gateway, frame.sequence)
      return null
    }
    const task = begin(frame, running, null)
    void finish(task, result)
    return task
  }

  async function finish(task: Task, result: object): Promise<void> {
    try {
      await result
    } catch (error) {
      if (!task.settled) failed(error)
    }
    settle(task)
  }

  async function settles(task: Task): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS && !task.settled; round++) await undefined
  }

  // --- events of connections ---

  function open(mailbox: Mailbox, frame: EventFrame): WebSocket {
    const head = jsonParse(readText(mailbox, frame.start, frame.end)) as ConnectionHead
    const { id, url, headers, protocol, extensions } = head
    const socket = socketOf({ gateway: frame.gateway, number: frame.connection, id, url, headers, protocol, extensions, requestPrefix: requestPrefix(id) })
    mapSet(socketsOf(frame.gateway), frame.connection, socket)
    addSocket(parts.sockets, socket)
    return socket
  }

  function websocketEvent(mailbox: Mailbox, frame: EventFrame): Task | null {
    const socket = frame.type === FrameType.OPEN ? open(mailbox, frame) : mapGet(socketsOf(frame.gateway), frame.connection)
    const loaded = parts.program().functions[WEBSOCKET]
    if (socket === undefined || loaded === undefined) {
      acknowledge(frame.gateway, frame.sequence)
      return null
    }
    const connection = connectionOf(socket)
    const requestId = connection.requestPrefix + twelveHex(frame.sequence)
    const event = describe(mailbox, frame, socket, connection)
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
    const running: Running = { function: WEBSOCKET, version: loaded.version, requestId, connection: connection.id }
    const task = call(frame, loaded, running, ctx)
    if (event.emit !== null) emit(socket, event.emit)
    return task
  }

  /** The socket's own listeners come after `main`, as laf's do. */
  function emit(socket: WebSocket, args: [string, ...unknown[]]): void {
    if (socket.listenerCount(args[0]) === 0) return
    try {
      socket.emit(...args)
    } catch (error) {
      failed(error)
    }
  }

  interface Described {
    method: string
    params: unknown
    url: string | undefined
    headers: unknown
    emit: [string, ...unknown[]] | null
  }

  function describe(mailbox: Mailbox, frame: EventFrame, socket: WebSocket, connection: Connection): Described {
    switch (frame.type) {
      case FrameType.OPEN:
        return { method: 'WebSocket:connection', params: null, url: connection.url, headers: connection.headers, emit: null }
      case FrameType.MESSAGE:
        return describeMessage(mailbox, frame, socket)
      case FrameType.ERROR: {
        const error = readError(readText(mailbox, frame.start, frame.end))
        setReadyState(socket, 2)
        return { method: 'WebSocket:error', params: error, url: undefined, headers: undefined, emit: ['error', error] }
      }
      default: {
        const code = readU16(mailbox.bytes, frame.start)
        const reason = messageBuffer(parts.Buffer, mailbox.buffer, frame.start + 2, frame.end - frame.start - 2, null)
        setReadyState(socket, 3)
        mapDelete(socketsOf(frame.gateway), frame.connection)
        removeSocket(parts.sockets, socket)
        return { method: 'WebSocket:close', params: { code, reason }, url: undefined, headers: undefined, emit: ['close', code, reason] }
      }
    }
  }

  function describeMessage(mailbox: Mailbox, frame: EventFrame, socket: WebSocket): Described {
    const isBinary = (frame.flags & Flag.BINARY) !== 0
    const data = isBinary && binaryTypeOf(socket) === 'arraybuffer' ? arrayBufferSlice(mailbox.buffer, frame.start, frame.end) : messageData(mailbox, frame, isBinary)
    return { method: 'WebSocket:message', params: { data, isBinary }, url: undefined, headers: undefined, emit: ['message', data, isBinary] }
  }

  function messageData(mailbox: Mailbox, frame: EventFrame, isBinary: boolean): Uint8Array {
    const { latin1, texts } = mailbox
    const length = frame.end - frame.start
    if (isBinary) return messageBuffer(parts.Buffer, mailbox.buffer, frame.start, length, null)
    if ((frame.flags & Flag.EXTERNAL) !== 0) return messageBuffer(parts.Buffer, mailbox.buffer, frame.start, length, { text: texts![mailbox.nextText++]!, start: 0, decoded: true })
    return messageBuffer(parts.Buffer, mailbox.buffer, frame.start, length, latin1 === undefined ? null : { text: latin1, start: frame.start, decoded: false })
  }

  // --- HTTP ---

  function requestEvent(mailbox: Mailbox, frame: EventFrame): Task | null {
    const headEnd = frame.start + 4 + readU32(mailbox.bytes, frame.start)
    const head = jsonParse(readText(mailbox, frame.start + 4, headEnd)) as RequestHead
    const body = messageBuffer(parts.Buffer, arrayBufferSlice(mailbox.buffer, headEnd, frame.end), 0, frame.end - headEnd, null)
    const response = new Response(frame.gateway, frame.connection)
    const loaded = parts.program().functions[head.function]
    const running: Running = { function: head.function, version: loaded?.version ?? 0, requestId: head.requestId, connection: '' }
    setCurrent(running)
    const task = begin(frame, running, response)
    void answer(task, response, head, body, loaded, (frame.flags & Flag.REDELIVERED) !== 0)
    return task
  }

  async function answer(task: Task, response: Response, head: RequestHead, body: Uint8Array, loaded: LoadedFunction | undefined, redelivered: boolean): Promise<void> {
    try {
      if (loaded === undefined) {
        response.status(404).send('Function Not Found')
        return
      }
      const main = mainOf(parts.program(), loaded, parts.platform)
      if (main === null) throw new NativeError(`the function ${loaded.name} exports no main and no default function`)
      const result = await main(requestContext(head, body, response, redelivered))
      if (!task.settled && !response.writableEnded) {
        if (response.headersSent) response.end()
        else response.send(result)
      }
    } catch (error) {
      if (!task.settled) answerError(response, head.requestId, error)
    } finally {
      settle(task)
    }
  }

  function answerError(response: Response, requestId: string, error: unknown): void {
    if (error instanceof BadRequest && !response.headersSent) {
      response.status(400).json({ error: error.message, requestId })
      return
    }
    failed(error)
    if (response.writableEnded) return
    if (response.headersSent) response.end()
    else response.status(500).json({ error: 'Internal Server Error', requestId })
  }

  function requestContext(head: RequestHead, body: Uint8Array, response: Response, redelivered: boolean): object {
    const request = readRequest(head, body)
    const ctx: Record<string, unknown> = {
      query: request.query,
      body: request.body,
      headers: head.headers,
      method: head.method,
      params: {},
      requestId: head.requestId,
      request,
      response,
      __function_name: head.function
    }
    if (redelivered) ctx['redelivered'] = true
    return ctx
  }

  function dispatch(mailbox: Mailbox, frame: EventFrame): Task | null {
    switch (frame.type) {
      case FrameType.ATTACH:
        open(mailbox, frame)
        return null
      case FrameType.OPEN:
      case FrameType.MESSAGE:
      case FrameType.ERROR:
      case FrameType.CLOSED:
        return websocketEvent(mailbox, frame)
      case FrameType.REQUEST:
        return requestEvent(mailbox, frame)
      default:
        return null
    }
  }

  async function run(mailbox: Mailbox): Promise<void> {
    for (let frame = nextEvent(mailbox); frame !== null; frame = nextEvent(mailbox)) {
      let task: Task | null = null
      try {
        task = dispatch(mailbox, frame)
      } catch (error) {
        // Only tenant code that broke the built-ins under it, or a full outbox, gets here: the event is over all the same.
        logError('', error)
        acknowledge(frame.gateway, frame.sequence)
      }
      if (task !== null) await settles(task)
    }
  }

  function expire(): void {
    while (oldest !== null && oldest.deadline <= now()) {
      const task = oldest
      const before = current()
      setCurrent(task.running)
      log(Level.ERROR, `the handler took more than ${parts.handlerMs()} ms; what it still does is not waited for`)
      setCurrent(before)
      if (task.response !== null && !task.response.writableEnded) answerError(task.response, task.running.requestId, new NativeError('the handler took too long'))
      settle(task)
    }
  }

  function init(): void {
    const loaded = parts.program().functions['__init__']
    if (loaded === undefined) return
    setCurrent({ function: '__init__', version: loaded.version, requestId: '', connection: '' })
    void runInit(mainOfInit(loaded))
  }

  function mainOfInit(loaded: LoadedFunction): Main | null {
    try {
      return mainOf(parts.program(), loaded, parts.platform)
    } catch (error) {
      failed(error)
      return null
    }
  }

  async function runInit(main: Main | null): Promise<void> {
    try {
      await main?.({ method: 'INIT' })
    } catch (error) {
      failed(error)
    }
  }

  async function settleDown(): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) await undefined
  }

  return { run, expire, settleDown, init }
}

function readError(json: string): Error {
  const head = jsonParse(json) as ErrorHead
  const error = (head.name === 'RangeError' ? new RangeError(head.message) : new NativeError(head.message)) as Error & { code?: string }
  if (head.code !== undefined) error.code = head.code
  return error
}

/**
 * The requestId of an event is a UUID (RFC 9562, version 8) of the connection's id and the event's number, so that
 * an event that is delivered again has the one that it had. Two hashes (FNV-1a) make 60 bits of the id.
 */
function requestPrefix(id: string): string {
  const a = eightHex(fnv(id, 0x811c9dc5))
  const b = eightHex(fnv(id, 0x01000193))
  return `${a}-${b[0]}${b[1]}${b[2]}${b[3]}-8${b[4]}${b[5]}${b[6]}-a${b[7]}00-`
}

function fnv(text: string, seed: number): number {
  let hash = seed
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ charCodeAt(text, i), 0x01000193)
  return hash >>> 0
}

function eightHex(value: number): string {
  const hex = numberToString(value, 16)
  return hex.length === 8 ? hex : '00000000'.slice(hex.length) + hex
}

function twelveHex(value: number): string {
  return `0000${eightHex(value)}`
}

