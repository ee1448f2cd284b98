import { validateHeaderName, validateHeaderValue, type ServerResponse } from 'node:http'
import type { ResponseHead } from '@socklet/protocol'
import type { PendingRequest } from './pending-request.ts'

/** Headers that are the connection's and not the answer's (RFC 9110, 7.6.1), and the length, which we know better. */
const NOT_THE_FUNCTIONS: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'content-length'])

/** The head of an answer and the first part of its body. */
export function onResponse(request: PendingRequest, headJson: Buffer, part: Buffer, last: boolean): void {
  const head = parseHead(headJson)
  if (head === null) {
    tellInvalid(request)
    request.fail()
    return
  }
  const { response } = request
  request.begun = true
  if (response.destroyed) {
    request.ended = last
    return
  }
  response.statusCode = head.status
  setHeaders(response, head.headers)
  if (last) endWhole(request, head, part)
  else {
    // At once, even without a body: who reads a stream of events waits for the head.
    response.flushHeaders()
    write(request, part)
  }
}

/** The guest refuses such a one, so it did not come from the guest. Whoever looks for the reason of a 500 finds one all the same. */
function tellInvalid({ app, requestId, functionName }: PendingRequest): void {
  const line = { time: Date.now(), level: 'error' as const, function: functionName, requestId, connection: '', version: 0, message: 'the answer was replaced by 500: its head is none' }
  app.gateway.pool.note('log', { app: app.number, line })
}

/** A further part of a body. */
export function onResponsePart(request: PendingRequest, part: Buffer, last: boolean): void {
  if (request.ended) return
  request.ended = last
  if (request.response.destroyed) return
  write(request, part)
  if (last && !request.response.destroyed) request.response.end()
}

function endWhole(request: PendingRequest, { status, headers }: ResponseHead, part: Buffer): void {
  request.ended = true
  const { response } = request
  const length = request.method === 'HEAD' && part.byteLength === 0 ? announcedLength(headers) : part.byteLength
  // RFC 9110, 8.6: 204 has no length, and that of 304 would be the length of something else.
  if (length !== null && status !== 204 && status !== 304) response.setHeader('content-length', length)
  response.end(part.byteLength === 0 ? undefined : copyOf(part))
}

/** A function that answers HEAD may say how long the body would be (RFC 9110, 9.3.2). */
function announcedLength(headers: ResponseHead['headers']): number | null {
  const given = headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1]
  return given !== undefined && /^\d{1,15}$/.test(given) ? Number(given) : null
}

function write(request: PendingRequest, part: Buffer): void {
  const { response, app } = request
  if (part.byteLength > 0) response.write(copyOf(part))
  // The client reads too slowly. A function cannot be told to wait, so the answer ends.
  if (response.writableLength > app.limits.sendBufferBytes) request.abort()
}

/** The bytes belong to the link, and the part may wait for its client. */
function copyOf(part: Buffer): Buffer {
  return Buffer.from(part)
}

function parseHead(json: Buffer): ResponseHead | null {
  try {
    const head = JSON.parse(json.toString()) as ResponseHead
    const { status, headers } = head
    const fits = Number.isInteger(status) && status >= 200 && status <= 999 && Array.isArray(headers) && headers.every(isHeader)
    return fits ? head : null
  } catch {
    return null
  }
}

/** A header as commands carry it. */
export function isHeader(header: unknown): boolean {
  return Array.isArray(header) && typeof header[0] === 'string' && typeof header[1] === 'string'
}

function setHeaders(response: ServerResponse, headers: ResponseHead['headers']): void {
  const seen = new Set<string>()
  for (const [name, value] of headers) {
    const lower = name.toLowerCase()
    if (!maySet(name, value)) continue
    // The function's word replaces ours (CORS, request-id), but adds to its own: several cookies are several headers.
    // What caches need to know of our CORS headers stays true.
    if (seen.has(lower) || lower === 'vary') response.appendHeader(name, value)
    else response.setHeader(name, value)
    seen.add(lower)
  }
}

/** Whether a function may say this in an answer. */
export function maySet(name: string, value: string): boolean {
  if (NOT_THE_FUNCTIONS.has(name.toLowerCase())) return false
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}
