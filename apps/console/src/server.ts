import { randomUUID } from 'node:crypto'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { z } from 'zod'
import { BodyRoom } from './api/body-room.ts'
import { readBody } from './api/body.ts'
import type { Answer, Route } from './api/route.ts'
import { ROUTES } from './api/table.ts'
import { validate } from './api/validate.ts'
import type { Caller } from './auth.ts'
import { ERRORS, PlatformFault, UserFault, asFault } from './errors.ts'
import { log } from './log.ts'
import { openApi } from './openapi.ts'
import { servePage } from './page.ts'
import type { Services } from './services.ts'

const DEFAULT_MAX_BODY = 1024 * 1024
const NOTHING = z.strictObject({})
const PUBLIC: Caller = { kind: 'public' }
const HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store'
}

/** The console as an express application: its page, and the routes of the table. */
export function createApp(services: Services): Express {
  const app = express()
  app.disable('x-powered-by')
  app.set('etag', false)
  app.set('case sensitive routing', true)
  app.set('query parser', 'simple')
  app.use((_req, res, next) => {
    res.set(HEADERS)
    next()
  })
  servePage(app)
  const room = new BodyRoom()
  const document = openApi(ROUTES, services.version)
  app.get('/openapi.json', (_req, res) => void res.json(document))
  for (const route of ROUTES) app[route.method](route.path, async (req, res) => await run(route, req, res, services, room))
  app.use((req) => {
    throw new UserFault('not_found', `there is no ${req.method} ${req.path.slice(0, 300)}`)
  })
  app.use(onError)
  return app
}

/** Who, what, and only then the body: nobody who may not do this makes us read what they send. */
async function run(route: Route, req: Request, res: Response, services: Services, room: BodyRoom): Promise<void> {
  const { auth } = services
  const caller = route.access === 'public' ? PUBLIC : await auth.authenticate(req.headers.authorization)
  const { appid } = req.params
  auth.allow(caller, route.access, typeof appid === 'string' ? appid : undefined)
  const params = route.params === undefined ? {} : validate(route.params, { ...req.params })
  const query = route.access === 'public' ? {} : validate(route.query ?? NOTHING, req.query)
  const call = { params, query, body: undefined, caller, req, res }
  if (route.body === undefined) {
    send(res, route, await route.handle(call, services))
    return
  }
  const maxBytes = (await route.maxBody?.(params, services)) ?? DEFAULT_MAX_BODY
  await room.run(caller, async (arrived) => {
    const body = validate(route.body!, await readBody(req, { maxBytes, limit: route.bodyLimit, silenceMs: services.bodySilenceMs, source: route.source === true, arrived }))
    send(res, route, await route.handle({ ...call, body }, services))
  })
}

function send(res: Response, route: Route, answer: Answer | undefined): void {
  if (answer === undefined) return
  res.status(answer.status).set(answer.headers ?? {})
  if (answer.body === undefined) res.end()
  else if (route.produces === undefined) res.json(answer.body)
  else res.end(answer.body)
}

// express tells an error handler by its four parameters.
function onError(error: unknown, req: Request, res: Response, _next: NextFunction): void {
  const fault = knownFault(asFault(error))
  if (fault.code === 'internal') log(`${req.method} ${req.path.slice(0, 300)}: ${fault.message}`, fault.cause)
  if (res.headersSent) {
    res.destroy()
    return
  }
  const { status } = ERRORS[fault.code]
  if (status === 401) res.set('www-authenticate', req.headers.authorization === undefined ? 'Bearer realm="socklet"' : 'Bearer realm="socklet", error="invalid_token"')
  // The rest of the body may never come.
  if (status === 408) res.set('connection', 'close')
  if (status === 429 || status === 503) res.set('retry-after', '1')
  const details = fault instanceof UserFault && fault.details !== undefined ? { details: fault.details } : {}
  res.status(status).json({ error: { code: fault.code, message: fault.message, ...details } })
}

/** What express throws, in our terms; what nobody has foreseen is told to our own log only. */
function knownFault(error: unknown): UserFault | PlatformFault {
  if (error instanceof UserFault || error instanceof PlatformFault) return error
  if (error instanceof URIError) return new UserFault('invalid_request', 'the path has a `%` that begins no UTF-8 character')
  const id = randomUUID()
  return new PlatformFault('internal', `the platform has failed; its log has the reason, under the id ${id}`, { cause: error })
}
