import { FrameType, writeU32 } from '@socklet/protocol'
import type { Connection } from './connection.ts'
import { notify } from './notify.ts'

/*
 * `bufferedAmount` of clients that do not keep up: the app hears of it when it begins, when it has doubled or halved, and when all
 * has left. Of clients that keep up it hears nothing, and they cost nothing.
 */

/** After a write that the system did not take at once. */
export function noteBacklog(connection: Connection): void {
  const waiting = connection.buffered
  if (waiting >= connection.backlog * 2) tellBacklog(connection, waiting)
  if (!connection.watched) watch(connection)
}

/** A new life of the app hears of it anew. */
export function repeatBacklog(connection: Connection): void {
  if (connection.backlog > 0) tellBacklog(connection, connection.backlog)
}

/** An empty write is done when all that was written before it is. */
function watch(connection: Connection): void {
  connection.watched = true
  connection.socket.write('', () => {
    connection.watched = false
    if (!connection.isOpen) return
    const waiting = connection.socket.writableLength === 0 ? 0 : connection.buffered
    if (waiting * 2 <= connection.backlog) tellBacklog(connection, waiting)
    if (waiting > 0) watch(connection)
  })
}

function tellBacklog(connection: Connection, bytes: number): void {
  connection.backlog = bytes
  const payload = Buffer.allocUnsafe(4)
  writeU32(payload, 0, bytes)
  notify(connection.app, FrameType.BUFFERED, connection, payload)
}
