import { CallError } from '@socklet/protocol'
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { report } from './report.ts'

/** Everything that the gateway itself refuses: code, HTTP status, what the client reads. docs/clients.md has them, too. */
export const REFUSALS = {
  bad_request: [400, 'the request cannot be understood'],
  app_suspended: [403, 'the app is suspended'],
  app_not_found: [404, 'there is no such app'],
  no_websocket_function: [404, 'the app has no function __websocket__'],
  method_not_allowed: [405, 'the function does not list this method'],
  timeout: [408, 'the request did not arrive in time'],
  body_too_large: [413, 'the body is above 10 MB'],
  unsupported_encoding: [415, 'a body with a content-encoding is not accepted'],
  too_many_connections: [429, 'the app has as many connections as it may have'],
  headers_too_large: [431, 'the header fields are too large'],
  upgrade_failed: [500, 'the app could not decide about the upgrade'],
  queue_full: [503, 'too many events wait for the app'],
  unavailable: [503, 'the app cannot run at the moment']
} as const satisfies Record<string, readonly [number, string]>

export type RefusalCode = keyof typeof REFUSALS

/** A refusal on its way to the client that asked. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  readonly status: number
  constructor(code: RefusalCode, message: string = REFUSALS[code][1]) {
    super(message)
    this.code = code
    this.status = REFUSALS[code][0]
  }
}

/**
 * The refusal that an error amounts to. The pool refuses or does not answer with a CallError; anything else is a
 * mistake of ours, which the operator should see and the client need not.
 */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (!(error instanceof CallError)) report('a request failed', error)
  return new Refusal('unavailable')
}

/** How long a refused client may go on sending before its socket is destroyed. */
const LINGER_MS = 2_000

/** Answers an upgrade or a broken request on its bare socket. */
export function refuseSocket(socket: Socket, refusal: Refusal, headers: Record<string, string> = {}): void {
  const body = bodyOf(refusal)
  endSocket(socket, refusal.status, Object.entries({ ...headersOf(refusal, body), ...headers }), Buffer.from(body))
}

/** Answers on a bare socket, and closes it. */
export function endSocket(socket: Socket, status: number, headers: [name: string, value: string][], body: Uint8Array): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const lines = [...headers, ['connection', 'close']].map(([name, value]) => `${name}: ${value}\r\n`).join('')
  // What the client sent meanwhile is read away: a socket that is closed with unread bytes resets, and the client may lose the answer.
  socket.resume()
  // Values of headers are Latin-1, as node's own.
  const head = Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}\r\n`, 'latin1')
  socket.end(Buffer.concat([head, body]))
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref()
  socket.once('close', () => clearTimeout(timer))
}

/** Answers a request. */
export function refuseRequest(response: ServerResponse, refusal: Refusal, headers: Record<string, string> = {}): void {
  const body = bodyOf(refusal)
  response.writeHead(refusal.status, { ...headersOf(refusal, body), ...headers })
  response.end(body)
}

/**
 * Answers a request whose body is still on its way. The answer is complete at once, but the connection ends
 * only when the client has stopped sending, or it would be reset and the client might not see the answer.
 */
export function refuseBody(request: IncomingMessage, response: ServerResponse, refusal: Refusal, headers: Record<string, string> = {}): void {
  const body = bodyOf(refusal)
  response.writeHead(refusal.status, { ...headersOf(refusal, body), ...headers, connection: 'close' })
  response.write(body)
  const finish = (): void => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(finish, LINGER_MS).unref()
  if (request.complete) finish()
  else request.once('end', finish).once('close', finish).resume()
}

function bodyOf(refusal: Refusal): string {
  return JSON.stringify({ error: { code: refusal.code, message: refusal.message } })
}

function headersOf(refusal: Refusal, body: string): Record<string, string> {
  const again: Record<string, string> = refusal.status === 503 || refusal.status === 429 ? { 'retry-after': '1' } : {}
  return { 'content-type': 'application/json; charset=utf-8', 'content-length': String(Buffer.byteLength(body)), ...again }
}
