import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect } from './support/client.ts'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'

const ECHO = `export default (ctx) => { if (ctx.method === 'WebSocket:message') ctx.socket.send('heard ' + ctx.params.data) }`
const LOGS = `export default () => { console.log('a line'); return 'logged' }`
const STORES = `import cloud from '@lafjs/cloud'
export default () => { cloud.shared.set('n', (cloud.shared.get('n') ?? 0) + 1); return cloud.shared.get('n') }`

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform()
  await platform.app('chat', { __websocket__: ECHO, say: LOGS })
  await platform.app('keeps', { count: STORES })
})
afterAll(() => platform.close())

/** From now on, to write this does what it does on a full disk: it fails, and SQLite has ended the transaction. */
function fill(file: string, write: string): () => void {
  const db = new DatabaseSync(join(platform.data, file))
  db.exec(`CREATE TRIGGER full_disk BEFORE ${write} BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END`)
  return () => {
    db.exec('DROP TRIGGER full_disk')
    db.close()
  }
}

async function pids(kind: string): Promise<number[]> {
  return (await platform.processes(kind)).map(({ pid }) => pid)
}

// The first log line that found the disk full ended the pool, and the new pool could start no app: all of them were gone for as long as the disk was full.
it('on a full disk the apps that run go on, and all is as before when there is space again', async () => {
  const client = await connect(platform.url('chat'))
  expect((await platform.request('keeps', '/count')).text).toBe('1')
  const pool = await pids('pool')
  const spaces = [fill('logs.db', 'INSERT ON lines'), fill('shared.db', 'UPDATE ON entries')]
  expect((await platform.request('chat', '/say')).text).toBe('logged')
  const refused = platform.request('keeps', '/count').catch(() => null)
  await until('both are told to the operator', () => /log lines were lost/.test(platform.errors()) && /shared values of keeps were not stored/.test(platform.errors()))
  client.send('hello')
  expect(await client.next()).toBe('heard hello')
  expect((await platform.request('chat', '/say')).text).toBe('logged')
  expect((await platform.admin('GET', '/apps/chat/logs')).json).toEqual({ items: [] })
  expect(await pids('pool')).toEqual(pool)
  for (const makeSpace of spaces) makeSpace()
  await refused
  expect((await platform.request('chat', '/say')).text).toBe('logged')
  await until('a line is logged', async () => (await platform.admin('GET', '/apps/chat/logs')).json.items.length > 0)
  const before = Number((await platform.request('keeps', '/count')).text)
  expect(Number((await platform.request('keeps', '/count')).text)).toBe(before + 1)
  expect(await pids('pool')).toEqual(pool)
  await client.close()
})
