import { broadcast, type BroadcastOptions } from './broadcast.ts'
import { NativeMap, mapDelete, mapGet, mapSet, reflectApply, reflectOwnKeys, setAdd, setDelete, setForEach, setHas, setSize, setValues } from './primordials.ts'
import { makeClosedConnection, makeConnection, openConnection, type Known } from './connection.ts'
import { named } from './globals/define.ts'
import { checkRoom, membersOf, restoreRooms } from './rooms.ts'
import { connectionOf, socketOf, type WebSocket } from './socket.ts'

/** Those that every socket has. */
let ownKeys: number | undefined

export let addSocket: (sockets: Sockets, socket: WebSocket) => void
export let removeSocket: (sockets: Sockets, socket: WebSocket) => void
/** The socket with this id, for whatever is kept and refers to it. Unless a gateway has it, or says so later, it is a closed one. */
export let socketFor: (sockets: Sockets, id: string) => WebSocket
/** The socket of a connection that a gateway has: the one that is referred to already, or a new one. */
export let openSocket: (sockets: Sockets, known: Known, rooms: string[] | undefined) => WebSocket

/** The app's open sockets, as `cloud.sockets`: a live Set. */
export class Sockets extends Set<WebSocket> {
  readonly #byId = new NativeMap<string, WebSocket>()
  /** Referred to by what was restored, and not open, or not yet. */
  readonly #closed = new NativeMap<string, WebSocket>()

  static {
    socketFor = (sockets, id) => {
      const known = mapGet(sockets.#byId, id) ?? mapGet(sockets.#closed, id)
      if (known !== undefined) return known
      const socket = socketOf(makeClosedConnection(id), undefined)
      mapSet(sockets.#closed, id, socket)
      return socket
    }
    openSocket = (sockets, known, rooms) => {
      const waiting = mapGet(sockets.#closed, known.id)
      if (waiting === undefined) return socketOf(makeConnection(known), rooms)
      mapDelete(sockets.#closed, known.id)
      const connection = connectionOf(waiting)
      openConnection(connection, known)
      if (rooms !== undefined) restoreRooms(waiting, connection, rooms)
      return waiting
    }
    addSocket = (sockets, socket) => {
      setAdd(sockets, socket)
      mapSet(sockets.#byId, connectionOf(socket).id, socket)
    }
    removeSocket = (sockets, socket) => {
      setDelete(sockets, socket)
      mapDelete(sockets.#byId, connectionOf(socket).id)
    }
  }

  /** The open socket with this id. */
  get(id: string): WebSocket | undefined {
    return mapGet(this.#byId, id)
  }

  /** The sockets in this room, now and later. */
  in(room: string): Room {
    checkRoom(room)
    return new Room(room)
  }

  /** One message to all clients of the app, by one command. */
  send(data: unknown, options?: BroadcastOptions | null): void {
    broadcast(null, setSize(this), data, options)
  }
}

named(Sockets, 'Sockets')

/** How many of the sockets have properties that functions have put on them. */
export function countExtras(sockets: Sockets): number {
  let count = 0
  setForEach(sockets, (socket) => {
    if (reflectOwnKeys(socket).length > (ownKeys ??= reflectOwnKeys(socketOf(makeClosedConnection(''), undefined)).length)) count++
  })
  return count
}

/** `cloud.sockets.in(room)`: a live view of who is in the room. */
export class Room {
  readonly #name: string
  constructor(name: string) {
    this.#name = name
  }

  get name(): string {
    return this.#name
  }
  get size(): number {
    return setSize(membersOf(this.#name))
  }
  has(socket: WebSocket): boolean {
    return setHas(membersOf(this.#name), socket)
  }
  forEach(each: (socket: WebSocket, same: WebSocket, room: Room) => void, receiver?: unknown): void {
    setForEach(membersOf(this.#name), (socket) => reflectApply(each, receiver, [socket, socket, this]))
  }
  values(): SetIterator<WebSocket> {
    return setValues(membersOf(this.#name))
  }
  [Symbol.iterator](): SetIterator<WebSocket> {
    return setValues(membersOf(this.#name))
  }

  /** One message to all in the room, by one command. */
  send(data: unknown, options?: BroadcastOptions | null): void {
    broadcast(this.#name, setSize(membersOf(this.#name)), data, options)
  }
}

named(Room, 'Room')
