import { FrameError, Flag, HEADER_BYTES, paddedLength, readU32 } from '@socklet/protocol'
import type { App } from './app.ts'
import type { Connection } from './connection.ts'
import { frameMessage } from './frame-message.ts'
import { membersOf, readRoomMessage } from './rooms.ts'
import { unitsOf, type WritingShare } from './writing-share.ts'

/** A message to many, and who is still to get it. */
export interface Many {
  receivers: Iterator<Connection | undefined>
  frame: Uint8Array
  messageBytes: number
  /** What one of them costs. */
  units: number
}

/** As many as there is time for. Returns whether those were all. */
export function deliverTo({ receivers, frame, messageBytes, units }: Many, share: WritingShare): boolean {
  const most = Math.max(1, Math.floor(share.left / units))
  for (let count = 0; count < most; count++) {
    const { value: connection, done } = receivers.next()
    if (done === true) {
      share.use(count * units)
      return true
    }
    if (connection?.isOpen === true) connection.send(frame, messageBytes)
  }
  share.use(most * units)
  return false
}

function sendToMany(app: App, many: Many | null, count: number): void {
  const { writing } = app
  if (many === null || deliverTo(many, writing)) return
  writing.holdRest({ run: (share) => deliverTo(many, share), foresee: () => false, units: count * many.units, bytes: many.frame.byteLength })
}

/** SEND_MANY. @throws FrameError if it is longer than its frame */
export function sendMany(app: App, bytes: Uint8Array, start: number, end: number): void {
  const units = unitsOfMany(bytes.subarray(start, end))
  // Only what does not get done in this turn needs bytes that stay as they are.
  if (units > app.writing.left) sendToMany(app, toMany(app, bytes.slice(start, end), 0, end - start, Infinity), (end - start) >> 2)
  else deliverTo(toMany(app, bytes, start, end, Infinity), app.writing)
}

/** Connections that were opened after `before` are not meant. @throws FrameError */
export function toMany(app: App, bytes: Uint8Array, start: number, end: number, before: number): Many {
  const message = start + HEADER_BYTES + 4
  const length = end < message ? Infinity : readU32(bytes, message - 4)
  const receivers = message + paddedLength(length)
  if (length > end - message || (end - receivers) % 4 !== 0) throw new FrameError('a message to many is longer than its frame')
  const frame = frameMessage(bytes.subarray(message, message + length), (bytes[start + 5]! & Flag.BINARY) !== 0)
  return { receivers: connectionsAt(app, bytes, receivers, end, before), frame, messageBytes: length, units: unitsOf(1, length) }
}

function* connectionsAt(app: App, bytes: Uint8Array, start: number, end: number, before: number): Generator<Connection | undefined> {
  for (let at = start; at < end; at += 4) {
    const connection = app.connections.get(readU32(bytes, at))
    yield connection !== undefined && connection.ordinal <= before ? connection : undefined
  }
}

/** SEND_ROOM. @throws FrameError */
export function sendRoom(app: App, bytes: Uint8Array, start: number, end: number): void {
  const size = roomSize(app, bytes, start, end)
  if (size === 0) return
  if (unitsOf(size, end - start) > app.writing.left) sendToMany(app, toRoom(app, bytes.slice(start, end), 0, end - start, Infinity), size)
  else sendToMany(app, toRoom(app, bytes, start, end, Infinity), size)
}

/** Who is in the room at this moment, also if it `waits` after that. null if nobody is. @throws FrameError */
export function toRoom(app: App, bytes: Uint8Array, start: number, end: number, before: number, waits = false): Many | null {
  const { room, except, message } = readRoomMessage(bytes, start, end, app.gateway.settings.index)
  const members = room === null ? app.connections : membersOf(app, room)
  if (members.size === 0) return null
  const frame = frameMessage(message, (bytes[start + 5]! & Flag.BINARY) !== 0)
  const units = unitsOf(1, message.byteLength)
  // A copy, if it takes longer than this turn: whoever comes later was not meant.
  const receivers = waits || members.size * units > app.writing.left ? [...members.values()] : members.values()
  return { receivers: membersBut(receivers, except, before), frame, messageBytes: message.byteLength, units }
}

function* membersBut(members: Iterable<Connection>, except: Set<number> | null, before: number): Generator<Connection> {
  for (const connection of members) if (connection.ordinal <= before && !except?.has(connection.number)) yield connection
}

function roomSize(app: App, bytes: Uint8Array, start: number, end: number): number {
  const { room } = readRoomMessage(bytes, start, end, app.gateway.settings.index)
  return room === null ? app.connections.size : membersOf(app, room).size
}

/** What the command costs, see writing-share.ts. */
export function unitsOfRoom(app: App, bytes: Uint8Array): number {
  return unitsOf(roomSize(app, bytes, 0, bytes.byteLength), bytes.byteLength)
}

/** As `unitsOfRoom`. `named`: bytes of the message, if the frame names it only. 0 of a frame that is none. */
export function unitsOfMany(frame: Uint8Array, named = 0): number {
  const length = frame.byteLength < HEADER_BYTES + 4 ? Infinity : readU32(frame, HEADER_BYTES)
  return length > frame.byteLength ? 0 : unitsOf((frame.byteLength - HEADER_BYTES - 4 - length) >> 2, Math.max(length, named))
}
