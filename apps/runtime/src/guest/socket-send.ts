import { Flag, FrameType } from '@socklet/protocol/frame'
import { MAX_MESSAGE_BYTES, TurnWord } from '../turn-layout.ts'
import { CLOSED, CLOSING, type Connection, type Delayed, type Fragments } from './connection.ts'
import { logError } from './log.ts'
import { changeWord, command, send, sendAndTell, turnNumber } from './outbox.ts'
import { NativeError, NativeRangeError, NativeSet, bareArray, setAdd, setDelete, typedArrayByteLength } from './primordials.ts'
import { EMPTY, encodeText, isBlob, joinBytes, toBytes, type BlobLike } from './socket-bytes.ts'
import { callLater, forgetCallback, keepCallback, type Done } from './write-callbacks.ts'

/** RFC 6455, 5.5. */
const MAX_CONTROL_BYTES = 125
const STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED']

/** Options of `send` that change what leaves here; `compress` and `mask` are taken, and decided by the gateway. */
export interface SendRules {
  binary: boolean
  fin: boolean
}

/** Connections that read a Blob. */
export const delayedConnections: Set<Connection> = new NativeSet()

/** A message without options and callback to a connection that waits for nothing: nearly all are. */
export function sendPlain(connection: Connection, data: string | Uint8Array, binary: boolean): void {
  send(connection.gateway, connection.number, data, binary)
  count(connection, typeof data === 'string' ? data.length : typedArrayByteLength(data))
}

/** Any other message, or part of one. */
export function sendMessage(connection: Connection, data: unknown, rules: SendRules, done: Done | undefined): void {
  if (connection.delayed !== null) delay(connection, () => sendMessage(connection, data, rules, done))
  else if (isBlob(data)) void sendBlob(connection, data, (bytes) => sendMessage(connection, bytes, rules, done), done)
  else if (connection.readyState === CLOSED) sendAfterClose(connection, data, done)
  else sendPart(connection, typeof data === 'string' ? data : toBytes(data || EMPTY), rules, done)
}

/**
 * ws writes a frame for each part. The client sees one message all the same, so here the parts wait until the last one.
 * The callback of a part that waits is called at once: whoever streams sends the next part from it.
 */
function sendPart(connection: Connection, data: string | Uint8Array, { binary, fin }: SendRules, done: Done | undefined): void {
  if (fin && connection.fragments === null) {
    sendWhole(connection, data, binary, done)
    return
  }
  const part = typeof data === 'string' ? encodeText(data) : joinBytes([data], 1, typedArrayByteLength(data))
  const fragments = connection.fragments ?? beginFragments(connection, binary)
  if (fragments.bytes + typedArrayByteLength(part) > MAX_MESSAGE_BYTES) throw new NativeRangeError(`a message must not be greater than ${MAX_MESSAGE_BYTES} bytes`)
  fragments.parts[fragments.count++] = part
  fragments.bytes += typedArrayByteLength(part)
  if (fin) {
    dropFragments(connection)
    sendWhole(connection, joinBytes(fragments.parts, fragments.count, fragments.bytes), fragments.binary, done)
  } else if (typeof done === 'function') void callLater(done)
}

/** What is to be sent, and is only here, would be lost with the isolate. */
function beginFragments(connection: Connection, binary: boolean): Fragments {
  changeWord(TurnWord.HELD, 1)
  return (connection.fragments = { parts: bareArray(), count: 0, bytes: 0, binary })
}

function dropFragments(connection: Connection): void {
  if (connection.fragments === null) return
  connection.fragments = null
  changeWord(TurnWord.HELD, -1)
}

/** The connection is closed. */
export function forgetUnsent(connection: Connection): void {
  dropFragments(connection)
  endDelay(connection)
}

function sendWhole(connection: Connection, data: string | Uint8Array, binary: boolean, done: Done | undefined): void {
  if (typeof done !== 'function') {
    sendPlain(connection, data, binary)
    return
  }
  const sequence = keepCallback(connection, done)
  try {
    sendAndTell(connection.gateway, connection.number, data, binary, sequence)
  } catch (error) {
    forgetCallback(connection, sequence)
    throw error
  }
  count(connection, typeof data === 'string' ? data.length : typedArrayByteLength(data))
}

