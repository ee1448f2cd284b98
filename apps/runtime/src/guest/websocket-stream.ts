import type { Duplex, DuplexOptions } from 'readable-stream'
import { CLOSED } from './connection.ts'
import type { WebSocket } from './socket.ts'

type DuplexConstructor = new (options: DuplexOptions) => Duplex

/**
 * A socket as a Duplex, as `createWebSocketStream` of ws (docs, "createWebSocketStream()"): its messages are what is read,
 * what is written leaves as messages, and a reader that is slow pauses the socket.
 */
export function createWebSocketStream(Duplex: DuplexConstructor, socket: WebSocket, options: DuplexOptions = {}): Duplex {
  /** Not after an error of the socket: it is closing already, with a close frame that a cut would lose. */
  let terminates = true

  const rules: DuplexOptions & { autoDestroy: boolean; emitClose: boolean } = {
    ...options,
    // When the stream is over is when the socket is.
    autoDestroy: false,
    emitClose: false,
    objectMode: false,
    writableObjectMode: false,
    read: () => {
      if (socket.isPaused) socket.resume()
    },
    write: (chunk: unknown, _encoding: string, written: (error?: Error | null) => void) => socket.send(chunk, written),
    final: (finished: (error?: Error | null) => void) => {
      whenClosed(() => finished())
      socket.close()
    },
    destroy: (error: Error | null, destroyed: (error: Error | null) => void) => {
      whenClosed(() => {
        destroyed(error)
        process.nextTick(() => stream.emit('close'))
      })
      if (terminates) socket.terminate()
    }
  }
  const stream: Duplex = new Duplex(rules)

  function whenClosed(then: () => void): void {
    if (socket.readyState === CLOSED) then()
    else socket.once('close', then)
  }
  function destroyWhenOver(): void {
    if (stream.readableEnded && stream.writableFinished && !stream.destroyed) stream.destroy()
  }

  socket.on('message', (data: Uint8Array, isBinary: boolean) => {
    if (!stream.push(!isBinary && stream.readableObjectMode ? `${data}` : data)) socket.pause()
  })
  socket.once('error', (error: Error) => {
    if (stream.destroyed) return
    terminates = false
    stream.destroy(error)
  })
  socket.once('close', () => {
    if (!stream.destroyed) stream.push(null)
  })
  stream.on('end', destroyWhenOver)
  stream.on('finish', destroyWhenOver)
  stream.once('error', (error: Error) => {
    stream.destroy()
    // Who does not listen to errors is not spared them.
    if (stream.listenerCount('error') === 0) stream.emit('error', error)
  })
  return stream
}
