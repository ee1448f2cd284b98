import { FrameError, FrameType, Flag, HEADER_BYTES, Listen, paddedLength, readU16, readU32 } from '@socklet/protocol'
import type { App, AppEvent } from './app.ts'
import type { Connection } from './connection.ts'
import type { Gateway } from './context.ts'
import { onSettled } from './delivery.ts'
import { afterSettled, Pause } from './flow.ts'
import { FIN_PING, FIN_PONG, frameMessage, MAX_CONTROL_BYTES, writeControlHead, writeMessageHead } from './frame-message.ts'
import { onUpgradeResult } from './pending-upgrade.ts'
import { onResponse, onResponsePart } from './responses.ts'
import { join, leave, membersOf, readRoomMessage } from './rooms.ts'
import { tellSent } from './tell.ts'
import type { WorkerLink } from './worker-links.ts'

/** A worker that acknowledges this many events that were settled already costs more than it can be trusted for. */
const MAX_WASTED = 1_000_000
/** A message to a room is short, and its receivers are many: more than these do not wait for the end of a read. */
const MAX_WAITING_RECEIVERS = 1_000_000

/**
 * A command from a worker takes effect. Whatever is in the frame may have been written by a tenant: it reaches the
 * connections of the app that this worker holds now, and nothing else.
 * @throws FrameError if it is no command, or its payload cannot be what its type says; this ends the link.
 */
export function onCommand(gateway: Gateway, from: WorkerLink, bytes: Uint8Array, start: number, end: number): void {
  const type = bytes[start + 4]!
  if (type < FrameType.SEND || type > FrameType.UPGRADE_RESULT) throw new FrameError(`a worker sent a frame of type ${type}`)
  const app = gateway.apps.byNumber(readU32(bytes, start + 8))
  const attachment = app?.attachment
  if (app === undefined || !attachment || attachment.link !== from.link || attachment.generation !== readU32(bytes, start + 12)) {
    from.dropped++
    return
  }
  if (type === FrameType.ACK) acknowledge(app, from, bytes, start + HEADER_BYTES, end)
  else if (type === FrameType.STARTED) started(app, readU32(bytes, start + 20), (bytes[start + 5]! & Flag.END) !== 0)
  else if (type === FrameType.SEND_MANY) sendMany(app, from, bytes, start, end)
  else if (type === FrameType.SEND_ROOM) sendRoom(app, bytes, start, end)
  else if (type === FrameType.UPGRADE_RESULT) toUpgrade(app, from, bytes, start, end)
  else if (type === FrameType.RESPONSE || type === FrameType.RESPONSE_PART) toRequest(app, from, type, bytes, start, end)
  else toConnection(app, from, type, bytes, start, end)
}

/** What was sent leaves: once for each read from a link, one write for each connection. */
export function flushTouched(gateway: Gateway): void {
  for (const connection of gateway.touched) connection.flush()
  gateway.touched.length = 0
  gateway.waitingReceivers = 0
}

/** A message to one connection that is not on the hot path. */
export function sendNow(connection: Connection, payload: Uint8Array, binary: boolean): void {
  connection.send(frameMessage(payload, binary), payload.byteLength)
  connection.flush()
}

function toConnection(app: App, from: WorkerLink, type: number, bytes: Uint8Array, start: number, end: number): void {
  const number = readU32(bytes, start + 16)
  const connection = app.connections.get(number)
  const tells = (bytes[start + 5]! & Flag.TELL) !== 0 && (type === FrameType.SEND || type === FrameType.SEND_PING || type === FrameType.SEND_PONG)
  // Of a connection that is closing already, only its end can be hastened, and what it keeps can change.
  if (connection === undefined || !(connection.isOpen || type === FrameType.DATA || type === FrameType.TERMINATE)) {
    from.dropped++
    if (tells) tellSent(app, number, [readU32(bytes, start + 20)], true)
    return
  }
  if (tells) connection.tell(readU32(bytes, start + 20))
  const payload = start + HEADER_BYTES
  if (type === FrameType.SEND) {
    // The header of the message is written over the header of the frame, so that nothing has to be copied.
    const head = writeMessageHead(bytes, payload, end - payload, (bytes[start + 5]! & Flag.BINARY) !== 0)
    connection.send(bytes.subarray(head, end), end - payload)
  } else if (type === FrameType.TERMINATE) connection.terminate()
  else if (type === FrameType.CLOSE && end - payload < 2) connection.close(undefined)
  else if (type === FrameType.CLOSE) connection.close(readU16(bytes, payload), Buffer.from(bytes.subarray(payload + 2, end)))
  else if (!changeConnection(connection, type, bytes, start, end)) from.dropped++
}

