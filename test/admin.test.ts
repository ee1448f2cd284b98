import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from './support/client.ts'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'

/** The admin REST with everything real behind it; its rules one by one are tested in apps/console. */
let platform: Platform
beforeAll(async () => {
  platform = await startPlatform()
})
afterAll(() => platform.close())

const ECHO = `export const main = (ctx) => { if (ctx.method === 'WebSocket:message') ctx.socket.send(ctx.params.data.toString()) }`

describe('publishing', () => {
  it('answers when the next event runs the new code', async () => {
    await platform.admin('POST', '/apps', { appid: 'publish' })
    const versionOf = (n: number): string => `export const main = (ctx) => { if (ctx.method === 'WebSocket:message') ctx.socket.send('${n}') }`
    await platform.admin('PUT', '/apps/publish/functions/__websocket__', versionOf(0))
    const client = await connect(platform.url('publish'))
    for (let n = 1; n <= 20; n++) {
      expect((await platform.admin('PUT', '/apps/publish/functions/__websocket__', versionOf(n))).json.version).toBe(n + 1)
      client.send('?')
      expect(await client.next()).toBe(String(n))
    }
    await platform.admin('POST', '/apps/publish/functions/__websocket__/rollback', { version: 3 })
    client.send('?')
    expect(await client.next()).toBe('2')
    await client.close()
  })

  it('gives compile errors with line and column, and the running version goes on', async () => {
    await platform.app('compile', { f: `export default () => 'good'` })
    const refused = await platform.admin('PUT', '/apps/compile/functions/f', `export default () => {\n  const a = ;\n}`)
    expect(refused).toMatchObject({ status: 422, json: { error: { code: 'compile_error', details: [{ line: 2, column: 13 }] } } })
    expect((await platform.request('compile', '/f')).text).toBe('good')
    expect((await platform.admin('GET', '/apps/compile/functions/f/versions')).json.items).toHaveLength(1)
    const several = await platform.admin('PUT', '/apps/compile/functions', { functions: { g: { code: 'export default () => 1' }, h: { code: 'export default (' } } })
    expect(several.status).toBe(422)
    expect((await platform.admin('GET', '/apps/compile/functions/g')).status).toBe(404)
  })

  it('takes a function away at once', async () => {
    await platform.app('removed', { f: `export default () => 'here'`, __websocket__: ECHO })
    expect((await platform.request('removed', '/f')).text).toBe('here')
    expect((await platform.admin('DELETE', '/apps/removed/functions/f')).status).toBe(204)
    expect((await platform.request('removed', '/f')).status).toBe(404)
    await platform.admin('DELETE', '/apps/removed/functions/__websocket__')
    await expect(connect(platform.url('removed'))).rejects.toThrow('404')
    await platform.admin('PUT', '/apps/removed/functions/__websocket__', ECHO)
    await (await connect(platform.url('removed'))).close()
  })
})

describe('an app', () => {
  it('that is suspended or deleted loses its connections with 1001, and is refused', async () => {
    await platform.app('state', { __websocket__: ECHO })
    const client = await connect(platform.url('state'))
    await platform.admin('PATCH', '/apps/state', { state: 'suspended' })
    expect((await client.closed).code).toBe(1001)
    await expect(connect(platform.url('state'))).rejects.toThrow('403')
    await platform.admin('PATCH', '/apps/state', { state: 'running' })
    const again = await connect(platform.url('state'))
    again.send('back')
    expect(await again.next()).toBe('back')
    expect((await platform.admin('DELETE', '/apps/state')).status).toBe(204)
    expect((await again.closed).code).toBe(1001)
    await expect(connect(platform.url('state'))).rejects.toThrow('404')
  })

  it('has limits that are in force at once', async () => {
    await platform.app('limited', { __websocket__: ECHO })
    await platform.admin('PATCH', '/apps/limited', { limits: { connections: 1, messageBytes: 10 } })
    const client = await connect(platform.url('limited'))
    await expect(connect(platform.url('limited'))).rejects.toThrow('429')
    client.send('x'.repeat(11))
    expect((await client.closed).code).toBe(1009)
  })

  it('gets a fresh isolate on restart, and keeps its connections', async () => {
    await platform.app('restart', { __websocket__: `let n = 0\n${ECHO.replace('ctx.params.data.toString()', '`${++n} of ${cloud.sockets.size}`')}\nimport cloud from '@lafjs/cloud'` })
    const client = await connect(platform.url('restart'))
    client.send('x')
    client.send('x')
    expect([await client.next(), await client.next()]).toEqual(['1 of 1', '2 of 1'])
    expect((await platform.admin('POST', '/apps/restart/restart')).status).toBeLessThan(300)
    client.send('x')
    expect(await client.next()).toBe('1 of 1')
    await client.close()
  })
})

