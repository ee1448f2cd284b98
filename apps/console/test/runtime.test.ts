import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CallError } from '@socklet/protocol'
import { ADMIN, METRICS, harness, until, type Harness } from './harness.ts'
import { connection } from './fake-pool.ts'

let h: Harness
beforeAll(async () => {
  h = await harness()
  await h.app('chat')
})
afterAll(async () => await h.stop())
beforeEach(() => {
  h.pool.calls.length = 0
  h.pool.override = {}
  h.pool.connections = [connection('c1', ['lobby']), connection('c2'), connection('c3', ['lobby'])]
})

const path = '/v1/apps/chat/connections'

describe('connections', () => {
  test('are listed by pages', async () => {
    const first = (await h.ask('GET', `${path}?limit=2`)).body
    expect(first.items).toEqual(h.pool.connections.slice(0, 2))
    const second = (await h.ask('GET', `${path}?limit=2&cursor=${first.nextCursor}`)).body
    expect(second).toEqual({ items: h.pool.connections.slice(2) })
    expect(await h.ask('GET', `${path}?cursor=nonsense`)).toMatchObject({ status: 400, body: { error: { code: 'invalid_cursor' } } })
  })

  test('are listed by room', async () => {
    expect((await h.ask('GET', `${path}?room=lobby`)).body.items.map(({ id }: { id: string }) => id)).toEqual(['c1', 'c3'])
    expect((await h.ask('GET', `${path}?room=nowhere`)).body.items).toEqual([])
  })

  test('are read one by one', async () => {
    expect((await h.ask('GET', `${path}/c2`)).body).toEqual(connection('c2'))
    expect(await h.ask('GET', `${path}/c9`)).toMatchObject({ status: 404, body: { error: { code: 'connection_not_found', message: expect.stringContaining('c9') } } })
  })

  test('are closed, with a code and reason if need be', async () => {
    expect((await h.ask('DELETE', `${path}/c2`)).status).toBe(204)
    expect((await h.ask('DELETE', `${path}/c2?code=4000&reason=bye`)).status).toBe(204)
    expect(h.pool.called('closeConnection')).toEqual([
      { appid: 'chat', id: 'c2', code: 1000, reason: '' },
      { appid: 'chat', id: 'c2', code: 4000, reason: 'bye' }
    ])
    expect((await h.ask('DELETE', `${path}/c9`)).status).toBe(404)
    for (const query of ['code=1006', 'code=999', 'code=5000', 'code=x', `reason=${'é'.repeat(62)}`]) expect((await h.ask('DELETE', `${path}/c2?${query}`)).status).toBe(400)
  })

  test('are sent to', async () => {
    expect(await h.ask('POST', `${path}/c2/send`, { json: { data: 'grüße 🙂' } })).toMatchObject({ status: 200, body: { sent: true } })
    expect((await h.ask('POST', `${path}/c2/send`, { json: { data: 'AP8=', binary: true } })).status).toBe(200)
    expect((await h.ask('POST', `${path}/c2/send`, { json: { data: '' } })).status).toBe(200)
    expect(h.pool.called('sendTo')).toEqual([
      { appid: 'chat', id: 'c2', data: 'grüße 🙂', binary: false },
      { appid: 'chat', id: 'c2', data: 'AP8=', binary: true },
      { appid: 'chat', id: 'c2', data: '', binary: false }
    ])
    expect((await h.ask('POST', `${path}/c9/send`, { json: { data: 'x' } })).status).toBe(404)
  })

  test.each([{}, { data: 1 }, { data: 'no base64!', binary: true }, { data: 'AAA', binary: true }, { data: '\ud800' }, { data: 'x', to: 'c1' }, { data: 'é'.repeat(600_000) }])('are not sent %.60j', async (json) => {
    expect(await h.ask('POST', `${path}/c2/send`, { json })).toMatchObject({ status: 400, body: { error: { code: 'invalid_request' } } })
    expect(h.pool.called('sendTo')).toEqual([])
  })

  test('of an app that does not exist give 404, without asking the pool', async () => {
    for (const [method, suffix, json] of [['GET', ''], ['GET', '/c1'], ['DELETE', '/c1'], ['POST', '/c1/send', { data: 'x' }]] as const) {
      expect(await h.ask(method, `/v1/apps/nobody/connections${suffix}`, { json })).toMatchObject({ status: 404, body: { error: { code: 'app_not_found' } } })
    }
    expect(h.pool.calls).toEqual([])
  })
})

