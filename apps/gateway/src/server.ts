import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { listen } from '@socklet/protocol'
import type { Gateway } from './context.ts'
import { Refusal, refuseSocket, type RefusalCode } from './refuse.ts'
import { report } from './report.ts'
import { onRequest } from './requests.ts'
import { onUpgrade } from './upgrades.ts'

const OPTIONS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 10_000,
  connectionsCheckingInterval: 5_000,
  /** Any other protocol that a client would rather speak (h2c) is declined by going on in HTTP/1.1 (RFC 9110, 7.8). */
  shouldUpgradeCallback: (request: IncomingMessage) => request.headers.upgrade?.toLowerCase() === 'websocket'
}
const MAX_HEADERS = 200

/** Descriptors that are kept free for links and files. */
const SPARE_DESCRIPTORS = 64

/** The HTTP server that clients reach. */
export function makeServer(gateway: Gateway): Server {
  const server = createServer(OPTIONS, (request, response) => void onRequest(gateway, request, response))
  server.maxHeadersCount = MAX_HEADERS
  server.maxConnections = connectionsThatFit()
  // The next try of the client may reach another gateway: the system spreads connections over all who share the port, whether or not they are full.
  server.on('drop', () => report('refusing clients', `${server.maxConnections} connections are open, and its descriptors suffice for no more (ulimit -n, --gateways)`))
  server.on('upgrade', (request, socket, head) => void onUpgrade(gateway, request, socket as Socket, head))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => onClientError(error, socket as Socket))
  return server
}

/** Starts to listen and says at which port. */
export async function listenForClients(server: Server, { settings: { host, port, reusePort } }: Gateway): Promise<number> {
  await listen(server, { host, port, reusePort, backlog: 4096 }, (error) => report('accepting', error.message))
  return (server.address() as AddressInfo).port
}

const CLIENT_ERRORS: Record<string, RefusalCode> = { HPE_HEADER_OVERFLOW: 'headers_too_large', ERR_HTTP_REQUEST_TIMEOUT: 'timeout' }

function onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // Once something was answered, a further answer could be taken for a part of it.
  if (error.code === 'ECONNRESET' || socket.bytesWritten > 0) socket.destroy()
  else refuseSocket(socket, new Refusal(CLIENT_ERRORS[error.code ?? ''] ?? 'bad_request'))
}

/** Above this, connections are refused when they are accepted: better than to run out of descriptors in the midst of something. */
function connectionsThatFit(): number {
  // Without this, a report looks up the names of its peers.
  Object.assign(process.report, { excludeNetwork: true })
  const facts = process.report.getReport() as { userLimits?: { open_files?: { soft: string | number } } }
  const limit = Number(facts.userLimits?.open_files?.soft)
  return Number.isInteger(limit) ? Math.max(limit - SPARE_DESCRIPTORS, 1) : Infinity
}