/** The rarer commands. false if this one cannot be: the guest refuses those, so it did not come from the guest. */
function changeConnection(connection: Connection, type: number, bytes: Uint8Array, start: number, end: number): boolean {
  const payload = bytes.subarray(start + HEADER_BYTES, end)
  if (type === FrameType.SEND_PING || type === FrameType.SEND_PONG) return sendControl(connection, type, bytes, start, end)
  if (type === FrameType.JOIN) return join(connection, payload)
  if (type === FrameType.DATA) return connection.setData(payload)
  if (type === FrameType.LEAVE) leave(connection, payload)
  else if (type === FrameType.PAUSE) connection.pause(Pause.APP)
  else if (type === FrameType.RESUME) connection.resume(Pause.APP)
  else if (type === FrameType.LISTEN) connection.listens = bytes[start + 5]! & (Listen.PING | Listen.PONG)
  return true
}

function sendControl(connection: Connection, type: number, bytes: Uint8Array, start: number, end: number): boolean {
  const payload = start + HEADER_BYTES
  if (end - payload > MAX_CONTROL_BYTES) return false
  const head = writeControlHead(bytes, payload, end - payload, type === FrameType.SEND_PING ? FIN_PING : FIN_PONG)
  connection.sendFrame(bytes.subarray(head, end))
  return true
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

function sendRoom(app: App, bytes: Uint8Array, start: number, end: number): void {
  const { gateway } = app
  const { room, except, message } = readRoomMessage(bytes, start, end, gateway.settings.index)
  const receivers = room === null ? app.connections : membersOf(app, room)
  if (receivers.size === 0) return
  const frame = frameMessage(message, (bytes[start + 5]! & Flag.BINARY) !== 0)
  for (const connection of receivers.values()) {
    if (connection.isOpen && !except?.has(connection.number)) connection.send(frame, message.byteLength)
  }
  gateway.waitingReceivers += receivers.size
  if (gateway.waitingReceivers > MAX_WAITING_RECEIVERS) flushTouched(gateway)
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

function toUpgrade(app: App, from: WorkerLink, bytes: Uint8Array, start: number, end: number): void {
  const { head, rest } = splitHead(bytes, start, end)
  const upgrade = app.upgrades.get(readU32(bytes, start + 16))
  if (upgrade === undefined || upgrade.over) from.dropped++
  else onUpgradeResult(upgrade, head, rest)
}

function toRequest(app: App, from: WorkerLink, type: number, bytes: Uint8Array, start: number, end: number): void {
  const request = app.requests.get(readU32(bytes, start + 16))
  const last = (bytes[start + 5]! & Flag.END) !== 0
  if (type === FrameType.RESPONSE) {
    const { head, rest } = splitHead(bytes, start, end)
    if (request === undefined || request.begun) from.dropped++
    else onResponse(request, head, rest, last)
  } else if (request === undefined || !request.begun) from.dropped++
  else onResponsePart(request, payloadAt(bytes, start, end), last)
}

function payloadAt(bytes: Uint8Array, start: number, end: number): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start + HEADER_BYTES, end - start - HEADER_BYTES)
}

/** A payload that begins with a JSON head and its length. */
function splitHead(bytes: Uint8Array, start: number, end: number): { head: Buffer; rest: Buffer } {
  const payload = payloadAt(bytes, start, end)
  const headEnd = payload.byteLength < 4 ? Infinity : 4 + payload.readUInt32LE(0)
  if (headEnd > payload.byteLength) throw new FrameError('the head of an answer is longer than its frame')
  return { head: payload.subarray(4, headEnd), rest: payload.subarray(headEnd) }
}
