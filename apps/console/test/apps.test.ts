import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEFAULT_LIMITS } from '@socklet/config'
import { harness, type Harness } from './harness.ts'

let h: Harness
beforeAll(async () => {
  h = await harness({ appUrl: (appid) => `ws://localhost:1/${appid}/__websocket__` })
})
afterAll(async () => await h.stop())

describe('creating', () => {
  test('answers 201 with the app', async () => {
    const { status, body } = await h.ask('POST', '/v1/apps', { json: { appid: 'first', name: 'The first' } })
    expect(status).toBe(201)
    expect(body).toMatchObject({ appid: 'first', name: 'The first', state: 'running', limits: DEFAULT_LIMITS, url: 'ws://localhost:1/first/__websocket__' })
    expect(new Date(body.createdAt).toISOString()).toBe(body.createdAt)
    expect(h.pool.called('appChanged')).toContainEqual({ appid: 'first' })
  })

  test('makes an appid if there is none', async () => {
    const { status, body } = await h.ask('POST', '/v1/apps', { json: {} })
    expect(status).toBe(201)
    expect(body.appid).toMatch(/^[a-z][a-z0-9]{9}$/)
    expect(body.name).toBe(body.appid)
  })

  test('refuses an appid that is taken', async () => {
    await h.app('taken')
    const { status, body } = await h.ask('POST', '/v1/apps', { json: { appid: 'taken' } })
    expect(status).toBe(409)
    expect(body.error).toMatchObject({ code: 'app_exists', message: expect.stringContaining('taken') })
  })

  test.each(['', 'ab', 'A23', '1abc', 'abc-', 'a_bc', 'a'.repeat(33), 'healthz', 'abc\n', '../etc', 'ébc'])('refuses the appid %j', async (appid) => {
    const { status, body } = await h.ask('POST', '/v1/apps', { json: { appid } })
    expect(status).toBe(400)
    expect(body.error).toMatchObject({ code: 'invalid_name', details: [{ path: 'appid' }] })
  })

  test.each(['healthz', 'readyz'])('says that %s is reserved, and not a rule that it keeps', async (appid) => {
    const message = `${appid} is reserved: the platform itself answers there`
    expect((await h.ask('POST', '/v1/apps', { json: { appid } })).body.error).toMatchObject({ code: 'invalid_name', message: `appid: ${message}`, details: [{ path: 'appid', message }] })
  })

  test.each([{ appid: 1 }, { name: 'x'.repeat(129) }, { name: '\ud800' }, { name: null }, [], 'text', null, 1])('refuses the body %j', async (json) => {
    expect(await h.ask('POST', '/v1/apps', { json })).toMatchObject({ status: 400, body: { error: { code: 'invalid_request' } } })
  })

  test('refuses a field that only the platform sets, and names it', async () => {
    const { body } = await h.ask('POST', '/v1/apps', { json: { appid: 'massive', revision: 7, createdAt: 0 } })
    expect(body.error).toMatchObject({ code: 'invalid_request', details: [{ path: 'revision' }, { path: 'createdAt' }] })
    expect((await h.ask('GET', '/v1/apps/massive')).status).toBe(404)
  })

  test('works while the runtime is away', async () => {
    await h.pool.stop()
    await h.app('early')
    await h.pool.start()
  })
})

describe('listing', () => {
  test('goes through pages in the order of appid', async () => {
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const { status, body } = await h.ask('GET', `/v1/apps?limit=2${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`)
      expect(status).toBe(200)
      expect(body.items.length).toBeLessThanOrEqual(2)
      seen.push(...body.items.map(({ appid }: { appid: string }) => appid))
      cursor = body.nextCursor
    } while (cursor !== undefined)
    expect(seen).toEqual(seen.toSorted())
    expect(seen).toEqual(expect.arrayContaining(['first', 'taken']))
    expect(new Set(seen).size).toBe(seen.length)
  })

  test.each(['limit=0', 'limit=1001', 'limit=-1', 'limit=x', 'limit=1.5', 'limit=', 'limit=1&limit=2', 'offset=1', '__proto__=1', 'cursor='])('refuses the query %s', async (query) => {
    const { status, body } = await h.ask('GET', `/v1/apps?${query}`)
    expect(status).toBe(400)
    expect(body.error).toMatchObject({ code: 'invalid_request', details: [{ path: query.split('=')[0] }] })
  })

  test('refuses a cursor that is none', async () => {
    expect(await h.ask('GET', '/v1/apps?cursor=%00%ff')).toMatchObject({ status: 400 })
    expect(await h.ask('GET', '/v1/apps?cursor=nonsense')).toMatchObject({ status: 400, body: { error: { code: 'invalid_cursor' } } })
  })
})

describe('one app', () => {
  test('is read', async () => {
    expect(await h.ask('GET', '/v1/apps/first')).toMatchObject({ status: 200, body: { appid: 'first' } })
  })

  test('that does not exist gives 404', async () => {
    for (const [method, json] of [['GET'], ['PATCH', {}], ['DELETE']] as const) {
      expect(await h.ask(method, '/v1/apps/nobody', { json })).toMatchObject({ status: 404, body: { error: { code: 'app_not_found', message: expect.stringContaining('nobody') } } })
    }
  })

  test('whose id cannot be gives 400', async () => {
    expect(await h.ask('GET', '/v1/apps/NOBODY')).toMatchObject({ status: 400, body: { error: { code: 'invalid_name' } } })
  })

  test('is changed, and the runtime told before the answer', async () => {
    await h.app('changing')
    const { status, body } = await h.ask('PATCH', '/v1/apps/changing', { json: { name: 'New', state: 'suspended', limits: { connections: 5, timers: 0 } } })
    expect(status).toBe(200)
    expect(body).toMatchObject({ name: 'New', state: 'suspended', limits: { ...DEFAULT_LIMITS, connections: 5, timers: 0 } })
    expect(h.pool.calls.at(-1)).toEqual({ method: 'appChanged', params: { appid: 'changing' } })
    const back = await h.ask('PATCH', '/v1/apps/changing', { json: { state: 'running', limits: { connections: null } } })
    expect(back.body).toMatchObject({ name: 'New', state: 'running', limits: { ...DEFAULT_LIMITS, timers: 0 } })
  })

  test.each([
    [{ limits: { connection: 5 } }, 'limits.connection'],
    [{ limits: { ['__proto__']: 5 } }, 'limits.__proto__'],
    [{ limits: { connections: 1_000_001 } }, 'limits.connections'],
    [{ limits: { connections: -1 } }, 'limits.connections'],
    [{ limits: { heapMiB: 1.5 } }, 'limits.heapMiB'],
    [{ limits: { heapMiB: '64' } }, 'limits.heapMiB'],
    [{ limits: [] }, 'limits'],
    [{ state: 'deleted' }, 'state'],
    [{ appid: 'other' }, 'appid']
  ])('refuses the change %j', async (json, path) => {
    const raw = JSON.stringify(json)
    const { status, body } = await h.ask('PATCH', '/v1/apps/first', { raw, headers: { 'content-type': 'application/json' } })
    expect(status).toBe(400)
    expect(body.error).toMatchObject({ code: 'invalid_request', details: [{ path }] })
    expect(body.error.message).toContain(path)
  })

  test('is deleted', async () => {
    await h.app('doomed')
    expect((await h.ask('DELETE', '/v1/apps/doomed')).status).toBe(204)
    expect(h.pool.calls.at(-1)).toEqual({ method: 'appChanged', params: { appid: 'doomed' } })
    expect((await h.ask('GET', '/v1/apps/doomed')).status).toBe(404)
  })
})