/** SEND_PING or SEND_PONG. @throws RangeError above 125 bytes */
export function sendControl(connection: Connection, type: number, data: unknown, done: Done | undefined): void {
  const tooLong = typeof data === 'string' ? data.length > MAX_CONTROL_BYTES : isBlob(data) && data.size > MAX_CONTROL_BYTES
  const blob = isBlob(data)
  const bytes = tooLong || blob ? EMPTY : typeof data === 'string' ? encodeText(data) : toBytes(data)
  if (tooLong || typedArrayByteLength(bytes) > MAX_CONTROL_BYTES) throw new NativeRangeError('The data size must not be greater than 125 bytes')
  if (connection.delayed !== null) delay(connection, () => sendControl(connection, type, data, done))
  else if (blob) void sendBlob(connection, data, (read) => sendControl(connection, type, read, done), done)
  else if (connection.readyState === CLOSED) sendAfterClose(connection, data, done)
  else if (typeof done === 'function') command(type, Flag.TELL, connection.gateway, connection.number, bytes, keepCallback(connection, done))
  else command(type, 0, connection.gateway, connection.number, bytes)
}

/** As `sendAfterClose` of ws: data that cannot be sent is a TypeError even now, what can is counted; the callback gets the error. */
export function sendAfterClose(connection: Connection, data: unknown, done: Done | undefined): void {
  if (data) connection.buffered += isBlob(data) ? data.size : typedArrayByteLength(typeof data === 'string' ? encodeText(data) : toBytes(data))
  const state = connection.readyState
  if (typeof done === 'function') void callLater(done, new NativeError(`WebSocket is not open: readyState ${state} (${STATES[state]})`))
}

/** Text is counted by its UTF-16 units: how many bytes they are is not known yet. */
function count(connection: Connection, bytes: number): void {
  const turn = turnNumber()
  if (connection.sentIn === turn) {
    connection.sentBytes += bytes
  } else {
    connection.sentIn = turn
    connection.sentBytes = bytes
  }
}

/** What was sent and, as far as this isolate can know, has not left. */
export function bufferedAmount({ buffered, sentIn, sentBytes, delayed }: Connection): number {
  return buffered + (sentIn === turnNumber() ? sentBytes : 0) + (delayed === null ? 0 : delayed.bytes)
}

/** Runs `call` now, or when the Blobs that were sent before it are read: the order stays. */
export function inOrder(connection: Connection, call: () => void): void {
  if (connection.delayed === null) call()
  // What is before it then may be another Blob.
  else delay(connection, () => inOrder(connection, call))
}

export function delay(connection: Connection, call: () => void): void {
  const delayed = connection.delayed!
  delayed.calls[delayed.count++] = call
}

function beginDelay(connection: Connection, bytes: number): Delayed {
  changeWord(TurnWord.HELD, 1)
  setAdd(delayedConnections, connection)
  return (connection.delayed = { calls: bareArray(), count: 0, bytes })
}

function endDelay(connection: Connection): void {
  if (connection.delayed === null) return
  connection.delayed = null
  setDelete(delayedConnections, connection)
  changeWord(TurnWord.HELD, -1)
}

async function sendBlob(connection: Connection, blob: BlobLike, then: (bytes: Uint8Array) => void, done: Done | undefined): Promise<void> {
  const delayed = beginDelay(connection, blob.size)
  try {
    const bytes = toBytes(await blob.arrayBuffer())
    endDelay(connection)
    if (connection.readyState === CLOSED) fail(done, new NativeError('The socket was closed while the blob was being read'))
    else then(bytes)
    // Each of them may begin to read a Blob: then the ones after it wait again.
    for (let i = 0; i < delayed.count; i++) delayed.calls[i]!()
  } catch (error) {
    endDelay(connection)
    logError('a Blob could not be sent, so its connection is ended: ', error)
    fail(done, error as Error)
    end(connection)
  }
}

function fail(done: Done | undefined, error: Error): void {
  if (typeof done === 'function') void callLater(done, error)
}

/** A message of which we do not know the rest cannot be taken back, in ws as here. */
function end(connection: Connection): void {
  if (connection.readyState === CLOSED) return
  connection.readyState = CLOSING
  command(FrameType.TERMINATE, 0, connection.gateway, connection.number, '')
}
