import { z } from 'zod'
import type { Catalog } from '@socklet/catalog'
import { UserFault } from '../errors.ts'
import type { Services } from '../services.ts'
import { NO_CONTENT, ok, route, type Answer, type Route } from './route.ts'
import { appParams, appid, envName, iso, named, text, time } from './schemas.ts'

const MAX_VALUE_BYTES = 32 * 1024
const MAX_NAMES = 200
const MAX_TOTAL_BYTES = 256 * 1024

const value = text(MAX_VALUE_BYTES).refine((content) => Buffer.byteLength(content) <= MAX_VALUE_BYTES, `is larger than ${MAX_VALUE_BYTES} bytes`)
const listSchema = z.object({ items: z.array(z.object({ name: z.string(), updatedAt: time })) })

async function list(catalog: Catalog, id: string): Promise<Answer> {
  const entries = await catalog.listEnv(id)
  return ok({ items: entries.map(({ name, updatedAt }) => ({ name, updatedAt: iso(updatedAt) })) })
}

async function set(services: Services, id: string, entries: [string, string | null][], replace: boolean): Promise<Answer> {
  const { catalog, publisher } = services
  const after = async (): Promise<Record<string, string>> => {
    const before = replace ? [] : Object.entries((await catalog.release(id))?.env ?? {})
    return check(new Map<string, string | null>([...before, ...entries]))
  }
  await publisher.changeEnv(id, after, async () => await catalog.setEnv(id, Object.fromEntries(entries), { replace }))
  return await list(catalog, id)
}

/** The environment as it will be. @throws UserFault `env_too_large` */
function check(after: Map<string, string | null>): Record<string, string> {
  const values = [...after].filter((entry): entry is [string, string] => entry[1] !== null)
  if (values.length > MAX_NAMES) throw new UserFault('env_too_large', `${values.length} variables are more than ${MAX_NAMES}`)
  const bytes = values.reduce((sum, [name, content]) => sum + name.length + Buffer.byteLength(content), 0)
  if (bytes > MAX_TOTAL_BYTES) throw new UserFault('env_too_large', `the environment has ${bytes} bytes, more than ${MAX_TOTAL_BYTES}`)
  return Object.fromEntries(values)
}

const path = '/v1/apps/:appid/env'
/** As many as anybody may have and delete at once. */
const MAX_ENTRIES = MAX_NAMES * 2
const errors = ['invalid_name', 'env_too_large', 'load_error', 'busy', 'unavailable'] as const
const maxBody = (): number => 2 * 1024 * 1024

export const envRoutes: Route[] = [
  route({
    method: 'get',
    path,
    access: 'read',
    summary: 'Names and dates of the environment variables',
    doc: 'Values are never told.',
    params: appParams,
    responses: { 200: listSchema },
    handle: async ({ params }, { catalog }) => await list(catalog, params.appid)
  }),
  route({
    method: 'put',
    path,
    access: 'deploy',
    summary: 'Set the environment: what is not in the body is removed',
    doc: `At most ${MAX_NAMES} variables of ${MAX_VALUE_BYTES} bytes, and ${MAX_TOTAL_BYTES} bytes together.`,
    params: appParams,
    body: named(envName, value, MAX_ENTRIES),
    maxBody,
    responses: { 200: listSchema },
    errors: [...errors],
    handle: async ({ params, body }, services) => await set(services, params.appid, body, true)
  }),
  route({
    method: 'patch',
    path,
    access: 'deploy',
    summary: 'Set some environment variables; null removes one',
    params: appParams,
    body: named(envName, value.nullable(), MAX_ENTRIES),
    maxBody,
    responses: { 200: listSchema },
    errors: [...errors],
    handle: async ({ params, body }, services) => await set(services, params.appid, body, false)
  }),
  route({
    method: 'delete',
    path: `${path}/:env`,
    access: 'deploy',
    summary: 'Remove an environment variable',
    params: z.strictObject({ appid, env: envName }),
    responses: { 204: null },
    errors: ['env_not_found', 'load_error', 'busy', 'unavailable'],
    handle: async ({ params }, { catalog, publisher }) => {
      const after = async (): Promise<Record<string, string>> => {
        const { [params.env]: _removed, ...rest } = (await catalog.release(params.appid))?.env ?? {}
        return rest
      }
      await publisher.changeEnv(params.appid, after, async () => await catalog.deleteEnv(params.appid, params.env))
      return NO_CONTENT
    }
  })
]
