import { connect, type Socket } from 'node:net'
import { FrameSplitter, maskedFrame, Opcode } from './frames.ts'

const HOST = '127.0.0.1'
/** All sockets are read into one buffer: what comes is dealt with before the next is read. */
const READ_BUFFER = Buffer.alloc(64 * 1024)
/** Where nothing listens on all addresses, as a rule. */
const FIRST_PORT = 33_000
const CLOSE_FRAME = maskedFrame(Opcode.CLOSE, Buffer.of(0x03, 0xe8))

export interface ClientEvents {
  open(client: LoadClient): void
  /** So many messages have ended in what was read. */
  messages(client: LoadClient, count: number): void
  /** The connection is gone. `why` is '' if we asked for that. */
  gone(client: LoadClient, why: string): void
}

/** A WebSocket connection that costs as little as it can: `net`, a handshake by hand, frames that are only counted. */
export class LoadClient {
  /** Number of the connection, from 0. */
  readonly index: number
  /** For the kinds of load: when the oldest message that is not answered was sent, and so on. */
  readonly sentAt: number[] = []
  readonly #socket: Socket
  readonly #events: ClientEvents
  readonly #splitter = new FrameSplitter((opcode, payload) => this.#onControl(opcode, payload))
  #head: string | null = ''
  #closing = false
  #why = 'the connection was lost'

  /** `from`: an address of the generator's own to connect from, with ports of its own. Where the system has to find one among very many that are taken, that is most of what the generator does. */
  constructor(port: number, path: string, index: number, events: ClientEvents, from?: string) {
    this.index = index
    this.#events = events
    this.#socket = connect({ port, host: HOST, ...(from === undefined ? {} : { localAddress: from, localPort: FIRST_PORT + index }), noDelay: true, onread: { buffer: READ_BUFFER, callback: (count) => this.#onRead(count) } })
    this.#socket.on('error', (error) => {
      this.#why = error.message
    })
    // Without a `data` listener nothing makes the stream end when the server has ended it.
    this.#socket.on('end', () => this.#socket.destroy())
    this.#socket.once('close', () => events.gone(this, this.#closing ? '' : this.#why))
    // The key of the example in RFC 6455, 1.3.
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`)
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** The closing handshake (RFC 6455, 7.1.2); the server ends the connection. */
  close(): void {
    this.#closing = true
    this.#socket.write(CLOSE_FRAME)
  }

  destroy(): void {
    this.#closing = true
    this.#socket.destroy()
  }

  get payloadBytes(): number {
    return this.#splitter.payloadBytes
  }

  #onRead(count: number): boolean {
    const from = this.#head === null ? 0 : this.#readHead(count)
    if (from === count) return true
    const messages = this.#splitter.push(READ_BUFFER, from, count)
    if (messages > 0) this.#events.messages(this, messages)
    return true
  }

  /** Where the frames begin in what was read. */
  #readHead(count: number): number {
    const before = this.#head!.length
    this.#head += READ_BUFFER.toString('latin1', 0, count)
    const end = this.#head!.indexOf('\r\n\r\n')
    if (end === -1) return count
    if (!this.#head!.startsWith('HTTP/1.1 101 ')) {
      this.#why = `the upgrade was refused: ${this.#head!.slice(0, this.#head!.indexOf('\r\n'))}`
      this.#socket.destroy()
      return count
    }
    this.#head = null
    this.#events.open(this)
    return end + 4 - before
  }

  #onControl(opcode: number, payload: Buffer): void {
    if (opcode === Opcode.PING) this.#socket.write(maskedFrame(Opcode.PONG, payload))
    if (opcode === Opcode.CLOSE && !this.#closing) {
      this.#why = `closed by the server: ${payload.length < 2 ? 'no code' : payload.readUInt16BE(0)} ${payload.toString('utf8', 2)}`
      this.#socket.end(CLOSE_FRAME)
    }
  }
}
