import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { TokenScope } from '@socklet/catalog'
import { ROUTES } from '../src/api/table.ts'
import type { Access } from '../src/auth.ts'
import { ADMIN, METRICS, harness, type Harness } from './harness.ts'

let h: Harness
const tokens: Record<string, string> = {}
beforeAll(async () => {
  h = await harness()
  await h.app('mine')
  await h.app('theirs')
  for (const scope of ['read', 'deploy', 'admin']) tokens[scope] = await h.token('mine', scope)
})
afterAll(async () => await h.stop())

const REACH: Record<TokenScope, Access[]> = { read: ['read'], deploy: ['read', 'deploy'], admin: ['read', 'deploy', 'admin'] }
const PROTECTED = ROUTES.filter(({ access }) => access !== 'public')

/** The route's path in this app. What it names beside does not exist, so that nothing is changed by asking. */
function pathIn(path: string, appid: string): string {
  return path.replace(':appid', appid).replace('*name', 'nothing').replace(':version', '7').replace(':env', 'NOTHING').replace(':id', 'nothing')
}

describe.each(PROTECTED.map((route) => [`${route.method.toUpperCase()} ${route.path}`, route] as const))('%s', (_, route) => {
  const method = route.method.toUpperCase()
  // Not JSON: whoever may do this is told so, the others never get that far.
  const body = route.body === undefined ? {} : { raw: '{', headers: { 'content-type': 'application/json' } }

  test.each([
    ['no token', null, undefined],
    ['a wrong token', 'wrong', undefined],
    ['a token of the right form', `skt_${'A'.repeat(43)}`, undefined],
    ['the beginning of the admin token', ADMIN.slice(0, -1), undefined],
    ['another scheme', null, `Basic ${ADMIN}`],
    ['no scheme', null, ADMIN],
    ['two tokens', null, `Bearer ${ADMIN} ${ADMIN}`]
  ])('refuses %s', async (_what, token, authorization) => {
    const { headers: bodyHeaders = {}, ...rest } = body as { headers?: Record<string, string> }
    const headers = { ...bodyHeaders, ...(authorization === undefined ? {} : { authorization }) }
    const reply = await h.ask(method, pathIn(route.path, 'mine'), { token, ...rest, headers })
    expect(reply).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } })
    expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer /)
  })

  test.each(['read', 'deploy', 'admin'] as const)('takes the scope %s as it should', async (scope) => {
    // `mine` stays: a route that would delete it takes another token.
    const { status, body: answer } = await h.ask(method, pathIn(route.path, 'mine'), { token: tokens[scope]!, ...body })
    if (REACH[scope].includes(route.access)) expect([200, 204, 400, 404]).toContain(status)
    else expect({ status, code: answer.error.code }).toEqual({ status: 403, code: 'forbidden' })
  })

  test('keeps the tokens of another app out, whether or not the app exists', async () => {
    if (!route.path.includes(':appid')) return
    const replies = await Promise.all(['theirs', 'nobody', 'NOT-AN-APPID'].map(async (appid) => await h.ask(method, pathIn(route.path, appid), { token: tokens['admin']!, ...body })))
    for (const { status, body: answer } of replies) expect({ status, error: answer.error }).toEqual({ status: 403, error: replies[0]!.body.error })
  })

  test('takes the metrics token for metrics only', async () => {
    const { status } = await h.ask(method, pathIn(route.path, 'mine'), { token: METRICS, ...body })
    expect(status).toBe(route.access === 'metrics' ? 200 : 403)
  })
})

test('what a scope may see and do', () => {
  const table = Object.fromEntries(PROTECTED.map(({ method, path, access }) => [`${method} ${path.replace('/v1/apps', '')}`, access]))
  expect(table).toEqual({
    'post ': 'platform',
    'get ': 'platform',
    'get /:appid': 'read',
    'patch /:appid': 'admin',
    'delete /:appid': 'platform',
    'get /:appid/functions/*name/versions/:version': 'read',
    'get /:appid/functions/*name/versions': 'read',
    'post /:appid/functions/*name/rollback': 'deploy',
    'get /:appid/functions': 'read',
    'put /:appid/functions': 'deploy',
    'get /:appid/functions/*name': 'read',
    'put /:appid/functions/*name': 'deploy',
    'delete /:appid/functions/*name': 'deploy',
    'get /:appid/env': 'read',
    'put /:appid/env': 'deploy',
    'patch /:appid/env': 'deploy',
    'delete /:appid/env/:env': 'deploy',
    'get /:appid/logs': 'read',
    'get /:appid/connections': 'read',
    'get /:appid/connections/:id': 'read',
    'delete /:appid/connections/:id': 'admin',
    'post /:appid/connections/:id/send': 'admin',
    'get /:appid/shared': 'read',
    'get /:appid/shared/:key': 'read',
    'delete /:appid/shared/:key': 'admin',
    'get /:appid/stats': 'read',
    'post /:appid/restart': 'admin',
    'get /:appid/tokens': 'admin',
    'post /:appid/tokens': 'admin',
    'delete /:appid/tokens/:id': 'admin',
    'get /v1/platform': 'platform',
    'get /metrics': 'metrics'
  })
})

