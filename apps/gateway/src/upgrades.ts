import { FrameType, type ConnectionHead } from '@socklet/protocol'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { forwardedHeaders } from './address.ts'
import type { App } from './app.ts'
import { Connection } from './connection.ts'
import type { Gateway } from './context.ts'
import { deliver, ensurePlaced } from './delivery.ts'
import { findApp } from './find-app.ts'
import { Pause } from './flow.ts'
import { asRefusal, Refusal, refuseSocket } from './refuse.ts'
import { route } from './routing.ts'
import type { ClientSocket } from './websocket-server.ts'

function ignore(): void {}

/** An upgrade request becomes a connection of its app, or is refused before the upgrade. */
export async function onUpgrade(gateway: Gateway, request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
  // A client that resets while we ask for its app is no error of ours.
  socket.on('error', ignore)
  let app: App | undefined
  try {
    const target = route(request.headers.host, request.url!, gateway.settings.domain)
    if (target === null) throw new Refusal('bad_request')
    app = await findApp(gateway, target.appid)
    checkRoom(app)
    // An app that cannot run refuses now, not with a close code later.
    await ensurePlaced(app)
    checkAgain(gateway, app)
    accept(app, request, socket, head, target.url)
  } catch (error) {
    const refusal = asRefusal(error)
    app?.countRefusal(refusal.status)
    refuseSocket(socket, refusal)
  }
}

function checkRoom(app: App): void {
  if (!app.servesWebSocket) throw new Refusal('no_websocket_function')
  if (app.open >= app.limits.connections) throw new Refusal('too_many_connections')
}

/** While the app was placed, it may have changed, and others may have connected. */
function checkAgain(gateway: Gateway, app: App): void {
  if (gateway.stopping) throw new Refusal('unavailable', 'the platform is stopping')
  if (gateway.apps.known(app.appid) !== app) throw new Refusal('app_not_found')
  if (app.suspended) throw new Refusal('app_suspended')
  checkRoom(app)
}

function accept(app: App, request: IncomingMessage, socket: Socket, head: Buffer, url: string): void {
  app.gateway.sockets.accept(request, socket, head, app.limits.messageBytes, (ws) => {
    socket.off('error', ignore)
    return open(app, request, socket, ws, url)
  })
}

function open(app: App, request: IncomingMessage, socket: Socket, ws: ClientSocket, url: string): Connection {
  const { gateway } = app
  const id = `${gateway.bootId}-${(++gateway.opened).toString(36)}`
  const head: ConnectionHead = { id, url, headers: forwardedHeaders(request), protocol: ws.protocol, extensions: ws.extensions }
  const connection = new Connection(app, gateway.numbers.take(), id, ws, socket, Buffer.from(JSON.stringify(head)))
  app.connections.set(connection.number, connection)
  app.open++
  app.counters.connectionsOpened++
  app.counters.events.connection++
  gateway.heartbeat.add(connection)
  if (app.queueFull) connection.pause(Pause.QUEUE)
  deliver(app, FrameType.OPEN, 0, connection, connection.head)
  return connection
}
