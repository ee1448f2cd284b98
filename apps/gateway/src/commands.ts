import { FrameError, FrameType, Flag, HEADER_BYTES, Listen, paddedLength, readU16, readU32 } from '@socklet/protocol'
import type { App, AppEvent } from './app.ts'
import type { Connection } from './connection.ts'
import type { Gateway } from './context.ts'
import { onSettled } from './delivery.ts'
import { afterSettled, Pause } from './flow.ts'
import { FIN_PING, FIN_PONG, frameMessage, MAX_CONTROL_BYTES, writeControlHead, writeMessageHead } from './frame-message.ts'
import { onUpgradeResult } from './pending-upgrade.ts'
import { report } from './report.ts'
import { onResponse, onResponsePart } from './responses.ts'
import { join, leave, membersOf, readRoomMessage } from './rooms.ts'
import { tellSent } from './tell.ts'
import type { WorkerLink } from './worker-links.ts'
import { unitsOf, type Held, type WritingShare } from './writing-share.ts'

/** A worker that acknowledges this many events that were settled already costs more than it can be trusted for. */
const MAX_WASTED = 1_000_000
/**
 * These take effect in the order in which they were given: when there is much to deliver, they wait for what is before them. The others do not:
 * an event is over, an answer is one, and `socket.data` is kept, whatever messages still wait.
 */
const IN_ORDER: ReadonlySet<number> = new Set([
  FrameType.SEND, FrameType.SEND_MANY, FrameType.SEND_ROOM, FrameType.SEND_PING, FrameType.SEND_PONG, FrameType.CLOSE, FrameType.TERMINATE, FrameType.PAUSE, FrameType.RESUME,
  FrameType.LISTEN, FrameType.JOIN, FrameType.LEAVE
])
/** What a new life of the app is told of by ATTACH. */
const STATE: ReadonlySet<number> = new Set([FrameType.JOIN, FrameType.LEAVE, FrameType.PAUSE, FrameType.RESUME])
const MESSAGES: ReadonlySet<number> = new Set([FrameType.SEND, FrameType.SEND_MANY, FrameType.SEND_ROOM, FrameType.SEND_PING, FrameType.SEND_PONG])

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
  if (app.writing.isBusy && IN_ORDER.has(type)) hold(app, from, type, bytes.slice(start, end))
  else carryOut(app, from, type, bytes, start, end)
}

function carryOut(app: App, from: WorkerLink, type: number, bytes: Uint8Array, start: number, end: number): void {
  if (type === FrameType.ACK) acknowledge(app, from, bytes, start + HEADER_BYTES, end)
  else if (type === FrameType.STARTED) started(app, readU32(bytes, start + 20), (bytes[start + 5]! & Flag.END) !== 0)
  else if (type === FrameType.SEND_MANY) sendMany(app, from, bytes, start, end)
  else if (type === FrameType.SEND_ROOM) sendRoom(app, bytes, start, end)
  else if (type === FrameType.UPGRADE_RESULT) toUpgrade(app, from, bytes, start, end)
  else if (type === FrameType.RESPONSE || type === FrameType.RESPONSE_PART) toRequest(app, from, type, bytes, start, end)
  else toConnection(app, from, type, bytes, start, end, Infinity)
}

/** Only now it turns out that it is none: the link ends, as it would have at once. */
function endingLink(from: WorkerLink, run: () => boolean): boolean {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof FrameError)) throw error
    report(`the link of worker ${from.worker}`, error.message)
    from.link.destroy()
    return true
  }
}

/**
 * A command that waits. Its bytes are its own. Connections that were opened later are none of its business: they may have the number of one
 * that is gone.
 */
function hold(app: App, from: WorkerLink, type: number, bytes: Uint8Array): void {
  const before = app.gateway.opened
  const end = bytes.byteLength
  let many: Many | null = null
  const waiting: Held = {
    units: type === FrameType.SEND_ROOM ? unitsOfRoom(app, bytes) : type === FrameType.SEND_MANY ? unitsOfMany(bytes) : 1,
    bytes: end,
    run: (share) => endingLink(from, () => {
      // What it does not come to now goes on from there.
      if (type === FrameType.SEND_ROOM) many ??= toRoom(app, bytes, 0, end, before)
      else if (type === FrameType.SEND_MANY) many ??= toMany(app, from, bytes, 0, end, before)
      else toConnection(app, from, type, bytes, 0, end, before)
      return many === null || deliverTo(many, share)
    }),
    foresee: () => endingLink(from, () => {
      if (type === FrameType.SEND_ROOM) many ??= toRoom(app, bytes, 0, end, before, true)
      else if (STATE.has(type)) toConnection(app, from, type, bytes, 0, end, before)
      // What it listens to, a new life says again.
      return STATE.has(type) || type === FrameType.LISTEN || (type === FrameType.SEND_ROOM && many === null)
    })
  }
  app.writing.hold(waiting, MESSAGES.has(type))
}

/** A message to one connection that is not on the hot path. */
export function sendNow(connection: Connection, payload: Uint8Array, binary: boolean): void {
  connection.send(frameMessage(payload, binary), payload.byteLength)
  connection.flush()
}

