import { z } from 'zod'
import type { FunctionInfo, FunctionVersion, PublishResult } from '@socklet/catalog'
import { LIMITS, effectiveLimits } from '@socklet/config'
import type { Draft } from '../publish/publisher.ts'
import type { Services } from '../services.ts'
import { needApp } from './apps.ts'
import { NO_CONTENT, ok, route, type Route } from './route.ts'
import { appParams, functionName, functionParams, iso, listing, named, paging, text, time, versionParams } from './schemas.ts'

const source = z
  .string()
  .refine((code) => code !== '', { error: 'the source is empty', params: { code: 'invalid_source' } })
  .refine((code) => code.isWellFormed(), { error: 'the source is not well-formed Unicode', params: { code: 'invalid_source' } })
  .meta({ description: 'TypeScript or JavaScript' })

const functionBody = z.strictObject({
  code: source,
  methods: z.array(z.string().regex(/^[A-Z]{1,20}$/, 'must be an HTTP method in upper case')).max(20).optional().meta({ description: 'HTTP methods; absent or empty means all' }),
  description: text(1_024).optional(),
  changelog: text(1_024).optional().meta({ description: 'what this version changes' })
})

const published = z.object({ name: z.string(), version: z.int(), hash: z.string().meta({ description: 'SHA-256 of the source, hex' }), publishedAt: time })
const infoSchema = published.extend({ methods: z.array(z.string()), description: z.string(), changelog: z.string() })
const versionSchema = infoSchema.extend({ code: z.string() })

const PUBLISH_ERRORS = ['invalid_source', 'too_large', 'compile_error', 'compile_timeout', 'too_complex', 'load_error', 'circular_import', 'too_many_functions', 'app_too_large', 'busy', 'unavailable'] as const
/** A character of a source takes up to six bytes as `\\u0000` in JSON. */
const JSON_GROWTH = 6
const ROOM = 64 * 1024
const MAX_MANY_BYTES = 64 * 1024 * 1024

function draft(name: string, body: z.output<typeof functionBody>): Draft {
  return { name, code: body.code, methods: [...new Set(body.methods)], description: body.description ?? '', changelog: body.changelog ?? '' }
}

function result({ name, version, hash, publishedAt }: FunctionInfo): z.input<typeof published> {
  return { name, version, hash, publishedAt: iso(publishedAt) }
}

function outward({ name, version, hash, methods, description, changelog, publishedAt }: FunctionInfo): z.input<typeof infoSchema> {
  return { name, version, hash, methods, description, changelog, publishedAt: iso(publishedAt) }
}

function withCode(version: FunctionVersion): z.input<typeof versionSchema> {
  return { ...outward(version), code: version.code }
}

async function publishOne(services: Services, appid: string, make: () => Promise<Draft>): Promise<PublishResult['published'][number]> {
  const { published: items } = await services.publisher.publish(appid, async () => ({ put: [await make()] }))
  return items[0]!
}

