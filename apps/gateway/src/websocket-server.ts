import { WebSocket, WebSocketServer, type RawData, type Server } from 'ws'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Connection } from './connection.ts'
import { Refusal, refuseSocket } from './refuse.ts'

/** A client's socket that knows its connection, so that all of them share their listeners. */
export class ClientSocket extends WebSocket {
  declare connection: Connection
}

function onMessage(this: WebSocket, data: RawData, binary: boolean): void {
  // A Buffer, because `binaryType` is left as it is.
  ;(this as ClientSocket).connection.onMessage(data as Buffer, binary)
}

function onError(this: WebSocket, error: Error): void {
  ;(this as ClientSocket).connection.onError(error)
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  ;(this as ClientSocket).connection.onClose(code, reason)
}

/** Turns upgrade requests into WebSockets. The only file that knows the `ws` server. */
export class WebSocketAcceptor {
  readonly #closeTimeout: number
  /** By message size: ws takes the limit with the server's options, and a server without a port is only its options. */
  readonly #servers = new Map<number, Server<typeof ClientSocket>>()

  constructor(closeTimeout: number) {
    this.#closeTimeout = closeTimeout
  }

  /**
   * Shakes hands, or refuses what is no WebSocket handshake. `connect` makes the connection, within the same turn,
   * so that nothing that the client sends at once is lost.
   */
  accept(request: IncomingMessage, socket: Socket, head: Buffer, messageBytes: number, connect: (ws: ClientSocket) => Connection): void {
    this.#server(messageBytes).handleUpgrade(request, socket, head, (ws) => {
      ws.connection = connect(ws)
      ws.on('message', onMessage)
      ws.on('error', onError)
      ws.on('close', onClose)
    })
  }

  #server(maxPayload: number): Server<typeof ClientSocket> {
    let server = this.#servers.get(maxPayload)
    if (server === undefined) {
      server = makeServer(maxPayload, this.#closeTimeout)
      this.#servers.set(maxPayload, server)
    }
    return server
  }
}

function makeServer(maxPayload: number, closeTimeout: number): Server<typeof ClientSocket> {
  const options = { noServer: true, clientTracking: false, perMessageDeflate: false, skipUTF8Validation: false, maxPayload, closeTimeout, WebSocket: ClientSocket }
  const server = new WebSocketServer<typeof ClientSocket>(options)
  // RFC 6455, 4.4: who speaks another version is told which one to speak.
  server.on('wsClientError', (error, socket) => refuseSocket(socket as Socket, new Refusal('bad_request', error.message), { 'sec-websocket-version': '13' }))
  return server
}