function toConnection(app: App, from: WorkerLink, type: number, bytes: Uint8Array, start: number, end: number, before: number): void {
  const number = readU32(bytes, start + 16)
  const found = app.connections.get(number)
  const connection = found !== undefined && found.ordinal <= before ? found : undefined
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
    app.writing.use(1)
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
  if (type === FrameType.SEND_PING) connection.awaitsPong = true
  connection.sendFrame(bytes.subarray(head, end))
  return true
}

/** A message to many, and who is still to get it. */
interface Many {
  receivers: Iterator<Connection | undefined>
  frame: Uint8Array
  messageBytes: number
  /** What one of them costs. */
  units: number
  /** Told of those that are gone. */
  onGone: () => void
}

/** As many as there is time for. Returns whether those were all. */
function deliverTo({ receivers, frame, messageBytes, units, onGone }: Many, share: WritingShare): boolean {
  const most = Math.max(1, Math.floor(share.left / units))
  for (let count = 0; count < most; count++) {
    const { value: connection, done } = receivers.next()
    if (done === true) {
      share.use(count * units)
      return true
    }
    if (connection === undefined || !connection.isOpen) onGone()
    else connection.send(frame, messageBytes)
  }
  share.use(most * units)
  return false
}

function sendToMany(app: App, many: Many | null, count: number): void {
  const { writing } = app
  if (many === null || deliverTo(many, writing)) return
  writing.holdRest({ run: (share) => deliverTo(many, share), foresee: () => false, units: count * many.units, bytes: many.frame.byteLength })
}

function sendMany(app: App, from: WorkerLink, bytes: Uint8Array, start: number, end: number): void {
  const units = unitsOfMany(bytes.subarray(start, end))
  // Only what does not get done in this turn needs bytes that stay as they are.
  if (units > app.writing.left) sendToMany(app, toMany(app, from, bytes.slice(start, end), 0, end - start, Infinity), (end - start) >> 2)
  else deliverTo(toMany(app, from, bytes, start, end, Infinity), app.writing)
}

/** @throws FrameError */
function toMany(app: App, from: WorkerLink, bytes: Uint8Array, start: number, end: number, before: number): Many {
  const message = start + HEADER_BYTES + 4
  const length = end < message ? Infinity : readU32(bytes, message - 4)
  const receivers = message + paddedLength(length)
  if (length > end - message || (end - receivers) % 4 !== 0) throw new FrameError('a message to many is longer than its frame')
  const frame = frameMessage(bytes.subarray(message, message + length), (bytes[start + 5]! & Flag.BINARY) !== 0)
  return { receivers: connectionsAt(app, bytes, receivers, end, before), frame, messageBytes: length, units: unitsOf(1, length), onGone: () => void from.dropped++ }
}

function* connectionsAt(app: App, bytes: Uint8Array, start: number, end: number, before: number): Generator<Connection | undefined> {
  for (let at = start; at < end; at += 4) {
    const connection = app.connections.get(readU32(bytes, at))
    yield connection !== undefined && connection.ordinal <= before ? connection : undefined
  }
}

function sendRoom(app: App, bytes: Uint8Array, start: number, end: number): void {
  const size = roomSize(app, bytes, start, end)
  if (size === 0) return
  if (unitsOf(size, end - start) > app.writing.left) sendToMany(app, toRoom(app, bytes.slice(start, end), 0, end - start, Infinity), size)
  else sendToMany(app, toRoom(app, bytes, start, end, Infinity), size)
}

/** Who is in the room at this moment, also if it `waits` after that. null if nobody is. @throws FrameError */
function toRoom(app: App, bytes: Uint8Array, start: number, end: number, before: number, waits = false): Many | null {
  const { room, except, message } = readRoomMessage(bytes, start, end, app.gateway.settings.index)
  const members = room === null ? app.connections : membersOf(app, room)
  if (members.size === 0) return null
  const frame = frameMessage(message, (bytes[start + 5]! & Flag.BINARY) !== 0)
  const units = unitsOf(1, message.byteLength)
  // A copy, if it takes longer than this turn: whoever comes later was not meant.
  const receivers = waits || members.size * units > app.writing.left ? [...members.values()] : members.values()
  return { receivers: membersBut(receivers, except, before), frame, messageBytes: message.byteLength, units, onGone: () => {} }
}

function* membersBut(members: Iterable<Connection>, except: Set<number> | null, before: number): Generator<Connection> {
  for (const connection of members) if (connection.ordinal <= before && !except?.has(connection.number)) yield connection
}

function roomSize(app: App, bytes: Uint8Array, start: number, end: number): number {
  const { room } = readRoomMessage(bytes, start, end, app.gateway.settings.index)
  return room === null ? app.connections.size : membersOf(app, room).size
}

function unitsOfRoom(app: App, bytes: Uint8Array): number {
  return unitsOf(roomSize(app, bytes, 0, bytes.byteLength), bytes.byteLength)
}

function unitsOfMany(frame: Uint8Array): number {
  const length = frame.byteLength < HEADER_BYTES + 4 ? Infinity : readU32(frame, HEADER_BYTES)
  return length > frame.byteLength ? 0 : unitsOf((frame.byteLength - HEADER_BYTES - 4 - length) >> 2, length)
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
