import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { connect } from './support/client.ts'
import { isReady, standBetween } from './support/console-link.ts'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'

/*
 * Shared values and logs were kept under the appid, and removed when the pool heard of a deletion. Where it did not, because the console or the
 * pool was killed in between, the next app of that appid had the values and the log of the one before: another tenant's.
 */

const SECRETIVE = `
  import cloud from '@lafjs/cloud'
  export default () => {
    cloud.shared.set('secret', 'of the first tenant')
    console.log('a secret line')
    return 'kept'
  }`
const LOOK = `import cloud from '@lafjs/cloud'; export default () => JSON.stringify([...cloud.shared])`

const platforms: Platform[] = []
const folders: string[] = []
afterEach(async () => {
  for (const platform of platforms.splice(0)) await platform.close()
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'socklet-appid-'))
  folders.push(folder)
  return folder
}

async function start(data: string): Promise<Platform> {
  const platform = await startPlatform({ data })
  platforms.push(platform)
  return platform
}

async function makeSecretive(platform: Platform, appid: string): Promise<void> {
  await platform.app(appid, { h: SECRETIVE })
  expect((await platform.request(appid, '/h')).text).toBe('kept')
  expect(await kept(platform, appid)).toEqual({ keys: ['secret'], log: ['a secret line'] })
}

async function kept(platform: Platform, appid: string): Promise<{ keys: string[]; log: string[] }> {
  const [shared, logs] = [await platform.admin('GET', `/apps/${appid}/shared`), await platform.admin('GET', `/apps/${appid}/logs`)]
  return { keys: shared.json.items.map(({ key }: { key: string }) => key), log: logs.json.items.map(({ message }: { message: string }) => message) }
}

function change(data: string, file: string, sql: string): void {
  const db = new DatabaseSync(join(data, file))
  db.exec(sql)
  db.close()
}

/** What the files have of any app of this appid, and of apps that were deleted. */
function onDisk(data: string, appid: string): number {
  const count = (file: string, sql: string, ...values: string[]): number => {
    const db = new DatabaseSync(join(data, file), { readOnly: true })
    const { n } = db.prepare(`SELECT count(*) n FROM ${sql}`).get(...values) as { n: number }
    db.close()
    return n
  }
  const of = 'WHERE appid = ?1 OR appid LIKE ?1 || \'/%\''
  return count('shared.db', `apps ${of}`, appid) + count('logs.db', `lines ${of}`, appid) + count('catalog.db', 'deleted_apps')
}

/** The app is new, and has nothing of the one before. */
async function expectEmpty(platform: Platform, appid: string): Promise<void> {
  expect(await kept(platform, appid)).toEqual({ keys: [], log: [] })
  expect((await platform.admin('GET', `/apps/${appid}/shared/secret`)).status).toBe(404)
  expect((await platform.admin('PUT', `/apps/${appid}/functions/h`, LOOK)).status).toBe(201)
  expect((await platform.request(appid, '/h')).text).toBe('[]')
}

it('an app has nothing of a deleted one of its appid, if all was killed before the pool heard of the deletion', async () => {
  const data = await newFolder()
  const first = await start(data)
  const link = await standBetween(first)
  await makeSecretive(first, 'again')
  await link.insteadOfTelling(() => first.admin('DELETE', '/apps/again'), () => first.kill())
  link.close()
  const second = await start(data)
  expect((await second.admin('GET', '/apps/again')).status).toBe(404)
  expect((await second.admin('POST', '/apps', { appid: 'again' })).status).toBe(201)
  await expectEmpty(second, 'again')
})

it('an app has nothing of one of its appid that was deleted while the pool was away', async () => {
  const platform = await start(await newFolder())
  await makeSecretive(platform, 'again')
  await platform.admin('PUT', '/apps/again/functions/__websocket__', 'export function main() {}')
  const client = await connect(platform.url('again'))
  process.kill((await platform.processes('pool'))[0]!.pid, 'SIGKILL')
  await until('the console knows', async () => !(await isReady(platform)))
  const deleted = platform.admin('DELETE', '/apps/again')
  await sleep(150)
  const made = platform.admin('POST', '/apps', { appid: 'again' })
  expect(await deleted).toMatchObject({ status: 204 })
  expect((await made).status).toBe(201)
  await until('the platform is ready again', () => isReady(platform))
  // Its clients are not the next one's.
  expect(await client.closed).toMatchObject({ code: 1001 })
  await expectEmpty(platform, 'again')
})

it('an app that was deleted and made again before the pool heard of either is served anew, with nothing of the one before', async () => {
  const data = await newFolder()
  const platform = await start(data)
  await makeSecretive(platform, 'again')
  await platform.admin('PUT', '/apps/again/functions/__websocket__', 'export function main() {}')
  const client = await connect(platform.url('again'))
  const [consoleBefore] = await platform.processes('console')
  // As a console leaves it that is killed after both; what runs and the revision are the same.
  change(data, 'catalog.db', `BEGIN; INSERT INTO deleted_apps SELECT appid, instance FROM apps; UPDATE apps SET instance = 'another'; COMMIT`)
  expect(await kept(platform, 'again')).toEqual({ keys: [], log: [] })
  process.kill(consoleBefore!.pid, 'SIGKILL')
  expect(await client.closed).toMatchObject({ code: 1001 })
  await until('what the one before had is removed', () => onDisk(data, 'again') === 0)
  expect((await platform.request('again', '/h')).text).toBe('kept')
  await until('there is another console', () => isReady(platform))
  expect(await kept(platform, 'again')).toEqual({ keys: ['secret'], log: ['a secret line'] })
})

it('what a deleted app had is removed also if nobody takes its appid', async () => {
  const data = await newFolder()
  const first = await start(data)
  const link = await standBetween(first)
  await makeSecretive(first, 'told')
  expect((await first.admin('DELETE', '/apps/told')).status).toBe(204)
  expect(onDisk(data, 'told')).toBe(0)
  await makeSecretive(first, 'untold')
  await link.killBeforeItTells(() => first.admin('DELETE', '/apps/untold'))
  await until('the pool has removed it', () => onDisk(data, 'untold') === 0)
  await makeSecretive(first, 'killed')
  await link.insteadOfTelling(() => first.admin('DELETE', '/apps/killed'), () => first.kill())
  link.close()
  expect(onDisk(data, 'killed')).toBeGreaterThan(1)
  await start(data)
  await until('the next pool has removed it', () => onDisk(data, 'killed') === 0)
})

it('an app from before apps had instances keeps its values and its log, and the next one of its appid has none of them', async () => {
  const data = await newFolder()
  const first = await start(data)
  await makeSecretive(first, 'old')
  await first.stop()
  change(data, 'catalog.db', 'ALTER TABLE apps DROP COLUMN secret; ALTER TABLE apps DROP COLUMN instance; DROP TABLE deleted_apps; PRAGMA user_version = 1')
  change(data, 'shared.db', `UPDATE apps SET appid = 'old'`)
  change(data, 'logs.db', `UPDATE lines SET appid = 'old'`)
  const second = await start(data)
  expect(await kept(second, 'old')).toEqual({ keys: ['secret'], log: ['a secret line'] })
  await second.admin('PUT', '/apps/old/functions/h', LOOK)
  expect((await second.request('old', '/h')).text).toBe('[["secret","of the first tenant"]]')
  expect((await second.admin('DELETE', '/apps/old')).status).toBe(204)
  expect(onDisk(data, 'old')).toBe(0)
  expect((await second.admin('POST', '/apps', { appid: 'old' })).status).toBe(201)
  await expectEmpty(second, 'old')
})
