import { WebSocket, WebSocketServer, type RawData, type Server, type ServerOptions } from 'ws'
import type { Limits } from '@socklet/config'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Connection } from './connection.ts'
import { endAtOnce } from './end-at-once.ts'
import { FREE_FRAGMENTS, receiveFairly } from './fair-receiver.ts'
import { Refusal, refuseSocket } from './refuse.ts'

/** A client's socket that knows its connection, so that all of them share their listeners. */
export class ClientSocket extends WebSocket {
  declare connection: Connection
}

/** Pieces of the network in which an unfinished frame comes, as much as in ws itself. */
const MIN_CHUNKS = 16 * 1024

/** Options of ws 8.23 that its types do not know yet. */
interface NewOptions {
  closeTimeout: number
  maxFragments: number
  maxBufferedChunks: number
}

const WINDOW_BITS = 12
const SMALL_WINDOW = /server_max_window_bits\s*=\s*"?(?:8|9|10|11)\b/i

/**
 * permessage-deflate where an app wants it. Nothing is remembered from message to message, and the compressor that a
 * connection keeps takes 32 KiB (zlib.h: 2^(windowBits+2) + 2^(memLevel+9)) and not the usual 256.
 */
const DEFLATE = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: WINDOW_BITS,
  concurrencyLimit: 8,
  zlibDeflateOptions: { memLevel: 5, chunkSize: 4 * 1024 },
  // Each chunk is a task of the thread pool, and a turn of ours.
  zlibInflateOptions: { chunkSize: 16 * 1024 }
}

function onMessage(this: WebSocket, data: RawData, binary: boolean): void {
  // A Buffer, because `binaryType` is left as it is.
  ;(this as ClientSocket).connection.onMessage(data as Buffer, binary)
}

function onPing(this: WebSocket, data: Buffer): void {
  ;(this as ClientSocket).connection.onPing(data)
}

function onPong(this: WebSocket, data: Buffer): void {
  ;(this as ClientSocket).connection.onPong(data)
}

function onError(this: WebSocket, error: Error): void {
  ;(this as ClientSocket).connection.onError(error)
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  ;(this as ClientSocket).connection.onClose(code, reason)
}

/** What is done on the way of an upgrade. */
export interface Handshake {
  /** Is asked before the client is accepted, if at all; it calls `accept` or answers on the socket itself. What it throws, `accept` of the acceptor throws. */
  ask: ((accept: (protocol: string | undefined) => void) => void) | null
  /** Makes the connection, within the same turn, so that nothing that the client sends at once is lost. */
  connect: (ws: ClientSocket) => Connection
}

type Options = Pick<Limits, 'messageBytes' | 'compressFromBytes'>

/** Turns upgrade requests into WebSockets. The only file that knows the `ws` server. */
export class WebSocketAcceptor {
  readonly #closeTimeout: number
  /** By options: ws takes them with the server, and a server without a port is only its options. */
  readonly #servers = new Map<string, Server<typeof ClientSocket>>()
  /** Handshakes that ask, and what was answered. */
  readonly #asking = new WeakMap<IncomingMessage, NonNullable<Handshake['ask']>>()
  readonly #chosen = new WeakMap<IncomingMessage, string>()

  constructor(closeTimeout: number) {
    this.#closeTimeout = closeTimeout
  }

  /** Shakes hands, or refuses what is no WebSocket handshake. */
  accept(request: IncomingMessage, socket: Socket, head: Buffer, limits: Options, { ask, connect }: Handshake): void {
    if (ask !== null) this.#asking.set(request, ask)
    this.#server(limits.messageBytes, asksForSmallWindow(request) ? 0 : limits.compressFromBytes).handleUpgrade(request, socket, head, (ws) => {
      ws.connection = connect(ws)
      const { share, fragments } = ws.connection.app
      receiveFairly(ws, socket, share, fragments)
      endAtOnce(ws.connection)
      ws.on('message', onMessage)
      ws.on('ping', onPing)
      ws.on('pong', onPong)
      ws.on('error', onError)
      ws.on('close', onClose)
    })
  }

  #server(messageBytes: number, compressFromBytes: number): Server<typeof ClientSocket> {
    const key = `${messageBytes}:${compressFromBytes}`
    let server = this.#servers.get(key)
    if (server === undefined) {
      server = this.#makeServer(messageBytes, compressFromBytes)
      this.#servers.set(key, server)
    }
    return server
  }

  #makeServer(maxPayload: number, compressFromBytes: number): Server<typeof ClientSocket> {
    const options: ServerOptions<typeof ClientSocket> & NewOptions = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: compressFromBytes > 0 && { ...DEFLATE, threshold: compressFromBytes },
      skipUTF8Validation: false,
      maxPayload,
      // Autobahn cuts messages into parts of 64 bytes. Of smaller ones there may be fewer (fair-receiver.ts).
      maxFragments: Math.max(FREE_FRAGMENTS, maxPayload / 64),
      // Not in proportion: ws takes them from the front of an array, which costs more the longer that is.
      maxBufferedChunks: Math.max(MIN_CHUNKS, maxPayload / 512),
      closeTimeout: this.#closeTimeout,
      verifyClient: ({ req }, then) => this.#verify(req, then),
      handleProtocols: (protocols, request) => this.#choose(protocols, request),
      WebSocket: ClientSocket
    }
    const server = new WebSocketServer<typeof ClientSocket>(options)
    // RFC 6455, 4.4: who speaks another version is told which one to speak.
    server.on('wsClientError', (error, socket) => refuseSocket(socket as Socket, new Refusal('bad_request', error.message), { 'sec-websocket-version': '13' }))
    return server
  }

  /** ws calls this once the request is a handshake. */
  #verify(request: IncomingMessage, then: (verified: boolean) => void): void {
    const ask = this.#asking.get(request)
    if (ask === undefined) then(true)
    else {
      ask((protocol) => {
        if (protocol !== undefined) this.#chosen.set(request, protocol)
        then(true)
      })
    }
  }

  /** The first one that the client offers, as in laf, unless another one was chosen. */
  #choose(protocols: Set<string>, request: IncomingMessage): string {
    const chosen = this.#chosen.get(request)
    return chosen !== undefined && protocols.has(chosen) ? chosen : protocols.values().next().value!
  }
}

/** RFC 7692, 7.1.2.1: a client may want us to compress with less memory than we do. ws would refuse it; it is served without. */
function asksForSmallWindow(request: IncomingMessage): boolean {
  const offers = request.headers['sec-websocket-extensions']
  return offers !== undefined && SMALL_WINDOW.test(offers)
}
