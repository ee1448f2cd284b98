import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Settings } from './settings.ts'

/** The peer's address; IPv4 as such where it came mapped into IPv6. */
function addressOf(socket: Socket): string {
  const address = socket.remoteAddress ?? ''
  return address.startsWith('::ffff:') ? address.slice(7) : address
}

/**
 * The headers as they came, but for the two from which laf's functions learn the client's address. Anybody can write them,
 * so they say what we see ourselves, unless a proxy in front is trusted to have set them.
 */
export function forwardedHeaders(request: IncomingMessage, { trustProxy }: Settings): IncomingHttpHeaders {
  const address = addressOf(request.socket)
  const { 'x-real-ip': realIp, 'x-forwarded-for': forwarded } = request.headers
  if (!trustProxy) return { ...request.headers, 'x-real-ip': address, 'x-forwarded-for': address }
  // As every proxy does: it adds whom it got the request from, so the last one is whom the trusted proxy saw.
  const chain = forwarded === undefined ? address : `${String(forwarded)}, ${address}`
  const seen = forwarded === undefined ? address : String(forwarded).split(',').at(-1)!.trim()
  return { ...request.headers, 'x-real-ip': realIp ?? seen, 'x-forwarded-for': chain }
}

/** The client's address, from headers that `forwardedHeaders` made. */
export function clientAddress(headers: IncomingHttpHeaders): string {
  return String(headers['x-real-ip'])
}
