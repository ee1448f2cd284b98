import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from './support/client.ts'
import { startPlatform } from './support/platform.ts'

let data: string
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'socklet-durable-'))
})
afterAll(() => rm(data, { recursive: true, force: true }))

const version = (n: number): string => `export const main = (ctx) => ctx.socket ? ctx.socket.send('version ${n} ' + process.env.WORD) : 'version ${n} ' + process.env.WORD`

describe('stop and start', () => {
  it('keeps apps, functions, versions, env, tokens and the admin token', async () => {
    const first = await startPlatform({ data })
    await first.admin('POST', '/apps', { appid: 'kept', name: 'Kept' })
    await first.admin('PUT', '/apps/kept/functions/__websocket__', version(1))
    await first.admin('PUT', '/apps/kept/functions/__websocket__', version(2))
    await first.admin('PUT', '/apps/kept/env', { WORD: 'survives' })
    await first.admin('PATCH', '/apps/kept', { limits: { connections: 7 } })
    const { token: appToken } = (await first.admin('POST', '/apps/kept/tokens', { name: 'ci', scopes: ['read'] })).json
    const client = await connect(first.url('kept'))
    expect(await client.next()).toBe('version 2 survives')
    // What Node has made of our programs, so that the next start need not: nobody else's to write.
    const compiled = await readdir(join(data, 'compiled'), { recursive: true })
    expect(compiled.length).toBeGreaterThan(100)
    expect((await stat(join(data, 'compiled'))).mode & 0o777).toBe(0o700)
    expect(await first.stop()).toBe(0)
    expect(await client.closed).toMatchObject({ code: 1001 })

    const second = await startPlatform({ data })
    expect(second.token).toBe(first.token)
    expect((await second.admin('GET', '/apps/kept')).json).toMatchObject({ appid: 'kept', name: 'Kept', state: 'running', limits: { connections: 7 } })
    const versions = (await second.admin('GET', '/apps/kept/functions/__websocket__/versions')).json.items
    expect(versions.map((one: { version: number }) => one.version)).toEqual([2, 1])
    const again = await connect(second.url('kept'))
    expect(await again.next()).toBe('version 2 survives')
    const readable = await fetch(`${second.console}/v1/apps/kept`, { headers: { authorization: `Bearer ${appToken}` } })
    expect(readable.status).toBe(200)
    const rolledBack = await second.admin('POST', '/apps/kept/functions/__websocket__/rollback', { version: 1 })
    expect(rolledBack.json).toMatchObject({ version: 3 })
    expect((await second.request('kept', '/__websocket__')).text).toBe('version 1 survives')
    await again.close()
    await second.stop()
  })

  it('keeps them also when everything is killed', async () => {
    const first = await startPlatform({ data })
    await first.admin('PUT', '/apps/kept/functions/added', `export default () => 'added'`)
    await first.kill()
    const second = await startPlatform({ data })
    expect((await second.request('kept', '/added')).text).toBe('added')
    await second.stop()
  })

  it('keeps the admin token for its owner only, and tenants secrets nowhere in clear', async () => {
    expect((await stat(join(data, 'admin-token'))).mode & 0o777).toBe(0o600)
    const platform = await startPlatform({ data })
    const { token } = (await platform.admin('POST', '/apps/kept/tokens', { name: 'secret', scopes: ['deploy'] })).json
    await platform.stop()
    const catalog = await readFile(join(data, 'catalog.db'))
    expect(catalog.includes(Buffer.from(token))).toBe(false)
  })
})