describe('connections', () => {
  it('are listed, shown, written to and closed', async () => {
    await platform.app('clients', { __websocket__: ECHO })
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect(platform.url('clients'))))
    const first = (await platform.admin('GET', '/apps/clients/connections?limit=3')).json
    expect(first.items).toHaveLength(3)
    const rest = (await platform.admin('GET', `/apps/clients/connections?limit=3&cursor=${encodeURIComponent(first.nextCursor)}`)).json
    expect(rest.items).toHaveLength(2)
    const ids = [...first.items, ...rest.items].map((item: { id: string }) => item.id)
    expect(new Set(ids).size).toBe(5)
    clients[0]!.send('hello')
    await clients[0]!.next()
    for (const id of ids) expect((await platform.admin('POST', `/apps/clients/connections/${id}/send`, { data: 'from the operator' })).status).toBeLessThan(300)
    for (const client of clients) expect(await client.next()).toBe('from the operator')
    const shown = await Promise.all(ids.map(async (id) => (await platform.admin('GET', `/apps/clients/connections/${id}`)).json))
    expect(shown.map((one) => one.messagesIn).toSorted()).toEqual([0, 0, 0, 0, 1])
    expect((await platform.admin('DELETE', `/apps/clients/connections/${ids[0]}`)).status).toBeLessThan(300)
    await Promise.race(clients.map((client) => client.closed))
    expect((await platform.admin('GET', `/apps/clients/connections/none`)).status).toBe(404)
    await Promise.all(clients.map((client) => client.close()))
  })
})

describe('logs', () => {
  it('can be followed while they are written', async () => {
    await platform.app('tail', { say: `export default (ctx) => { console.log('said ' + ctx.query.word) }` })
    const response = await fetch(`${platform.console}/v1/apps/tail/logs`, { headers: { authorization: `Bearer ${platform.token}`, accept: 'text/event-stream' } })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const follow = (async () => {
      while (!text.includes('said two')) text += (await reader.read()).value ?? ''
    })()
    // The stream begins with what is written after it: say it until it is seen.
    await until('the tail brings the line', async () => {
      await platform.request('tail', '/say?word=one')
      return text.includes('said one')
    })
    await platform.request('tail', '/say?word=two')
    await follow
    await reader.cancel()
    const entry = JSON.parse(/^data: (.*said two.*)$/m.exec(text)![1]!)
    expect(entry).toMatchObject({ level: 'info', function: 'say', version: 1, message: 'said two' })
  })
})

describe('what the platform tells of itself', () => {
  it('stats of an app count what happened', async () => {
    await platform.app('counted', { __websocket__: ECHO, fails: `export default () => { throw new Error('x') }` })
    const client = await connect(platform.url('counted'))
    for (let i = 0; i < 10; i++) {
      client.send('x')
      await client.next()
    }
    await platform.request('counted', '/fails')
    const stats = await until('the counters are there', async () => {
      const { json } = await platform.admin('GET', '/apps/counted/stats')
      return json.errors === 1 && json
    })
    expect(stats).toMatchObject({ connections: 1, events: { connection: 1, message: 10, request: 1 }, restarts: 0, hibernated: false })
    expect(stats.heapBytes ?? stats.heap).toBeGreaterThan(100_000)
    // They are the app's, and not those of the isolate that it has at the moment.
    expect((await platform.admin('POST', '/apps/counted/restart')).status).toBe(200)
    const anew = (await platform.admin('GET', '/apps/counted/stats')).json
    expect(anew).toMatchObject({ errors: 1, restarts: 0 })
    expect(anew.turns).toBeGreaterThanOrEqual(stats.turns)
    expect(anew.generation).toBeGreaterThan(stats.generation)
    await client.close()
  })

  it('/platform has version, uptime and processes', async () => {
    const { json } = await platform.admin('GET', '/platform')
    expect(json.version).toMatch(/^\d+\.\d+\.\d+$/)
    const kinds = json.processes.map((process: { kind: string }) => process.kind)
    for (const kind of ['gateway', 'pool', 'console', 'worker']) expect(kinds).toContain(kind)
    expect(json.workerRestarts).toBe(0)
    expect(json.processes.filter(({ kind }: { kind: string }) => kind !== 'worker' && kind !== 'spare' && kind !== 'trial').map(({ restarts }: { restarts: number }) => restarts)).toEqual([0, 0, 0])
  })

  it('/metrics is for the admin token, in the format of Prometheus', async () => {
    expect((await fetch(`${platform.console}/metrics`)).status).toBe(401)
    const response = await fetch(`${platform.console}/metrics`, { headers: { authorization: `Bearer ${platform.token}` } })
    const text = await response.text()
    expect(text).toMatch(/^# TYPE socklet_/m)
    expect(text).toMatch(/^socklet_\w+\{.*appid="counted".*\} \d+/m)
  })

  it('/healthz, /readyz and /openapi.json need no token', async () => {
    for (const base of [platform.gateway, platform.console]) for (const path of ['/healthz', '/readyz']) expect((await fetch(base + path)).status).toBe(200)
    const document = (await (await fetch(`${platform.console}/openapi.json`)).json()) as { openapi: string; paths: object }
    expect(document.openapi).toMatch(/^3\./)
    expect(Object.keys(document.paths).length).toBeGreaterThan(15)
  })
})
