import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Gateway } from './context.ts'
import { pathOf } from './routing.ts'

/** Answers `/healthz` (this process lives) and `/readyz` (the platform works). */
export function answerHealth(gateway: Gateway, request: IncomingMessage, response: ServerResponse): boolean {
  const path = pathOf(request.url!)
  if (path !== '/healthz' && path !== '/readyz') return false
  const ok = path === '/healthz' || isReady(gateway)
  response.writeHead(ok ? 200 : 503, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  response.end(JSON.stringify({ status: ok ? 'ok' : 'not ready' }))
  return true
}

function isReady({ platformReady, pool, stopping }: Gateway): boolean {
  return !stopping && pool.up && platformReady !== false
}
