import { FrameError, HEADER_BYTES, NO_ROOM, paddedLength, readU32 } from '@socklet/protocol'
import type { App } from './app.ts'
import type { Connection } from './connection.ts'

/** The guest allows no more (guest/rooms.ts); a worker that sends more is not the guest. */
const MAX_NAME_BYTES = 1024
const MAX_ROOMS = 1_000

const NOBODY: ReadonlySet<Connection> = new Set()

export function membersOf(app: App, room: string): ReadonlySet<Connection> {
  return app.rooms.get(room) ?? NOBODY
}

/** false if it cannot be in this room. */
export function join(connection: Connection, name: Uint8Array): boolean {
  const rooms = (connection.rooms ??= new Set())
  if (name.byteLength > MAX_NAME_BYTES || rooms.size >= MAX_ROOMS) return false
  const room = nameOf(name)
  rooms.add(room)
  const { app } = connection
  const members = app.rooms.get(room)
  if (members === undefined) app.rooms.set(room, new Set([connection]))
  else members.add(connection)
  return true
}

export function leave(connection: Connection, name: Uint8Array): void {
  const room = nameOf(name.subarray(0, MAX_NAME_BYTES))
  if (connection.rooms?.delete(room)) exit(connection, room)
}

export function leaveAll(connection: Connection): void {
  const { rooms } = connection
  connection.rooms = null
  if (rooms !== null) for (const room of rooms) exit(connection, room)
}

function exit(connection: Connection, room: string): void {
  const { rooms } = connection.app
  const members = rooms.get(room)
  members?.delete(connection)
  if (members?.size === 0) rooms.delete(room)
}

function nameOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}

/** One message to all in a room, or in the app. */
export interface RoomMessage {
  /** null: all of the app. */
  room: string | null
  /** Numbers of connections of this gateway that are left out, null if there are none. */
  except: Set<number> | null
  message: Uint8Array
}

/** @throws FrameError if the payload is shorter than what it says. */
export function readRoomMessage(bytes: Uint8Array, start: number, end: number, gateway: number): RoomMessage {
  let at = start + HEADER_BYTES
  const need = (length: number): void => {
    if (length > end - at) throw new FrameError('a message to a room is longer than its frame')
  }
  need(4)
  const nameLength = readU32(bytes, at)
  at += 4
  let room: string | null = null
  if (nameLength !== NO_ROOM) {
    // Before it is padded: that is done with 32 bits.
    need(nameLength)
    need(paddedLength(nameLength))
    room = nameOf(bytes.subarray(at, at + nameLength))
    at += paddedLength(nameLength)
  }
  need(4)
  const count = readU32(bytes, at)
  at += 4
  need(count * 8)
  const except = count === 0 ? null : new Set<number>()
  for (const pairsEnd = at + count * 8; at < pairsEnd; at += 8) if (readU32(bytes, at) === gateway) except!.add(readU32(bytes, at + 4))
  return { room, except, message: bytes.subarray(at, end) }
}
