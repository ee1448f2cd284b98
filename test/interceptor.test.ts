import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect } from './support/client.ts'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform()
  await platform.app('guarded', {
    __interceptor__: `
      export default async (ctx, next) => {
        ctx.response.setHeader('x-seen', ctx.__function_name + ' ' + (ctx.redelivered === true))
        return ctx.query.open === 'yes' ? next(ctx) : ctx.response.status(403).send('closed')
      }`,
    f: `export default (ctx) => 'f of ' + ctx.request.path`,
    __default__: `export default (ctx) => 'default of ' + ctx.request.path`,
    dies: `
      import cloud from '@lafjs/cloud'
      export default async (ctx) => { cloud.shared.set('begun', true); if (ctx.redelivered) return 'after all'; await new Promise(() => {}) }`,
    __websocket__: `export const main = (ctx) => { if (ctx.socket) ctx.socket.send(ctx.method) }`
  })
  await platform.admin('PUT', '/apps/guarded/functions/only-post', { code: `export default () => 'posted'`, methods: ['POST'] })
})
afterAll(() => platform.close())

it('__interceptor__ stands before functions, and __default__', async () => {
  for (const [path, text] of [['/f', 'f of /f'], ['/what/ever', 'default of /what/ever']] as const) {
    expect(await platform.request('guarded', path)).toMatchObject({ status: 403, text: 'closed' })
    expect(await platform.request('guarded', `${path}?open=yes`)).toMatchObject({ status: 200, text })
  }
})

it('is not asked for what the gateway answers itself, nor for sockets', async () => {
  const preflight = await platform.request('guarded', '/f', { method: 'OPTIONS', headers: { origin: 'https://a.example', 'access-control-request-method': 'PUT' } })
  expect([preflight.status, preflight.headers.get('x-seen')]).toEqual([204, null])
  // One that is no preflight is a request like any other.
  expect((await platform.request('guarded', '/f', { method: 'OPTIONS' })).headers.get('x-seen')).toBe('f false')
  const listed = await platform.request('guarded', '/only-post')
  expect([listed.status, listed.headers.get('x-seen')]).toEqual([405, null])
  const client = await connect(platform.url('guarded'))
  expect(await client.next()).toBe('WebSocket:connection')
  await client.close()
})

it('is asked again when the worker died that ran it', async () => {
  const answer = platform.request('guarded', '/dies?open=yes')
  await until('the function has begun', async () => (await platform.admin('GET', '/apps/guarded/shared')).json.items.length === 1)
  const { json } = await platform.admin('GET', '/platform')
  for (const { kind, pid } of json.processes) if (kind === 'worker') process.kill(pid, 'SIGKILL')
  const { status, text, headers } = await answer
  expect([status, text, headers.get('x-seen')]).toEqual([200, 'after all', 'dies true'])
})

it('begins and ends with its publication', async () => {
  expect((await platform.request('guarded', '/f')).status).toBe(403)
  expect((await platform.admin('DELETE', '/apps/guarded/functions/__interceptor__')).status).toBe(204)
  expect(await platform.request('guarded', '/f')).toMatchObject({ status: 200, text: 'f of /f' })
  expect((await platform.admin('PUT', '/apps/guarded/functions/__interceptor__', 'export default () => false')).status).toBe(201)
  expect((await platform.request('guarded', '/f')).status).toBe(403)
})
