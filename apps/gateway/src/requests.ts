import { FrameType, withHead, type RequestHead } from '@socklet/protocol'
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { clientAddress, forwardedHeaders } from './address.ts'
import type { App } from './app.ts'
import { ArrivingRequest } from './arriving.ts'
import { announcedBytes, readBody } from './body.ts'
import type { Gateway } from './context.ts'
import { allowOrigin, answerPreflight, isPreflight } from './cors.ts'
import { deliver, ensurePlaced } from './delivery.ts'
import { findApp } from './find-app.ts'
import { requestFits } from './flow.ts'
import { answerHealth } from './health.ts'
import { PendingRequest } from './pending-request.ts'
import { asRefusal, refuseBody, refuseRequest, Refusal } from './refuse.ts'
import { functionOf, hasTwoHosts, route } from './routing.ts'

const DEFAULT_FUNCTION = '__default__'
const SANE_ID = /^[\x20-\x7e]{1,128}$/

/** An HTTP request becomes an event of its app, or is refused. */
export async function onRequest(gateway: Gateway, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.on('error', () => {})
  let app: App | undefined
  try {
    const target = hasTwoHosts(request.rawHeaders) ? null : route(request.headers.host, request.url!, gateway.settings.domain)
    if (target === null) throw new Refusal('bad_request')
    if (target.byPath && answerHealth(gateway, request, response)) return
    allowOrigin(request, response)
    const requestId = requestIdOf(request)
    response.setHeader('request-id', requestId)
    app = await findApp(gateway, target.appid)
    await toFunction(app, request, response, target.url, requestId)
  } catch (error) {
    refuse(app, request, response, error)
  }
}

async function toFunction(app: App, request: IncomingMessage, response: ServerResponse, url: string, requestId: string): Promise<void> {
  const name = functionNameOf(app, url)
  const methods = name === null ? [] : app.route.functions[name]!
  if (isPreflight(request)) {
    answerPreflight(request, response, methods)
    return
  }
  if (name === null) {
    answerNotFound(app, response)
    return
  }
  if (!isListed(request.method!, methods)) throw new MethodRefusal(methods)
  const arriving = new ArrivingRequest(app)
  try {
    checkQueue(app)
    arriving.check(announcedBytes(request))
    const body = await readBody(request, (bytes) => arriving.take(bytes))
    await ensurePlaced(app)
    checkAgain(app)
    // From here on it is counted as an event.
    arriving.end()
    if (!response.destroyed) dispatch(app, request, response, { requestId, function: name, url }, body)
  } finally {
    arriving.end()
  }
}

function checkQueue(app: App): void {
  if (!requestFits(app, 0)) throw new Refusal('queue_full')
}

/** While the body came and the app was placed, it may have changed, and others may have filled its queue. */
function checkAgain(app: App): void {
  if (app.suspended) throw new Refusal('app_suspended')
  if (app.gateway.apps.known(app.appid) !== app) throw new Refusal('app_not_found')
  checkQueue(app)
}

function dispatch(app: App, request: IncomingMessage, response: ServerResponse, asked: Pick<RequestHead, 'requestId' | 'function' | 'url'>, body: Buffer): void {
  const headers = forwardedHeaders(request, app.gateway.settings)
  const head: RequestHead = { ...asked, method: request.method!, headers, address: clientAddress(headers) }
  const pending = new PendingRequest(app, app.gateway.numbers.take(), head.requestId, head.function, head.method, response)
  app.requests.set(pending.number, pending)
  app.counters.events.request++
  deliver(app, FrameType.REQUEST, 0, pending, withHead(JSON.stringify(head), body))
}

/** The function that the path names, else `__default__`, else null. */
function functionNameOf(app: App, url: string): string | null {
  const { functions } = app.route
  const name = functionOf(url)
  if (Object.hasOwn(functions, name)) return name
  return Object.hasOwn(functions, DEFAULT_FUNCTION) ? DEFAULT_FUNCTION : null
}

/** Whoever answers GET answers HEAD (RFC 9110, 9.3.2). */
function isListed(method: string, methods: string[]): boolean {
  return methods.length === 0 || methods.includes(method) || (method === 'HEAD' && methods.includes('GET'))
}

class MethodRefusal extends Refusal {
  readonly methods: string[]
  constructor(methods: string[]) {
    super('method_not_allowed')
    this.methods = methods
  }
}

/** As laf, in text. */
function answerNotFound(app: App, response: ServerResponse): void {
  app.countRefusal(404)
  response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' })
  response.end('Function Not Found')
}

/** The client's own id of its request, if it looks like one, else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && SANE_ID.test(given) ? given : randomUUID()
}

function refuse(app: App | undefined, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.destroyed || response.headersSent) return
  const refusal = asRefusal(error)
  const headers: Record<string, string> = refusal instanceof MethodRefusal ? { allow: refusal.methods.join(', ') } : {}
  app?.countRefusal(refusal.status)
  if (request.complete) refuseRequest(response, refusal, headers)
  else refuseBody(request, response, refusal, headers)
}
