import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROUTES } from '../src/api/table.ts'
import { ERRORS, PLATFORM_ERRORS, USER_ERRORS } from '../src/errors.ts'
import { errorsOf } from '../src/openapi.ts'
import { harness, type Harness } from './harness.ts'

let h: Harness
// oxlint-disable-next-line typescript/no-explicit-any
let document: any
beforeAll(async () => {
  h = await harness()
  const reply = await h.ask('GET', '/openapi.json', { token: null })
  expect(reply.status).toBe(200)
  document = reply.body
})
afterAll(async () => await h.stop())

const operations = (): [path: string, method: string, operation: Record<string, unknown>][] =>
  Object.entries(document.paths as Record<string, Record<string, Record<string, unknown>>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, string, Record<string, unknown>] => [path, method, operation])
  )

test('has every route once, and nothing else', () => {
  expect(document.openapi).toBe('3.1.0')
  const expected = ROUTES.map(({ method, path }) => `${method} ${path.replaceAll(/[:*](\w+)/g, '{$1}')}`)
  expect(operations().map(([path, method]) => `${method} ${path}`).toSorted()).toEqual(expected.toSorted())
  expect(new Set(expected).size).toBe(ROUTES.length)
})

test('has the routes of the public contract', () => {
  const paths = Object.keys(document.paths)
  const contract = [
    '/v1/apps',
    '/v1/apps/{appid}',
    '/v1/apps/{appid}/functions',
    '/v1/apps/{appid}/functions/{name}',
    '/v1/apps/{appid}/functions/{name}/versions',
    '/v1/apps/{appid}/functions/{name}/versions/{version}',
    '/v1/apps/{appid}/functions/{name}/rollback',
    '/v1/apps/{appid}/env',
    '/v1/apps/{appid}/env/{env}',
    '/v1/apps/{appid}/logs',
    '/v1/apps/{appid}/connections',
    '/v1/apps/{appid}/connections/{id}',
    '/v1/apps/{appid}/connections/{id}/send',
    '/v1/apps/{appid}/shared',
    '/v1/apps/{appid}/shared/{key}',
    '/v1/apps/{appid}/stats',
    '/v1/apps/{appid}/restart',
    '/v1/apps/{appid}/tokens',
    '/v1/apps/{appid}/tokens/{id}',
    '/v1/platform',
    '/metrics',
    '/healthz',
    '/readyz'
  ]
  expect(paths.toSorted()).toEqual(contract.toSorted())
})

test('declares the parameters of every path', () => {
  for (const [path, method, operation] of operations()) {
    const parameters = operation['parameters'] as { name: string; in: string; required: boolean; schema: { type?: string } }[]
    const inPath = parameters.filter((parameter) => parameter.in === 'path')
    expect(inPath.map(({ name }) => name).toSorted(), `${method} ${path}`).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).toSorted())
    for (const { required, schema } of inPath) expect({ required, type: schema.type }).toEqual({ required: true, type: expect.stringMatching(/^(?:string|integer)$/) })
    expect(operation['summary']).not.toBe('')
    if (operation['security'] === undefined) expect(['/healthz', '/readyz']).toContain(path)
  }
  const ids = operations().map(([, , { operationId }]) => operationId)
  expect(new Set(ids).size).toBe(ids.length)
})

test('describes what comes in and goes out', () => {
  const put = document.paths['/v1/apps/{appid}/functions/{name}'].put
  expect(Object.keys(put.requestBody.content)).toEqual(['application/json', 'text/typescript', 'application/typescript', 'text/javascript', 'application/javascript', 'text/plain'])
  expect(put.requestBody.content['application/json'].schema).toMatchObject({ type: 'object', required: ['code'], additionalProperties: false, properties: { methods: { type: 'array' } } })
  expect(put.responses['201'].content['application/json'].schema).toMatchObject({ properties: { version: { type: 'integer' }, publishedAt: { format: 'date-time' } } })
  const many = document.paths['/v1/apps/{appid}/functions'].put.requestBody.content['application/json'].schema
  expect(many.properties.functions).toMatchObject({ type: 'object', additionalProperties: { type: 'object', required: ['code'] } })
  const patch = document.paths['/v1/apps/{appid}'].patch.requestBody.content['application/json'].schema
  expect(patch.properties.limits.properties.connections.anyOf[0]).toMatchObject({ type: 'integer', maximum: 1_000_000 })
  const logs = document.paths['/v1/apps/{appid}/logs'].get.parameters
  expect(logs.find(({ name }: { name: string }) => name === 'limit')).toMatchObject({ in: 'query', required: false, description: '100 if absent', schema: { type: 'integer', minimum: 1, maximum: 1_000 } })
  // There is a kind of shared values, and a key, of that name.
  expect(JSON.stringify(document).replaceAll(/\$undefined|"undefined"/g, '')).not.toMatch(/undefined|\$schema/)
  expect(put.responses['200'].content['application/json'].schema).not.toHaveProperty('additionalProperties')
})

test('the error codes are one list: of the code, the document and the routes', () => {
  const { code } = document.components.schemas.Error.properties.error.properties
  expect(code.enum).toEqual(Object.keys(ERRORS))
  for (const [name, { status, doc }] of Object.entries(ERRORS)) expect(code.description).toContain(`\`${name}\` (${status}): ${doc}`)
  expect(Object.keys(USER_ERRORS).filter((name) => name in PLATFORM_ERRORS)).toEqual([])
  // The statuses that the public contract lists, 500, and 408 for a body that stops coming.
  expect([...new Set(Object.values(ERRORS).map(({ status }) => status))].toSorted()).toEqual([400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 503])
  // Every code but those two can come from a route that says so.
  const used = new Set(ROUTES.flatMap((route) => [...errorsOf(route)]))
  expect(Object.keys(ERRORS).filter((name) => !used.has(name as keyof typeof ERRORS)).toSorted()).toEqual(['internal', 'not_found'])
})

test('the document says for each route what it may refuse', () => {
  for (const [path, method, operation] of operations()) {
    const responses = operation['responses'] as Record<string, { description: string; 'x-codes'?: string[] }>
    const route = ROUTES.find((candidate) => candidate.method === method && candidate.path.replaceAll(/[:*](\w+)/g, '{$1}') === path)!
    const told = Object.values(responses).flatMap((response) => response['x-codes'] ?? [])
    expect(told.toSorted()).toEqual([...errorsOf(route)].toSorted())
    for (const response of Object.values(responses)) for (const name of response['x-codes'] ?? []) expect(response.description).toContain(`\`${name}\``)
  }
})