describe('stats and restart', () => {
  test('counts and gauges', async () => {
    expect((await h.ask('GET', '/v1/apps/chat/stats')).body).toMatchObject({
      connections: 3,
      events: { connection: 5, message: 40, close: 2, error: 0, request: 7 },
      errors: 1,
      queue: { events: 1, bytes: 10 },
      refused: { 429: 2 },
      cpuMs: 12.5,
      heapBytes: 2_000_000,
      hibernated: false,
      worker: 0
    })
    expect((await h.ask('GET', '/v1/apps/nobody/stats')).status).toBe(404)
  })

  test('restarts', async () => {
    expect(await h.ask('POST', '/v1/apps/chat/restart')).toMatchObject({ status: 200, body: { appid: 'chat', restarted: true } })
    expect(h.pool.called('restart')).toEqual([{ appid: 'chat' }])
    expect((await h.ask('POST', '/v1/apps/nobody/restart')).status).toBe(404)
  })

  test('what the runtime refuses as unavailable is said', async () => {
    h.pool.override.restart = () => Promise.reject(new CallError('unavailable', 'chat cannot run'))
    expect(await h.ask('POST', '/v1/apps/chat/restart')).toMatchObject({ status: 503, body: { error: { code: 'unavailable', message: 'chat cannot run' } } })
  })
})

describe('the platform', () => {
  test('tells its processes, its own among them', async () => {
    const { body } = await h.ask('GET', '/v1/platform')
    expect(body).toMatchObject({ version: expect.stringMatching(/^\d/), ready: true, workers: [{ kind: 'worker', apps: ['chat'] }] })
    expect(body.processes.map(({ kind }: { kind: string }) => kind)).toEqual(['pool', 'gateway', 'worker', 'console'])
    expect(body.processes.at(-1).pid).toBe(process.pid)
  })

  test('has metrics, for two tokens', async () => {
    for (const token of [ADMIN, METRICS]) {
      const { status, headers, body } = await h.ask('GET', '/metrics', { token })
      expect(status).toBe(200)
      expect(headers.get('content-type')).toContain('text/plain')
      for (const line of [
        'socklet_runtime_up 1',
        'socklet_app_connections{appid="chat"} 3',
        'socklet_app_events_total{appid="chat",event="message"} 40',
        'socklet_app_refused_total{appid="chat",status="429"} 2',
        'socklet_app_cpu_seconds_total{appid="chat"} 0.0125',
        String.raw`socklet_app_hibernated{appid="nasty\"\n"} 1`,
        'socklet_process_resident_bytes{kind="worker",index="0"} 1000',
        'socklet_process_apps{kind="worker",index="0"} 1'
      ]) {
        expect(body).toContain(`${line}\n`)
      }
      expect(body).toMatch(/^socklet_console_process_cpu_user_seconds_total [\d.]+$/m)
      const lines: string[] = body.split('\n').filter((line: string) => line !== '' && !line.startsWith('#'))
      expect(lines.filter((line) => !/^socklet_\w+(?:\{.*\})? (?:[-+\d.e]+|Nan)$/.test(line))).toEqual([])
    }
  })

  test('is healthy always, and ready when the runtime is', async () => {
    expect(await h.ask('GET', '/healthz', { token: null })).toMatchObject({ status: 200, body: { status: 'ok' } })
    expect((await h.ask('GET', '/readyz', { token: null })).status).toBe(200)
    h.pool.isReady = false
    expect(await h.ask('GET', '/readyz?x=1', { token: 'wrong' })).toMatchObject({ status: 503, body: { status: 'unavailable' } })
    h.pool.isReady = true
  })
})

test('without the runtime: reading goes on, what needs it gives 503, and what was stored is put in force when it is back', async () => {
  for (const name of ['f', 'g']) expect((await h.ask('PUT', `/v1/apps/chat/functions/${name}`, { json: { code: '1' } })).status).toBe(201)
  await h.pool.stop()
  await until(async () => (await h.ask('GET', '/readyz')).status === 503)
  for (const get of ['/healthz', '/v1/apps', '/v1/apps/chat', '/v1/apps/chat/functions', '/v1/apps/chat/env', '/v1/apps/chat/tokens']) expect((await h.ask('GET', get)).status).toBe(200)
  expect((await h.ask('GET', '/metrics')).body).toContain('socklet_runtime_up 0\n')
  for (const [method, suffix, json] of [['GET', '/stats'], ['POST', '/restart'], ['GET', '/logs'], ['GET', '/connections'], ['PUT', '/functions/f', { code: '2' }], ['PUT', '/env', { A: 'x' }], ['DELETE', '/functions/g']] as const) {
    const reply = await h.ask(method, `/v1/apps/chat${suffix}`, { json })
    expect(reply).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } })
    expect(reply.headers.get('retry-after')).toBe('1')
  }
  expect((await h.ask('GET', '/v1/platform')).status).toBe(503)
  // What has to be tried first is not stored, what takes something away is.
  expect((await h.ask('GET', '/v1/apps/chat/functions/f')).body).toMatchObject({ version: 1 })
  expect((await h.ask('GET', '/v1/apps/chat/env')).body.items).toEqual([])
  expect((await h.ask('GET', '/v1/apps/chat/functions/g')).status).toBe(404)
  h.pool.calls.length = 0
  await h.pool.start()
  await until(() => h.pool.called('appChanged').length > 0)
  expect(h.pool.calls.slice(0, 2)).toEqual([
    { method: 'hello', params: { version: 1, pid: process.pid } },
    { method: 'appChanged', params: { appid: 'chat' } }
  ])
  expect((await h.ask('GET', '/readyz')).status).toBe(200)
})