test('an app’s own token changes its name, but neither limits nor state', async () => {
  const token = tokens['admin']!
  expect(await h.ask('PATCH', '/v1/apps/mine', { token, json: { name: 'Ours' } })).toMatchObject({ status: 200, body: { name: 'Ours' } })
  for (const json of [{ limits: {} }, { limits: { connections: 1_000_000 } }, { state: 'running' }, { name: 'No', state: 'running' }]) {
    expect((await h.ask('PATCH', '/v1/apps/mine', { token, json })).status).toBe(403)
  }
  expect((await h.ask('GET', '/v1/apps/mine', { token })).body.name).toBe('Ours')
})

describe('tokens', () => {
  test('show their secret once, and are stored without it', async () => {
    const { status, body } = await h.ask('POST', '/v1/apps/mine/tokens', { json: { name: 'ci', scopes: ['deploy', 'deploy'], expiresAt: '2099-01-01T02:00:00+02:00' } })
    expect(status).toBe(201)
    expect(body).toMatchObject({ name: 'ci', scopes: ['deploy'], expiresAt: '2099-01-01T00:00:00.000Z', token: expect.stringMatching(/^skt_[\w-]{43}$/) })
    const { items } = (await h.ask('GET', '/v1/apps/mine/tokens')).body
    const { token, ...rest } = body
    expect(items).toContainEqual(rest)
    expect(JSON.stringify(items)).not.toContain(token)
    const files = await Promise.all(['catalog.db', 'catalog.db-wal'].map(async (file) => await readFile(join(h.folder, file), 'latin1').catch(() => '')))
    expect(files.join('')).toContain(hash('sha256', token))
    expect(files.join('')).not.toContain(token)
  })

  test('are revoked at once', async () => {
    const { body } = await h.ask('POST', '/v1/apps/mine/tokens', { json: { name: 'gone', scopes: ['read'] } })
    expect((await h.ask('GET', '/v1/apps/mine', { token: body.token })).status).toBe(200)
    expect((await h.ask('DELETE', `/v1/apps/mine/tokens/${body.id}`)).status).toBe(204)
    expect((await h.ask('GET', '/v1/apps/mine', { token: body.token })).status).toBe(401)
    expect(await h.ask('DELETE', `/v1/apps/mine/tokens/${body.id}`)).toMatchObject({ status: 404, body: { error: { code: 'token_not_found' } } })
  })

  test('of one app are not revoked through another', async () => {
    const { body } = await h.ask('POST', '/v1/apps/theirs/tokens', { json: { name: 'theirs', scopes: ['read'] } })
    expect((await h.ask('DELETE', `/v1/apps/mine/tokens/${body.id}`)).status).toBe(404)
    expect((await h.ask('GET', '/v1/apps/theirs', { token: body.token })).status).toBe(200)
  })

  test('expire', async () => {
    const expiresAt = Date.now() + 3_600_000
    const { body } = await h.ask('POST', '/v1/apps/mine/tokens', { json: { name: 'short', scopes: ['read'], expiresAt: new Date(expiresAt).toISOString() } })
    // Only what time it is: nothing here waits for it.
    onTestFinished(() => void vi.useRealTimers())
    vi.setSystemTime(expiresAt - 1)
    expect((await h.ask('GET', '/v1/apps/mine', { token: body.token })).status).toBe(200)
    vi.setSystemTime(expiresAt)
    expect(await h.ask('GET', '/v1/apps/mine', { token: body.token })).toMatchObject({ status: 401, body: { error: { message: expect.stringContaining('expired') } } })
  })

  test('go with their app', async () => {
    await h.app('brief')
    const token = await h.token('brief', 'admin')
    await h.ask('DELETE', '/v1/apps/brief')
    await h.app('brief')
    expect((await h.ask('GET', '/v1/apps/brief', { token })).status).toBe(401)
  })

  test.each([
    [{ name: 'x', scopes: [] }, 'scopes'],
    [{ name: 'x', scopes: ['root'] }, 'scopes.0'],
    [{ name: '', scopes: ['read'] }, 'name'],
    [{ scopes: ['read'] }, 'name'],
    [{ name: 'x', scopes: ['read'], expiresAt: '2001-01-01T00:00:00Z' }, 'expiresAt'],
    [{ name: 'x', scopes: ['read'], expiresAt: 'tomorrow' }, 'expiresAt'],
    [{ name: 'x', scopes: ['read'], hash: 'x' }, 'hash'],
    [{ name: 'x', scopes: ['read'], appid: 'theirs' }, 'appid']
  ])('refuses %j', async (json, path) => {
    expect(await h.ask('POST', '/v1/apps/mine/tokens', { json })).toMatchObject({ status: 400, body: { error: { code: 'invalid_request', details: [{ path }] } } })
  })

  test('are bounded in number', async () => {
    await h.app('many')
    for (let count = 0; count < 100; count++) await h.token('many', 'read')
    expect(await h.ask('POST', '/v1/apps/many/tokens', { json: { name: 'x', scopes: ['read'] } })).toMatchObject({ status: 422, body: { error: { code: 'too_many_tokens' } } })
  })

  test('of an app that does not exist give 404', async () => {
    expect((await h.ask('GET', '/v1/apps/nobody/tokens')).status).toBe(404)
    expect((await h.ask('POST', '/v1/apps/nobody/tokens', { json: { name: 'x', scopes: ['read'] } })).status).toBe(404)
  })
})
