import { FIN_BINARY, FIN_PING, FIN_PONG, payloadOf } from './frame-message.ts'
import type { ClientSocket } from './websocket-server.ts'

export type Written = (error?: Error | null) => void

/** What ws holds for a message that waits for its turn to be compressed, roughly, beside its bytes. */
const WAITING_BYTES = 256
const TEXT = { binary: false }
const BINARY = { binary: true }

/**
 * The way out of a connection that negotiated compression (RFC 7692): compressing takes its time in another thread, and
 * ws keeps what comes after a message behind it. So all that such a connection is sent goes through ws.
 */
export class CompressedWriter {
  readonly #ws: ClientSocket
  #waiting = 0
  readonly #onWritten: Written

  /** `onLeft` is called after each message that has left. */
  constructor(ws: ClientSocket, onLeft: () => void) {
    this.#ws = ws
    this.#onWritten = () => {
      this.#waiting--
      onLeft()
    }
  }

  /** Bytes that are held for the client. */
  get bytes(): number {
    return this.#ws.bufferedAmount + this.#waiting * WAITING_BYTES
  }

  write(frame: Uint8Array, written?: Written): void {
    this.#waiting++
    const onWritten = written === undefined ? this.#onWritten : this.#both(written)
    // A copy: ws may hold it for long, and the chunk that it came in would stay with it.
    const payload = Buffer.from(payloadOf(frame))
    if (frame[0] === FIN_PING) this.#ws.ping(payload, false, onWritten)
    else if (frame[0] === FIN_PONG) this.#ws.pong(payload, false, onWritten)
    else this.#ws.send(payload, frame[0] === FIN_BINARY ? BINARY : TEXT, onWritten)
  }

  #both(written: Written): Written {
    return (error) => {
      this.#onWritten()
      written(error)
    }
  }
}