/** The routes of versions come first: what they end in is no part of a name, unless it is written `%2F`. */
export const functionRoutes: Route[] = [
  route({
    method: 'get',
    path: '/v1/apps/:appid/functions/*name/versions/:version',
    access: 'read',
    summary: 'One version of a function, with its code',
    params: versionParams,
    responses: { 200: versionSchema },
    errors: ['function_not_found', 'version_not_found'],
    handle: async ({ params: { appid, name, version } }, { catalog }) => ok(withCode(await catalog.getVersion(appid, name, version)))
  }),
  route({
    method: 'get',
    path: '/v1/apps/:appid/functions/*name/versions',
    access: 'read',
    summary: 'The versions of a function, newest first',
    doc: 'Those that do not run are kept up to 64 MiB of the whole app, sources and what was compiled of them, and each counts for 16 KiB at least. The oldest are forgotten first.',
    params: functionParams,
    query: paging,
    responses: { 200: listing(infoSchema) },
    errors: ['function_not_found', 'invalid_cursor'],
    handle: async ({ params: { appid, name }, query }, { catalog }) => {
      const page = await catalog.listVersions(appid, name, query)
      return ok({ ...page, items: page.items.map(outward) })
    }
  }),
  route({
    method: 'post',
    path: '/v1/apps/:appid/functions/*name/rollback',
    access: 'deploy',
    summary: 'Publish the code of an old version as a new one',
    params: functionParams,
    body: z.strictObject({ version: z.int().min(1) }),
    responses: { 200: published },
    errors: ['function_not_found', 'version_not_found', ...PUBLISH_ERRORS],
    handle: async ({ params: { appid, name }, body: { version } }, services) => {
      const { info } = await publishOne(services, appid, async () => {
        // A function that was removed is not brought back by its history.
        await services.catalog.getFunction(appid, name)
        const { code, methods, description } = await services.catalog.getVersion(appid, name, version)
        return { name, code, methods, description, changelog: `rollback to ${version}` }
      })
      return ok(result(info))
    }
  }),
  route({
    method: 'get',
    path: '/v1/apps/:appid/functions',
    access: 'read',
    summary: 'List the functions, in the order of name',
    params: appParams,
    query: paging,
    responses: { 200: listing(infoSchema) },
    errors: ['invalid_cursor'],
    handle: async ({ params, query }, { catalog }) => {
      const page = await catalog.listFunctions(params.appid, query)
      return ok({ ...page, items: page.items.map(outward) })
    }
  }),
  route({
    method: 'put',
    path: '/v1/apps/:appid/functions',
    access: 'deploy',
    summary: 'Publish several functions at once, all or none',
    doc: 'They are in force together, between two events.',
    params: appParams,
    body: z.strictObject({
      functions: named(functionName, functionBody, LIMITS.functions.max),
      prune: z.boolean().optional().meta({ description: 'removes all functions that are not in `functions`' })
    }),
    maxBody: () => MAX_MANY_BYTES,
    responses: { 200: z.object({ items: z.array(published), removed: z.array(z.string()) }) },
    errors: [...PUBLISH_ERRORS],
    handle: async ({ params, body }, services) => {
      const put = body.functions.map(([name, one]) => draft(name, one))
      const { published: items, removed } = await services.publisher.publish(params.appid, { put, prune: body.prune })
      return ok({ items: items.map(({ info }) => result(info)), removed })
    }
  }),
  route({
    method: 'get',
    path: '/v1/apps/:appid/functions/*name',
    access: 'read',
    summary: 'A function as it is published, with its code',
    doc: 'A name that itself ends like the paths of versions, such as `a/versions`, has its slashes written `%2F` here.',
    params: functionParams,
    responses: { 200: versionSchema },
    errors: ['function_not_found'],
    handle: async ({ params: { appid, name } }, { catalog }) => ok(withCode(await catalog.getFunction(appid, name)))
  }),
  route({
    method: 'put',
    path: '/v1/apps/:appid/functions/*name',
    access: 'deploy',
    summary: 'Publish a function',
    doc: 'Compiles, publishes, and answers when the next event runs the new code: 201 if the function is new, else 200. A source as it is stands for `{ code }`: methods, description and changelog are empty then. Where it does not compile, the old version goes on.',
    params: functionParams,
    body: functionBody,
    source: true,
    bodyLimit: 'sourceBytes',
    maxBody: async ({ appid }, { catalog }) => effectiveLimits((await needApp(catalog, appid)).limits).sourceBytes * JSON_GROWTH + ROOM,
    responses: { 200: published, 201: published },
    errors: [...PUBLISH_ERRORS],
    handle: async ({ params: { appid, name }, body }, services) => {
      const { info, created } = await publishOne(services, appid, async () => draft(name, body))
      return { status: created ? 201 : 200, body: result(info) }
    }
  }),
  route({
    method: 'delete',
    path: '/v1/apps/:appid/functions/*name',
    access: 'deploy',
    summary: 'Remove a function',
    doc: 'Refused with `load_error` if another one imports it, and could not be loaded any more: remove or change that one first, or both at once with `prune`.',
    params: functionParams,
    responses: { 204: null },
    errors: ['function_not_found', 'load_error', 'busy', 'unavailable'],
    handle: async ({ params: { appid, name } }, { catalog, publisher }) => {
      await publisher.publish(appid, async () => {
        await catalog.getFunction(appid, name)
        return { put: [], remove: [name] }
      })
      return NO_CONTENT
    }
  })
]
