import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** The client's address; IPv4 as such where it came mapped into IPv6. */
export function addressOf(socket: Socket): string {
  const address = socket.remoteAddress ?? ''
  return address.startsWith('::ffff:') ? address.slice(7) : address
}

/** The headers as they came, with the two from which laf's functions learn the client's address: an ingress before us may have set them. */
export function forwardedHeaders(request: IncomingMessage): IncomingHttpHeaders {
  const address = addressOf(request.socket)
  return { 'x-real-ip': address, 'x-forwarded-for': address, ...request.headers }
}
