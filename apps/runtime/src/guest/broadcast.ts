import { sendRoom } from './outbox.ts'
import { NativeTypeError, bareArray, objectHasOwn, symbolIterator } from './primordials.ts'
import { EMPTY, toBytes } from './socket-bytes.ts'
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
  sendRoom(room, except, count, text ? message : toBytes(message || EMPTY), binary, receivers)
}

function iterable(value: Iterable<unknown>): Iterable<unknown> {
  if (typeof (value as unknown as Record<symbol, unknown>)[symbolIterator] !== 'function') throw new NativeTypeError('except must be a socket or a list of sockets')
  return value
}
