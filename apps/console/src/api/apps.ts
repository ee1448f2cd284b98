import { randomInt } from 'node:crypto'
import { z } from 'zod'
import type { App, Catalog } from '@socklet/catalog'
import { LIMITS, LIMIT_NAMES, effectiveLimits, isAppid, type LimitName } from '@socklet/config'
import { UserFault, asFault } from '../errors.ts'
import type { Services } from '../services.ts'
import { NO_CONTENT, ok, route, type Route } from './route.ts'
import { appParams, appid, iso, listing, paging, text, time } from './schemas.ts'

const appName = text(128).meta({ description: 'for people' })

const newLimits = z.strictObject(
  Object.fromEntries(LIMIT_NAMES.map((name) => [name, z.int().min(LIMITS[name].min).max(LIMITS[name].max).nullable().optional().meta({ description: `${LIMITS[name].doc}; null is the default of ${LIMITS[name].default}` })]))
)

const appSchema = z.object({
  appid: z.string(),
  name: z.string(),
  state: z.enum(['running', 'suspended']),
  limits: z.object(Object.fromEntries(LIMIT_NAMES.map((name) => [name, z.int()]))).meta({ description: 'all limits as they are in force' }),
  url: z.string().optional().meta({ description: 'where clients connect to' }),
  createdAt: time,
  updatedAt: time
})

function outward(app: App, services: Services): z.input<typeof appSchema> {
  const { name, state, limits, createdAt, updatedAt } = app
  const url = services.appUrl(app.appid)
  return { appid: app.appid, name, state, limits: effectiveLimits(limits), ...(url === undefined ? {} : { url }), createdAt: iso(createdAt), updatedAt: iso(updatedAt) }
}

/** @throws UserFault `app_not_found` */
export async function needApp(catalog: Catalog, id: string): Promise<App> {
  const app = await catalog.getApp(id)
  if (app === null) throw new UserFault('app_not_found', `there is no app ${JSON.stringify(id)}`)
  return app
}

export const appRoutes: Route[] = [
  route({
    method: 'post',
    path: '/v1/apps',
    access: 'platform',
    summary: 'Create an app',
    body: z.strictObject({ appid: appid.optional().meta({ description: 'made if absent' }), name: appName.optional() }),
    responses: { 201: appSchema },
    errors: ['invalid_name', 'app_exists'],
    handle: async ({ body }, services) => {
      const app = await create(services.catalog, body.appid, body.name)
      // Somebody may have asked for it when it was not there. A runtime that is away now is told when it is back.
      await services.pool.appChanged(app.appid).catch(() => {})
      return { status: 201, body: outward(app, services) }
    }
  }),
  route({
    method: 'get',
    path: '/v1/apps',
    access: 'platform',
    summary: 'List the apps, in the order of appid',
    query: paging,
    responses: { 200: listing(appSchema) },
    errors: ['invalid_cursor'],
    handle: async ({ query }, services) => {
      const page = await services.catalog.listApps(query)
      return ok({ ...page, items: page.items.map((app) => outward(app, services)) })
    }
  }),
  route({
    method: 'get',
    path: '/v1/apps/:appid',
    access: 'read',
    summary: 'One app',
    params: appParams,
    responses: { 200: appSchema },
    handle: async ({ params }, services) => ok(outward(await needApp(services.catalog, params.appid), services))
  }),
  route({
    method: 'patch',
    path: '/v1/apps/:appid',
    access: 'admin',
    summary: 'Change the name, state or limits of an app',
    doc: "The name takes a token of the app with the scope admin; state and limits are the operator's and take the platform's admin token. Suspending closes all connections with 1001.",
    params: appParams,
    body: z.strictObject({ name: appName.optional(), state: z.enum(['running', 'suspended']).optional(), limits: newLimits.optional() }),
    responses: { 200: appSchema },
    errors: ['busy', 'unavailable'],
    handle: async ({ params, body, caller }, services) => {
      if (body.state !== undefined || body.limits !== undefined) services.auth.allow(caller, 'platform')
      const { name, state } = body
      const limits = body.limits as { [K in LimitName]?: number | null } | undefined
      const update = async (): Promise<App> => await services.catalog.updateApp(params.appid, { name, state, limits })
      const app = await services.publisher.change(params.appid, update, { inTurn: caller.kind !== 'platform' })
      return ok(outward(app, services))
    }
  }),
  route({
    method: 'delete',
    path: '/v1/apps/:appid',
    access: 'platform',
    summary: 'Delete an app with all that belongs to it',
    doc: 'Its connections are closed with 1001.',
    params: appParams,
    responses: { 204: null },
    errors: ['busy', 'unavailable'],
    handle: async ({ params }, services) => {
      await services.publisher.change(params.appid, async () => {
        await services.catalog.deleteApp(params.appid)
        services.tails.end(params.appid)
      })
      return NO_CONTENT
    }
  })
]

const FIRST_LETTERS = 'abcdefghijklmnopqrstuvwxyz'
const LETTERS = `${FIRST_LETTERS}0123456789`
const MADE_LENGTH = 10
const MAX_TRIES = 10

async function create(catalog: Catalog, id: string | undefined, name: string | undefined): Promise<App> {
  if (id !== undefined) return await catalog.createApp({ appid: id, name: name ?? id })
  for (let tries = 1; ; tries++) {
    const made = makeAppid()
    try {
      return await catalog.createApp({ appid: made, name: name ?? made })
    } catch (error) {
      const fault = asFault(error)
      if (tries === MAX_TRIES || !(fault instanceof UserFault) || fault.code !== 'app_exists') throw error
    }
  }
}

function makeAppid(): string {
  const letters = Array.from({ length: MADE_LENGTH }, (_, index) => (index === 0 ? pick(FIRST_LETTERS) : pick(LETTERS)))
  const made = letters.join('')
  return isAppid(made) ? made : makeAppid()
}

function pick(letters: string): string {
  return letters[randomInt(letters.length)]!
}
