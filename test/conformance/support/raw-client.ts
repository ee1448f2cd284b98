import { createHash } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { headOf, Opcode, received, type Received } from './frames.ts'

/** The key of the example in RFC 6455, 1.3. */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

const TIMEOUT_MS = 40_000

export interface Response {
  status: number
  headers: Record<string, string>
  body: string
}

/**
 * A client that writes whatever bytes it is told to, and takes what the server sends apart. It answers nothing by
 * itself: neither a ping nor a close.
 */
export class RawClient {
  readonly socket: Socket
  /** The server has ended the connection, in order or not. */
  ended = false
  /** The connection was reset. */
  reset = false
  /** Pings of the gateway's heartbeat that came: they come at any time, and are left out of what `frame` gives. */
  heartbeats = 0
  #chunks: Buffer[] = []
  #bytes = 0
  #wake: () => void = () => {}

  constructor(port: number, allowHalfOpen = false) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen, noDelay: true })
    this.socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#bytes += chunk.byteLength
      this.#wake()
    })
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.reset = error.code === 'ECONNRESET'
    })
    const onEnd = (): void => {
      this.ended = true
      this.#wake()
    }
    this.socket.on('end', onEnd)
    this.socket.on('close', onEnd)
  }

  write(...parts: (Uint8Array | string)[]): void {
    for (const part of parts) this.socket.write(part)
  }

  /** All parts in one write, so that they arrive as one as far as the system lets them. */
  writeTogether(...parts: (Uint8Array | string)[]): void {
    this.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part))))
  }

  /** Bytes that came and were not taken. */
  get bytes(): number {
    return this.#bytes
  }

  /** The head of the server's answer, and its body unless it is a 101. */
  async response(): Promise<Response> {
    const end = await this.#until('the head of the answer', () => this.#headEnd())
    const [statusLine, ...lines] = this.#peek().toString('latin1', 0, end).split('\r\n')
    const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]))
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine!)?.[1])
    this.#take(end + 4)
    const length = status === 101 ? 0 : Number(headers['content-length'] ?? 0)
    await this.#until('the body of the answer', () => this.#bytes >= length || this.ended)
    return { status, headers, body: this.#take(Math.min(length, this.#bytes)).toString() }
  }

  /** The next frame; null if the server ended the connection first. */
  async frame(timeoutMs?: number): Promise<Received | null> {
    for (;;) {
      await this.#until('a frame', () => this.#isFrameThere() || this.ended, timeoutMs)
      if (!this.#isFrameThere()) return null
      const head = headOf(this.#peek())!
      const next = received(this.#take(head.bytes + head.payload), head)
      if (next.opcode !== Opcode.PING) return next
      this.heartbeats++
    }
  }

  /** The next message. @throws Error if something else comes. */
  async message(): Promise<string | Buffer> {
    const next = await this.frame()
    if (next === null || !next.fin || next.rsv !== 0 || next.masked || (next.opcode !== Opcode.TEXT && next.opcode !== Opcode.BINARY)) {
      throw new Error(`no message: ${next === null ? 'the end' : JSON.stringify({ ...next, payload: next.payload.toString('latin1', 0, 100) })}`)
    }
    return next.opcode === Opcode.TEXT ? next.payload.toString() : next.payload
  }

  /** Code and reason of the server's close frame, whatever comes before it. `null` if the connection ends without one. */
  async closeFrame(): Promise<{ code: number | null; reason: string } | null> {
    for (;;) {
      const next = await this.frame()
      if (next === null) return null
      if (next.opcode !== Opcode.CLOSE) continue
      return { code: next.payload.byteLength === 0 ? null : next.payload.readUInt16BE(0), reason: next.payload.toString('utf8', 2) }
    }
  }

  /** Waits until the server has ended the connection. */
  async end(timeoutMs?: number): Promise<void> {
    await this.#until('the end of the connection', () => this.ended, timeoutMs)
  }

  destroy(): void {
    this.socket.destroy()
  }

  /** Asks anew whenever something has come. One waits at a time. */
  async #until<T>(what: string, ask: () => T, timeoutMs = TIMEOUT_MS): Promise<NonNullable<T>> {
    const end = Date.now() + timeoutMs
    for (;;) {
      const answer = ask()
      if (answer) return answer
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      const timer = setTimeout(resolve, Math.max(end - Date.now(), 0))
      await promise
      clearTimeout(timer)
      if (Date.now() > end && !ask()) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`)
    }
  }

  #headEnd(): number | null {
    const at = this.#peek().indexOf('\r\n\r\n')
    if (at === -1 && this.ended) throw new Error(`the connection ended without an answer, after ${JSON.stringify(this.#peek().toString('latin1'))}`)
    return at === -1 ? null : at
  }

  #isFrameThere(): boolean {
    // Only the first bytes of a large frame are looked at each time it grows.
    const head = headOf(this.#chunks[0] !== undefined && this.#chunks[0].byteLength >= 10 ? this.#chunks[0] : this.#peek())
    return head !== null && this.#bytes >= head.bytes + head.payload
  }

  #peek(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0]!
  }

  #take(count: number): Buffer {
    const bytes = this.#peek()
    this.#chunks = [bytes.subarray(count)]
    this.#bytes -= count
    return bytes.subarray(0, count)
  }
}

export interface Handshake {
  path: string
  method?: string
  version?: string
  /** undefined leaves a header out. */
  headers?: Record<string, string | undefined>
}

/** The request of an opening handshake (RFC 6455, 4.1). */
export function handshake({ path, method = 'GET', version = 'HTTP/1.1', headers = {} }: Handshake): string {
  const all: Record<string, string | undefined> = {
    Host: '127.0.0.1',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': KEY,
    'Sec-WebSocket-Version': '13',
    ...headers
  }
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
  return `${method} ${path} ${version}\r\n${lines.join('\r\n')}\r\n\r\n`
}

/** What the server has to answer to this key (RFC 6455, 4.2.2). */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

/** Connects and shakes hands. @throws Error if the upgrade is refused. */
export async function openRaw(port: number, path: string, more: Partial<Handshake> & { allowHalfOpen?: boolean } = {}): Promise<RawClient> {
  const client = new RawClient(port, more.allowHalfOpen)
  client.write(handshake({ path, ...more }))
  const { status, body } = await client.response()
  if (status !== 101) {
    client.destroy()
    throw new Error(`refused with ${status}: ${body}`)
  }
  return client
}
