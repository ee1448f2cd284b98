import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from './support/client.ts'
import { standBetween, type ConsoleLink } from './support/console-link.ts'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'

/*
 * A console was killed after it had stored a change in the catalog, and before it had told the pool: only it knew that there was something
 * to tell. What was published came into force with a later change, if there was one, and an app that was deleted was served for ever.
 */

let platform: Platform
let link: ConsoleLink
beforeAll(async () => {
  platform = await startPlatform()
  link = await standBetween(platform)
})
afterAll(async () => {
  await platform.close()
  link.close()
})

const ECHO = `export function main(ctx) { if (ctx.method === 'WebSocket:message') ctx.socket.send('echo ' + ctx.params.data) }`
const textOf = async (appid: string, path = '/h'): Promise<string> => (await platform.request(appid, path)).text

describe('a console that is killed between storing and telling', () => {
  it('has published: the new version comes into force by itself, and other apps notice nothing', async () => {
    await platform.app('published', { h: 'export default () => 1' })
    await platform.app('bystander', { h: 'let calls = 0; export default () => ++calls' })
    expect(await textOf('published')).toBe('1')
    expect(await textOf('bystander')).toBe('1')
    await link.killBeforeItTells(() => platform.admin('PUT', '/apps/published/functions/h', 'export default () => 2'))
    expect((await platform.admin('GET', '/apps/published/functions/h')).json).toMatchObject({ version: 2 })
    await until('version 2 runs', async () => (await textOf('published')) === '2')
    await sleep(200)
    // Its modules did not start anew.
    expect(await textOf('bystander')).toBe('2')
  })

  it('has deleted an app: it is not served any more', async () => {
    await platform.app('deleted', { __websocket__: ECHO, h: `export default () => 'served'` })
    const client = await connect(platform.url('deleted'))
    client.send('hi')
    expect(await client.next()).toBe('echo hi')
    await link.killBeforeItTells(() => platform.admin('DELETE', '/apps/deleted'))
    expect((await platform.admin('GET', '/apps/deleted')).status).toBe(404)
    expect(await client.closed).toMatchObject({ code: 1001 })
    expect((await platform.request('deleted', '/h')).status).toBe(404)
  })

  it('has suspended an app: its clients are closed', async () => {
    await platform.app('suspended', { __websocket__: ECHO })
    const client = await connect(platform.url('suspended'))
    await link.killBeforeItTells(() => platform.admin('PATCH', '/apps/suspended', { state: 'suspended' }))
    expect((await platform.admin('GET', '/apps/suspended')).json).toMatchObject({ state: 'suspended' })
    expect(await client.closed).toMatchObject({ code: 1001 })
    await expect(connect(platform.url('suspended'))).rejects.toThrow('403')
  })
})
