import type { IncomingMessage, ServerResponse } from 'node:http'

/** Methods that laf's preflight answers allow. */
const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE']

/** As laf: any origin may read any answer, with credentials. */
export function allowOrigin(request: IncomingMessage, response: ServerResponse): void {
  const { origin } = request.headers
  response.setHeader('vary', 'origin')
  if (origin === undefined) return
  response.setHeader('access-control-allow-origin', origin)
  response.setHeader('access-control-allow-credentials', 'true')
}

export function isPreflight(request: IncomingMessage): boolean {
  return request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
}

/** The gateway answers for the function: what the browser wants to send, it may, if the function lists the method. */
export function answerPreflight(request: IncomingMessage, response: ServerResponse, methods: string[]): void {
  const wanted = request.headers['access-control-request-headers']
  response.setHeader('vary', 'origin, access-control-request-headers')
  response.setHeader('access-control-allow-methods', (methods.length > 0 ? methods : METHODS).join(','))
  if (wanted !== undefined) response.setHeader('access-control-allow-headers', wanted)
  response.writeHead(204)
  response.end()
}
