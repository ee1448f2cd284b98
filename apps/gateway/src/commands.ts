import { FrameError, FrameType, Flag, HEADER_BYTES, paddedLength, readU16, readU32 } from '@socklet/protocol'
import type { App, AppEvent } from './app.ts'
import type { Connection } from './connection.ts'
import type { Gateway } from './context.ts'
import { onSettled } from './delivery.ts'
import { afterSettled } from './flow.ts'
import { frameMessage, writeMessageHead } from './frame-message.ts'
import { onResponse, onResponsePart } from './responses.ts'
import type { WorkerLink } from './worker-links.ts'

/** A worker that acknowledges this many events that were settled already costs more than it can be trusted for. */
const MAX_WASTED = 1_000_000

/**
 * A command from a worker takes effect. Whatever is in the frame may have been written by a tenant: it reaches the
 * connections of the app that this worker holds now, and nothing else.
 * @throws FrameError if it is no command, or its payload cannot be what its type says; this ends the link.
 */
export function onCommand(gateway: Gateway, from: WorkerLink, bytes: Uint8Array, start: number, end: number): void {
  const type = bytes[start + 4]!
  if (type < FrameType.SEND || type > FrameType.STARTED) throw new FrameError(`a worker sent a frame of type ${type}`)
  const app = gateway.apps.byNumber(readU32(bytes, start + 8))
  const attachment = app?.attachment
  if (app === undefined || !attachment || attachment.link !== from.link || attachment.generation !== readU32(bytes, start + 12)) {
    from.dropped++
    return
  }
  if (type === FrameType.ACK) acknowledge(app, from, bytes, start + HEADER_BYTES, end)
  else if (type === FrameType.STARTED) started(app, readU32(bytes, start + 20), (bytes[start + 5]! & Flag.END) !== 0)
  else if (type === FrameType.SEND_MANY) sendMany(app, from, bytes, start, end)
  else if (type === FrameType.RESPONSE || type === FrameType.RESPONSE_PART) toRequest(app, from, type, bytes, start, end)
  else toConnection(app, from, type, bytes, start, end)
}

/** What was sent leaves: once for each read from a link, one write for each connection. */
export function flushTouched({ touched }: Gateway): void {
  for (const connection of touched) connection.flush()
  touched.length = 0
}

/** A message to one connection that is not on the hot path. */
export function sendNow(connection: Connection, payload: Uint8Array, binary: boolean): void {
  connection.send(frameMessage(payload, binary), payload.byteLength)
  connection.flush()
}

function toConnection(app: App, from: WorkerLink, type: number, bytes: Uint8Array, start: number, end: number): void {
  const connection = app.connections.get(readU32(bytes, start + 16))
  if (connection === undefined || !connection.isOpen) {
    from.dropped++
    return
  }
  const payload = start + HEADER_BYTES
  if (type === FrameType.SEND) {
    // The header of the message is written over the header of the frame, so that nothing has to be copied.
    const head = writeMessageHead(bytes, payload, end - payload, (bytes[start + 5]! & Flag.BINARY) !== 0)
    connection.send(bytes.subarray(head, end), end - payload)
  } else if (type === FrameType.TERMINATE) connection.terminate()
  else if (end - payload < 2) connection.close(undefined)
  else connection.close(readU16(bytes, payload), Buffer.from(bytes.subarray(payload + 2, end)))
}

function sendMany(app: App, from: WorkerLink, bytes: Uint8Array, start: number, end: number): void {
  const message = start + HEADER_BYTES + 4
  const length = end < message ? Infinity : readU32(bytes, message - 4)
  const receivers = message + paddedLength(length)
  if (length > end - message || (end - receivers) % 4 !== 0) throw new FrameError('a message to many is longer than its frame')
  const frame = frameMessage(bytes.subarray(message, message + length), (bytes[start + 5]! & Flag.BINARY) !== 0)
  for (let at = receivers; at < end; at += 4) {
    const connection = app.connections.get(readU32(bytes, at))
    if (connection === undefined || !connection.isOpen) from.dropped++
    else connection.send(frame, length)
  }
}

function acknowledge(app: App, from: WorkerLink, bytes: Uint8Array, start: number, end: number): void {
  if ((end - start) % 8 !== 0) throw new FrameError('an acknowledgement is not made of pairs')
  for (let at = start; at < end; at += 8) {
    from.wasted += app.outbox.settleRange(readU32(bytes, at), readU32(bytes, at + 4), onSettled)
    if (from.wasted > MAX_WASTED) throw new FrameError('a worker acknowledges events that it does not have')
  }
  afterSettled(app)
}

function started(app: App, sequence: number, over: boolean): void {
  const event: AppEvent | undefined = app.outbox.get(sequence)
  if (event === undefined || event.sentOn !== app.attachment) return
  event.began = true
  event.running = !over
}

function toRequest(app: App, from: WorkerLink, type: number, bytes: Uint8Array, start: number, end: number): void {
  const request = app.requests.get(readU32(bytes, start + 16))
  const payload = Buffer.from(bytes.buffer, bytes.byteOffset + start + HEADER_BYTES, end - start - HEADER_BYTES)
  const last = (bytes[start + 5]! & Flag.END) !== 0
  if (type === FrameType.RESPONSE) {
    const headEnd = payload.byteLength < 4 ? Infinity : 4 + payload.readUInt32LE(0)
    if (headEnd > payload.byteLength) throw new FrameError('the head of an answer is longer than its frame')
    if (request === undefined || request.begun) from.dropped++
    else onResponse(request, payload.subarray(4, headEnd), payload.subarray(headEnd), last)
  } else if (request === undefined || !request.begun) from.dropped++
  else onResponsePart(request, payload, last)
}
