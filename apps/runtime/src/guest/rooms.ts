import { FrameType } from '@socklet/protocol/frame'
import type { Connection } from './connection.ts'
import { command } from './outbox.ts'
import {
  NativeMap,
  NativeRangeError,
  NativeSet,
  NativeTypeError,
  mapDelete,
  mapGet,
  mapSet,
  setAdd,
  setDelete,
  setForEach,
  setHas,
  setSize,
  stringIsWellFormed
} from './primordials.ts'
import type { WebSocket } from './socket.ts'

const MAX_ROOM_UNITS = 256
const MAX_ROOMS = 1_000

/** Who is in each room: the gateway's book, kept here as well, so that functions can ask at once. A room without members does not exist. */
const members = new NativeMap<string, Set<WebSocket>>()
const NOBODY: Set<WebSocket> = new NativeSet()

/** Never to be given away: it is the book itself. */
export function membersOf(room: string): Set<WebSocket> {
  return mapGet(members, room) ?? NOBODY
}

/** @throws TypeError or RangeError */
export function checkRoom(room: unknown): asserts room is string {
  if (typeof room !== 'string' || room === '') throw new NativeTypeError('the name of a room must be a string that is not empty')
  if (room.length > MAX_ROOM_UNITS) throw new NativeRangeError(`the name of a room must not be longer than ${MAX_ROOM_UNITS} UTF-16 units`)
  // As UTF-8 two such names could be the same.
  if (!stringIsWellFormed(room)) throw new NativeTypeError('the name of a room must not have half a surrogate pair in it')
}

/** @throws RangeError if the connection is in as many rooms as it may be */
export function joinRoom(socket: WebSocket, connection: Connection, room: string): void {
  const rooms = (connection.rooms ??= new NativeSet())
  if (setHas(rooms, room)) return
  if (setSize(rooms) >= MAX_ROOMS) throw new NativeRangeError(`a socket cannot be in more than ${MAX_ROOMS} rooms`)
  command(FrameType.JOIN, 0, connection.gateway, connection.number, room)
  enter(socket, rooms, room)
}

export function leaveRoom(socket: WebSocket, connection: Connection, room: string): void {
  const { rooms } = connection
  if (rooms === null || !setHas(rooms, room)) return
  command(FrameType.LEAVE, 0, connection.gateway, connection.number, room)
  setDelete(rooms, room)
  exit(socket, room)
}

/** The rooms that the gateway says it is in. */
export function restoreRooms(socket: WebSocket, connection: Connection, rooms: string[]): void {
  const restored = (connection.rooms ??= new NativeSet())
  for (let i = 0; i < rooms.length; i++) enter(socket, restored, rooms[i]!)
}

/** The connection is closed: the gateway knows it already. */
export function leaveAllRooms(socket: WebSocket, connection: Connection): void {
  const { rooms } = connection
  connection.rooms = null
  if (rooms !== null) setForEach(rooms, (room) => exit(socket, room))
}

function enter(socket: WebSocket, rooms: Set<string>, room: string): void {
  setAdd(rooms, room)
  const there = mapGet(members, room)
  if (there !== undefined) setAdd(there, socket)
  else mapSet(members, room, setAdd(new NativeSet<WebSocket>(), socket))
}

function exit(socket: WebSocket, room: string): void {
  const there = mapGet(members, room)
  if (there === undefined) return
  setDelete(there, socket)
  if (setSize(there) === 0) mapDelete(members, room)
}
