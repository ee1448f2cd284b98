import { CLOSED, type Connection } from './connection.ts'
import { push } from './lists.ts'
import { sendRoom } from './outbox.ts'
import { NativeTypeError, bareArray, objectHasOwn, setForEach, setHas, setSize, symbolIterator, typedArrayByteLength } from './primordials.ts'
import { EMPTY, joinBytes, toBytes } from './socket-bytes.ts'
import { delay, delayedConnections, sendMessage } from './socket-send.ts'
import { connectionOf, isSocket, type WebSocket } from './socket.ts'

export interface BroadcastOptions {
  /** Who does not get it. */
  except?: WebSocket | Iterable<WebSocket> | null
  binary?: boolean
}

/** One message to all in a room, or with null to all of the app: one command, however many they are. `receivers`: how many are there. */
export function broadcast(room: string | null, receivers: number, data: unknown, options: BroadcastOptions | null | undefined): void {
  const message = typeof data === 'number' ? `${data}` : data
  const text = typeof message === 'string'
  const binary = options && objectHasOwn(options, 'binary') ? !!options.binary : !text
  const except = bareArray<number>()
  let count = 0
  const leaveOut = (socket: unknown): void => {
    if (!isSocket(socket)) throw new NativeTypeError('except must be a socket or a list of sockets')
    const { gateway, number } = connectionOf(socket)
    except[count++] = gateway
    except[count++] = number
  }
  const excepted = options?.except
  if (isSocket(excepted)) leaveOut(excepted)
  // The list is the tenant's, so it is gone through in the tenant's way; nothing of ours is in its hands.
  else if (excepted !== undefined && excepted !== null) for (const socket of iterable(excepted)) leaveOut(socket)
  const payload = text ? message : toBytes(message || EMPTY)
  if (setSize(delayedConnections) === 0) sendRoom(room, except, count, payload, binary, receivers)
  else sendAround(room, except, count, payload, binary, receivers)
}

/** Receivers that read a Blob get the message behind it, and the others now: to each of them they are messages in order. */
function sendAround(room: string | null, except: number[], count: number, payload: string | Uint8Array, binary: boolean, receivers: number): void {
  const late = bareArray<Connection>()
  let all = count
  setForEach(delayedConnections, (connection) => {
    if (!isIn(connection, room) || isExcepted(connection, except, count)) return
    push(late, connection)
    except[all++] = connection.gateway
    except[all++] = connection.number
  })
  sendRoom(room, except, all, payload, binary, receivers)
  // The caller may change the bytes meanwhile.
  const kept = typeof payload === 'string' ? payload : joinBytes([payload], 1, typedArrayByteLength(payload))
  for (let i = 0; i < late.length; i++) delay(late[i]!, () => sendMessage(late[i]!, kept, { binary, fin: true }, undefined))
}

function isIn(connection: Connection, room: string | null): boolean {
  if (room === null) return connection.readyState !== CLOSED
  return connection.rooms !== null && setHas(connection.rooms, room)
}

function isExcepted(connection: Connection, except: number[], count: number): boolean {
  for (let i = 0; i < count; i += 2) if (except[i] === connection.gateway && except[i + 1] === connection.number) return true
  return false
}

function iterable(value: Iterable<unknown>): Iterable<unknown> {
  if (typeof (value as unknown as Record<symbol, unknown>)[symbolIterator] !== 'function') throw new NativeTypeError('except must be a socket or a list of sockets')
  return value
}
