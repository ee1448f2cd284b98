import { createHmac } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from './support/client.ts'
import { startPlatform, type Platform } from './support/platform.ts'

const FUNCTIONS = {
  'sign-in': `import cloud from '@lafjs/cloud'; export default (ctx) => cloud.getToken({ uid: ctx.query.uid })`,
  'who': `export default (ctx) => ({ user: ctx.user, same: ctx.request.user === ctx.user })`,
  'invoked': `import cloud from '@lafjs/cloud'; export default (ctx) => cloud.invoke('who', { user: 'given', request: {} })`,
  '__websocket__': `
    import cloud from '@lafjs/cloud'
    export const upgrade = (ctx) => { const user = cloud.parseToken(ctx.query.token); return user === null ? false : { data: user } }
    export const main = (ctx) => { if (ctx.method === 'WebSocket:connection') ctx.socket.send(ctx.socket.data.uid + ' ' + ('user' in ctx)) }`
}

let data: string
let platform: Platform
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'socklet-tokens-'))
  platform = await startPlatform({ data })
  for (const appid of ['one', 'two']) await platform.app(appid, FUNCTIONS)
})
afterAll(async () => {
  await platform.close()
  await rm(data, { recursive: true, force: true })
})

const tokenOf = async (appid: string, uid: string): Promise<string> => (await platform.request(appid, `/sign-in?uid=${uid}`)).text
const whoIs = async (appid: string, authorization?: string): Promise<unknown> => (await platform.request(appid, '/who', authorization === undefined ? {} : { headers: { authorization } })).json.user

async function isLetIn(appid: string, token: string): Promise<unknown> {
  try {
    const client = await connect(`${platform.url(appid)}?token=${token}`)
    const greeting = await client.next()
    await client.close()
    return greeting
  } catch (error) {
    return /\d{3}/.exec((error as Error).message)?.[0]
  }
}

/** With a start on the data folder as it is then. */
async function restart(meanwhile: () => void = () => {}): Promise<void> {
  await platform.stop()
  meanwhile()
  platform = await startPlatform({ data })
}

function inCatalog<T>(use: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(join(data, 'catalog.db'))
  try {
    return use(db)
  } finally {
    db.close()
  }
}

describe('a token that an app has made', () => {
  it('says who a request is from, and opens the socket of that app and of no other', async () => {
    const token = await tokenOf('one', 'ann')
    expect(await whoIs('one', `Bearer ${token}`)).toEqual({ uid: 'ann', iat: expect.any(Number) })
    expect((await platform.request('one', '/who', { headers: { authorization: `Bearer ${token}` } })).json.same).toBe(true)
    for (const none of [undefined, '', 'Bearer', `Bearer ${token}x`, `Basic ${token}`, token]) expect(await whoIs('one', none)).toBeNull()
    expect((await platform.request('one', '/invoked')).json.user).toBe('given')
    expect(await isLetIn('one', token)).toBe('ann false')
    expect(await isLetIn('one', '')).toBe('403')
    expect(await whoIs('two', `Bearer ${token}`)).toBeNull()
    expect(await isLetIn('two', token)).toBe('403')
  })

  it('is good after a restart of the app, of the platform, and from before apps had secrets', async () => {
    const token = await tokenOf('one', 'bob')
    await platform.admin('POST', '/apps/one/restart')
    expect(await isLetIn('one', token)).toBe('bob false')
    await restart()
    expect(await isLetIn('one', token)).toBe('bob false')
    await restart(() => inCatalog((db) => db.exec('ALTER TABLE apps DROP COLUMN secret; PRAGMA user_version = 2')))
    expect(await isLetIn('one', token)).toBe('403')
    const later = await tokenOf('one', 'bob')
    expect(await isLetIn('two', later)).toBe('403')
    await restart()
    expect(await isLetIn('one', later)).toBe('bob false')
  })

  it('is nothing to another app that gets its appid', async () => {
    await platform.app('again', FUNCTIONS)
    const token = await tokenOf('again', 'carl')
    expect(await isLetIn('again', token)).toBe('carl false')
    expect((await platform.admin('DELETE', '/apps/again')).status).toBe(204)
    await platform.app('again', FUNCTIONS)
    expect(await isLetIn('again', token)).toBe('403')
    expect(await whoIs('again', `Bearer ${token}`)).toBeNull()
    expect(await isLetIn('again', await tokenOf('again', 'carl'))).toBe('carl false')
  })

  it('is signed with SERVER_SECRET where the app has that, as in laf', async () => {
    const [head, payload] = ['{"alg":"HS256","typ":"JWT"}', '{"uid":"from laf"}'].map((text) => Buffer.from(text).toString('base64url'))
    const fromLaf = `${head}.${payload}.${createHmac('sha256', 'the secret of laf').update(`${head}.${payload}`).digest('base64url')}`
    const before = await tokenOf('two', 'dan')
    expect(await isLetIn('two', fromLaf)).toBe('403')
    await platform.admin('PATCH', '/apps/two/env', { SERVER_SECRET: 'the secret of laf' })
    expect(await isLetIn('two', fromLaf)).toBe('from laf false')
    expect(await isLetIn('two', before)).toBe('403')
    // With an empty key anybody could sign.
    await platform.admin('PATCH', '/apps/two/env', { SERVER_SECRET: '' })
    expect(await isLetIn('two', `${head}.${payload}.${createHmac('sha256', '').update(`${head}.${payload}`).digest('base64url')}`)).toBe('403')
    expect(await isLetIn('two', before)).toBe('dan false')
    await platform.admin('DELETE', '/apps/two/env/SERVER_SECRET')
    expect(await isLetIn('two', before)).toBe('dan false')
  })
})

it('what tokens are signed with is shown to nobody', async () => {
  const { secret } = inCatalog((db) => db.prepare(`SELECT secret FROM apps WHERE appid = 'one'`).get()) as { secret: string }
  expect(secret).toMatch(/^[\w-]{43}$/)
  const paths = ['/apps', '/apps/one', '/apps/one/env', '/apps/one/functions', '/apps/one/functions/who', '/apps/one/stats', '/apps/one/logs', '/apps/one/tokens', '/apps/one/shared', '/platform']
  const answers = await Promise.all([...paths.map((path) => platform.admin('GET', path)), platform.admin('PATCH', '/apps/one', { name: 'renamed' })])
  for (const [index, { status, text }] of answers.entries()) expect([index, status, text.includes(secret)]).toEqual([index, 200, false])
  const metrics = await fetch(`${platform.console}/metrics`, { headers: { authorization: `Bearer ${platform.token}` } })
  const asked = await platform.request('one', '/who')
  for (const text of [await metrics.text(), asked.text, platform.startText, platform.errors()]) expect(text).not.toContain(secret)
  await platform.stop()
  for (const file of ['logs.db', 'shared.db']) expect((await readFile(join(data, file))).includes(secret)).toBe(false)
  platform = await startPlatform({ data })
})
