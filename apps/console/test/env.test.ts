import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { harness, type Harness } from './harness.ts'

let h: Harness
let path: string
let appid: string
let counter = 0
beforeAll(async () => {
  h = await harness()
})
afterAll(async () => await h.stop())
beforeEach(async () => {
  appid = `app${++counter}`
  path = `/v1/apps/${appid}/env`
  await h.app(appid)
})

const env = async (): Promise<Record<string, string>> => (await h.catalog.release(appid))!.env
const names = (body: { items: { name: string }[] }): string[] => body.items.map(({ name }) => name)

test('PUT replaces, PATCH adds and removes, DELETE removes; values never come back', async () => {
  const put = await h.ask('PUT', path, { json: { B: 'bee', A: 'secret' } })
  expect(put.status).toBe(200)
  expect(names(put.body)).toEqual(['A', 'B'])
  expect(JSON.stringify(put.body)).not.toContain('secret')
  expect(await env()).toEqual({ A: 'secret', B: 'bee' })
  expect(h.pool.called('appChanged').at(-1)).toEqual({ appid })

  expect(names((await h.ask('PATCH', path, { json: { B: null, C: 'sea' } })).body)).toEqual(['A', 'C'])
  expect(await env()).toEqual({ A: 'secret', C: 'sea' })
  expect(names((await h.ask('PUT', path, { json: { D: '' } })).body)).toEqual(['D'])
  expect((await h.ask('GET', path)).body.items).toEqual([{ name: 'D', updatedAt: expect.stringMatching(/^20.*Z$/) }])

  expect((await h.ask('DELETE', `${path}/D`)).status).toBe(204)
  expect(await env()).toEqual({})
  expect(await h.ask('DELETE', `${path}/D`)).toMatchObject({ status: 404, body: { error: { code: 'env_not_found' } } })
})

test('a variable may have the name __proto__', async () => {
  const headers = { 'content-type': 'application/json' }
  expect(names((await h.ask('PUT', path, { raw: '{"__proto__":"x","constructor":"y"}', headers })).body)).toEqual(['__proto__', 'constructor'])
  expect(Object.entries(await env()).toSorted()).toEqual([['__proto__', 'x'], ['constructor', 'y']])
  expect(names((await h.ask('PATCH', path, { raw: '{"__proto__":null}', headers })).body)).toEqual(['constructor'])
})

test.each([
  [{ '1A': 'x' }, 'invalid_name', '1A'],
  [{ 'A-B': 'x' }, 'invalid_name', 'A-B'],
  [{ '': 'x' }, 'invalid_name', '""'],
  [{ A: 1 }, 'invalid_request', 'A'],
  [{ A: null }, 'invalid_request', 'A'],
  [{ A: { b: 'c' } }, 'invalid_request', 'A'],
  [{ A: '\ud800' }, 'invalid_request', 'A'],
  [{ A: 'é'.repeat(16 * 1024 + 1) }, 'invalid_request', 'A'],
  [['A'], 'invalid_request', 'body']
])('PUT refuses %.60j', async (json, code, where) => {
  await h.ask('PUT', path, { json: { KEPT: 'x' } })
  expect(await h.ask('PUT', path, { json })).toMatchObject({ status: 400, body: { error: { code, details: [{ path: where }] } } })
  expect(await env()).toEqual({ KEPT: 'x' })
})

test('names and sizes are bounded, over several changes, too', async () => {
  const many = (prefix: string, count: number, value: string): Record<string, string> => Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, value]))
  expect((await h.ask('PUT', path, { json: many('A', 200, 'x') })).status).toBe(200)
  expect(await h.ask('PATCH', path, { json: { B: 'x' } })).toMatchObject({ status: 422, body: { error: { code: 'env_too_large' } } })
  expect((await h.ask('PATCH', path, { json: { A0: null, B: 'x' } })).status).toBe(200)
  expect(await h.ask('PUT', path, { json: many('A', 201, 'x') })).toMatchObject({ status: 422 })
  const large = 'x'.repeat(32 * 1024)
  expect((await h.ask('PUT', path, { json: many('A', 7, large) })).status).toBe(200)
  expect(await h.ask('PATCH', path, { json: { B: large } })).toMatchObject({ status: 422, body: { error: { code: 'env_too_large' } } })
  expect((await h.ask('PATCH', path, { json: { A0: large } })).status).toBe(200)
})

test('an app that does not exist gives 404', async () => {
  for (const [method, suffix, json] of [['GET', ''], ['PUT', '', {}], ['PATCH', '', { A: 'x' }], ['DELETE', '/A']] as const) {
    expect(await h.ask(method, `/v1/apps/nobody/env${suffix}`, { json })).toMatchObject({ status: 404, body: { error: { code: 'app_not_found' } } })
  }
})
