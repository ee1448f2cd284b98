/* oxlint-disable no-underscore-dangle -- the names are those of ws */
import { Socket } from 'node:net'
import type { Connection } from './connection.ts'
import { readSlowly } from './read-slowly.ts'
import type { Receiver } from './ws-receiver.ts'

/** What is used here of the WebSocket of ws 8 (lib/websocket.js): which close frames have passed. */
interface Closing {
  readonly _closeFrameSent: boolean
  readonly _closeFrameReceived: boolean
  readonly _receiver: Pick<Receiver, '_bufferedBytes'>
}

interface EndingSocket extends Socket {
  connection?: Connection
}

/**
 * ws ends a socket when both close frames have passed, and waits for the client to end it, too. But nothing comes behind a close frame
 * (RFC 6455, 5.5.1), and it is the server that closes first (7.1.1): so it is closed at once, which is one system call in place of
 * two, and spares a turn of the event loop in which only the end is read. What would come behind it all the same would be answered
 * with a reset, for which a client may forget what it has not read yet: who sends more, or may still answer a ping, gets the slow end.
 */
export function endAtOnce(connection: Connection): void {
  Object.assign(connection.socket, { connection, end })
}

function end(this: EndingSocket, ...rest: unknown[]): EndingSocket {
  const connection = this.connection!
  const { _closeFrameSent: sent, _closeFrameReceived: received, _receiver: receiver } = connection.ws as unknown as Closing
  if (sent && received && !connection.awaitsPong && receiver._bufferedBytes === 0) {
    // Not within the callback of a write, where Node makes an error for those that wait, whether or not there are any.
    process.nextTick(destroy, this)
    return this
  }
  if (received) readSlowly(this)
  return Reflect.apply(Socket.prototype.end, this, rest) as EndingSocket
}

function destroy(socket: Socket): void {
  socket.destroy()
}
