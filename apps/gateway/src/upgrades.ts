import { WEBSOCKET_FUNCTION } from '@socklet/config'
import { FrameType, type ConnectionHead, type LogLine, type UpgradeHead } from '@socklet/protocol'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { clientAddress, forwardedHeaders } from './address.ts'
import type { App } from './app.ts'
import { Connection } from './connection.ts'
import type { Gateway } from './context.ts'
import { deliver, ensurePlaced } from './delivery.ts'
import { findApp } from './find-app.ts'
import { Pause, requestFits } from './flow.ts'
import { PendingUpgrade, type Verdict } from './pending-upgrade.ts'
import { reached } from './reached.ts'
import { asRefusal, endSocket, Refusal, refuseSocket } from './refuse.ts'
import { requestIdOf } from './requests.ts'
import { hasTwoHosts, route } from './routing.ts'
import type { ClientSocket } from './websocket-server.ts'

/** Clients of one app about which it has not decided. */
const MAX_WAITING = 1_000
const NOTHING = new Uint8Array(0)

function ignore(): void {}

/** An upgrade request becomes a connection of its app, or is refused before the upgrade. */
export async function onUpgrade(gateway: Gateway, request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
  // A client that resets while we ask for its app is no error of ours.
  socket.on('error', ignore)
  let app: App | undefined
  try {
    checkHttp(request)
    const target = hasTwoHosts(request.rawHeaders) ? null : route(request.headers.host, request.url!, gateway.settings.domain)
    if (target === null) throw new Refusal('bad_request')
    app = await findApp(gateway, target.appid, true)
    checkRoom(app)
    // An app that cannot run refuses now, not with a close code later.
    await ensurePlaced(app)
    checkAgain(gateway, app)
    shakeHands(app, request, socket, head, target.url)
  } catch (error) {
    refuse(app, socket, error)
  }
}

function refuse(app: App | undefined, socket: Socket, error: unknown): void {
  const refusal = asRefusal(error)
  app?.countRefusal(refusal.status)
  refuseSocket(socket, refusal)
}

/** RFC 6455, 4.2.1: an upgrade is of HTTP/1.1 or higher, and names its Host. */
function checkHttp({ httpVersion, headers }: IncomingMessage): void {
  if (httpVersion !== '1.1' || headers.host === undefined) throw new Refusal('bad_request', 'a WebSocket begins with an upgrade in HTTP/1.1 that names its Host')
}

function checkRoom(app: App): void {
  if (!app.servesWebSocket) throw new Refusal('no_websocket_function')
  if (app.open < app.limits.connections) return
  reached(app, 'connections', `a client was refused with 429: ${app.limits.connections} connections are open`)
  throw new Refusal('too_many_connections')
}

/** While the app was placed, it may have changed, and others may have connected. */
function checkAgain(gateway: Gateway, app: App): void {
  if (gateway.stopping) throw new Refusal('unavailable', 'the platform is stopping')
  if (gateway.apps.known(app.appid) !== app) throw new Refusal('app_not_found')
  if (app.suspended) throw new Refusal('app_suspended')
  checkRoom(app)
}

function shakeHands(app: App, request: IncomingMessage, socket: Socket, head: Buffer, url: string): void {
  const headers = forwardedHeaders(request, app.gateway.settings)
  let data: Uint8Array = NOTHING
  const { limits, route: { upgrade } } = app
  app.gateway.sockets.accept(request, socket, head, limits, {
    // Asked only for what is a handshake. Until it is answered, the socket is not read beyond what node takes in advance.
    ask: upgrade ? (accept) => askApp(app, request, socket, { url, headers }, (protocol, first) => {
      data = first
      accept(protocol)
    }) : null,
    connect(ws) {
      socket.off('error', ignore)
      return open(app, socket, ws, url, headers, data)
    }
  })
}

function open(app: App, socket: Socket, ws: ClientSocket, url: string, headers: IncomingHttpHeaders, data: Uint8Array): Connection {
  const { gateway } = app
  const id = `${gateway.bootId}-${(++gateway.opened).toString(36)}`
  const head: ConnectionHead = { id, url, headers, protocol: ws.protocol, extensions: ws.extensions }
  const connection = new Connection(app, gateway.numbers.take(), id, ws, socket, head)
  connection.setData(data)
  app.connections.set(connection.number, connection)
  app.open++
  app.counters.connectionsOpened++
  app.counters.events.connection++
  gateway.heartbeat.add(connection)
  if (app.queueFull) connection.pause(Pause.QUEUE)
  deliver(app, FrameType.OPEN, 0, connection, connection.opening())
  return connection
}

/** `upgrade(ctx)` decides. What it says is obeyed if it still may be. */
function askApp(app: App, request: IncomingMessage, socket: Socket, asked: Pick<UpgradeHead, 'url' | 'headers'>, accept: (protocol: string | undefined, data: Uint8Array) => void): void {
  const protocols = offered(request)
  const head: UpgradeHead = { ...asked, requestId: requestIdOf(request), address: clientAddress(asked.headers), protocols }
  const payload = Buffer.from(JSON.stringify(head))
  if (app.upgrades.size >= MAX_WAITING || !requestFits(app, payload.byteLength)) throw new Refusal('queue_full')
  const upgrade = new PendingUpgrade(app, head.requestId, socket, (verdict) => {
    try {
      if (verdict instanceof Refusal) throw verdict
      if (verdict.accept) {
        checkAgain(app.gateway, app)
        checkProtocol(app, head, verdict.protocol)
        accept(verdict.protocol, verdict.data)
      } else refuseByApp(app, socket, verdict)
    } catch (error) {
      refuse(app, socket, error)
    }
  })
  deliver(app, FrameType.UPGRADE, 0, upgrade, payload)
}

/** The subprotocols in the client's order. The header was checked by ws. */
function offered(request: IncomingMessage): string[] {
  return request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? []
}

/** RFC 6455, 4.2.2: only what was offered can be chosen; the client would fail the connection. */
function checkProtocol(app: App, { protocols, requestId }: UpgradeHead, chosen: string | undefined): void {
  if (chosen === undefined || protocols.includes(chosen)) return
  const message = `upgrade() chose the subprotocol ${JSON.stringify(chosen.slice(0, 100))}, which the client does not offer: it gets the first that it offers`
  const line: LogLine = { time: Date.now(), level: 'warn', function: WEBSOCKET_FUNCTION, requestId, connection: '', version: 0, message }
  app.gateway.pool.note('log', { app: app.number, line })
}

function refuseByApp(app: App, socket: Socket, { status, headers, body }: Extract<Verdict, { accept: false }>): void {
  app.countRefusal(status)
  endSocket(socket, status, [...headers, ['content-length', String(body.byteLength)]], body)
}
