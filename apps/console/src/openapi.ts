import { z } from 'zod'
import { SOURCE_TYPE_NAMES } from './api/body.ts'
import type { Route } from './api/route.ts'
import { ERRORS, type ErrorCode } from './errors.ts'

type Json = Record<string, unknown>

const ERROR_REF = { $ref: '#/components/schemas/Error' }

/** The OpenAPI 3.1 document of these routes. */
export function openApi(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const path = openPath(route.path)
    paths[path] = { ...paths[path], [route.method]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Socklet', version, description: 'The admin REST of Socklet. An unknown method and path gives 404 `not_found`; any request can give 500 `internal`.' },
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: "The platform's admin token, or a token of one app." } },
      schemas: { Error: errorSchema() }
    }
  }
}

/** `/apps/:appid/functions/*name` as OpenAPI writes it. */
function openPath(path: string): string {
  return path.replaceAll(/[:*](\w+)/g, '{$1}')
}

function operation(route: Route): Json {
  const access = route.access === 'public' ? {} : { security: [{ token: [] }], 'x-access': route.access }
  return {
    operationId: route.method + openPath(route.path).replace('/v1', '').replaceAll(/[/{}.]+(\w?)/g, (_, letter: string) => letter.toUpperCase()),
    tags: [/^\/v1\/apps\/[^/]+\/(\w+)/.exec(route.path)?.[1] ?? (route.path.startsWith('/v1/apps') ? 'apps' : 'platform')],
    summary: route.summary,
    description: [route.doc, needs(route)].filter((part) => part !== undefined).join(' '),
    ...access,
    parameters: [...parameters('path', route.params), ...parameters('query', route.query)],
    ...(route.body === undefined ? {} : { requestBody: requestBody(route) }),
    responses: { ...successes(route), ...failures(errorsOf(route)) }
  }
}

function needs({ access }: Route): string | undefined {
  if (access === 'public') return undefined
  if (access === 'platform') return "Needs the platform's admin token."
  if (access === 'metrics') return "Needs the platform's admin token or the metrics token."
  return `Needs the scope \`${access}\`.`
}

function parameters(where: 'path' | 'query', schema: z.ZodType | undefined): Json[] {
  if (schema === undefined) return []
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as { properties?: Record<string, Json>; required?: string[] }
  return Object.entries(properties).map(([name, property]) => {
    // A path with slashes comes as a list of its segments; outside it is a string.
    const { description, ...rest } = property['type'] === 'array' ? { type: 'string', description: property['description'] ?? 'a `/` is written `%2F` or as it is' } : property
    return { name, in: where, required: where === 'path' || required.includes(name), ...(description === undefined ? {} : { description }), schema: rest }
  })
}

function requestBody(route: Route): Json {
  const json = { 'application/json': { schema: jsonSchema(route.body!, 'input') } }
  const sources = route.source === true ? SOURCE_TYPE_NAMES.map((type) => [type, { schema: { type: 'string' } }]) : []
  return { required: true, content: { ...json, ...Object.fromEntries(sources) } }
}

function successes(route: Route): Json {
  const entries = Object.entries(route.responses).map(([status, schema]) => {
    const description = { 200: 'Done', 201: 'Made', 204: 'Done, and nothing to tell' }[status] ?? 'Not now'
    const content = schema === null ? {} : { content: { [route.produces ?? 'application/json']: { schema: jsonSchema(schema, 'output') } } }
    return [status, { description, ...content }]
  })
  return Object.fromEntries(entries)
}

function failures(codes: Set<ErrorCode>): Json {
  const byStatus = Map.groupBy(codes, (code) => ERRORS[code].status)
  const entries = [...byStatus].map(([status, list]) => [
    status,
    { description: list.map((code) => `\`${code}\`: ${ERRORS[code].doc}`).join('; '), content: { 'application/json': { schema: ERROR_REF } }, 'x-codes': list }
  ])
  return Object.fromEntries(entries)
}

/** The errors that a route lists, and those that its parts can always give. */
export function errorsOf(route: Route): Set<ErrorCode> {
  const codes = new Set<ErrorCode>(route.errors)
  const add = (...more: ErrorCode[]): void => more.forEach((code) => codes.add(code))
  if (route.access !== 'public') add('unauthorized', 'forbidden')
  if (route.params !== undefined) add('invalid_request', 'invalid_name', 'app_not_found')
  if (route.query !== undefined) add('invalid_request')
  if (route.body !== undefined) add('invalid_json', 'invalid_request', 'unsupported_type', 'too_large', 'body_timeout', 'busy')
  // The disk may be full.
  if (route.method !== 'get') add('unavailable')
  return codes
}

function errorSchema(): Json {
  const codes = Object.entries(ERRORS)
  return {
    type: 'object',
    required: ['error'],
    properties: {
      error: {
        type: 'object',
        required: ['code', 'message'],
        properties: {
          code: { type: 'string', enum: codes.map(([code]) => code), description: codes.map(([code, { status, doc }]) => `\`${code}\` (${status}): ${doc}`).join('\n') },
          message: { type: 'string', description: 'for people; names what is refused' },
          details: { description: 'more about it, as the code says; with `invalid_request` a list of `{ path, message }`' }
        }
      }
    }
  }
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', target: 'draft-2020-12', override: ({ jsonSchema: made }) => tidy(made, io) })
  return rest
}

function tidy(made: z.core.JSONSchema.BaseSchema, io: 'input' | 'output'): void {
  // An answer may gain members; whoever is strict about what comes back would break then.
  if (io === 'output' && made.additionalProperties === false) delete made.additionalProperties
  // The format says it, the pattern says it in 300 characters.
  if (made.format === 'date-time') delete made.pattern
}
