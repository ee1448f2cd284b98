import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { appidIn, dataName, type Catalog } from '../src/index.ts'
import { openSqliteCatalog } from '../src/sqlite.ts'
import { catalogContract, version } from './contract.ts'

const PUBLISHER = join(import.meta.dirname, 'publisher.ts')
const VERSIONS = { limit: 10_000 }

async function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'socklet-catalog-'))
}

const stateOf = async (catalog: Catalog) => [
  await catalog.release('kept'),
  await catalog.listVersions('kept', 'f', VERSIONS),
  await catalog.listEnv('kept'),
  await catalog.findToken('h'),
  await catalog.getSetting('demo')
]

catalogContract('SQLite', async () => {
  const folder = await newFolder()
  const path = join(folder, 'catalog.db')
  const catalog = await openSqliteCatalog(path)
  return {
    catalog,
    another: () => openSqliteCatalog(path),
    async forgetSecret(appid) {
      const db = new DatabaseSync(path)
      db.prepare(`UPDATE apps SET secret = '' WHERE appid = ?`).run(appid)
      db.close()
    },
    async cleanup() {
      await catalog.close()
      await rm(folder, { recursive: true })
    }
  }
})

describe('the SQLite file', () => {
  const cleanups: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
  })

  async function newFile(): Promise<string> {
    const folder = await newFolder()
    cleanups.push(() => rm(folder, { recursive: true }))
    return join(folder, 'catalog.db')
  }
  async function open(path: string): Promise<Catalog> {
    const catalog = await openSqliteCatalog(path)
    cleanups.push(() => catalog.close())
    return catalog
  }

  it('keeps everything when it is opened again', async () => {
    const path = await newFile()
    const first = await openSqliteCatalog(path)
    await first.createApp({ appid: 'kept', name: 'Kept' })
    await first.publish('kept', { put: [version('f', 'one'), version('g')], remove: [], maxFunctions: 10 })
    await first.publish('kept', { put: [version('f', 'two')], remove: ['g'], maxFunctions: 10 })
    await first.setEnv('kept', { A: '1' })
    await first.updateApp('kept', { limits: { heapMiB: 32 } })
    await first.createToken({ id: 't', appid: 'kept', name: 'T', scopes: ['read'], expiresAt: null, hash: 'h' })
    await first.setSetting('demo', 'yes')
    const before = await stateOf(first)
    await first.close()
    const second = await open(path)
    expect(await stateOf(second)).toEqual(before)
    expect((await second.publish('kept', { put: [version('g')], remove: [], maxFunctions: 10 })).published[0]!.info.version).toBe(2)
  })

  it('is brought up to date, and its apps keep what they have elsewhere under their appid', async () => {
    const path = await newFile()
    const earlier = await openSqliteCatalog(path)
    for (const appid of ['old', 'gone']) await earlier.createApp({ appid, name: appid })
    await earlier.close()
    const db = new DatabaseSync(path)
    db.exec('ALTER TABLE apps DROP COLUMN secret; ALTER TABLE apps DROP COLUMN instance; DROP TABLE deleted_apps; PRAGMA user_version = 1')
    db.close()
    const catalog = await open(path)
    const old = (await catalog.getApp('old'))!
    expect(old).toMatchObject({ name: 'old', instance: '', revision: 1 })
    expect(dataName(old)).toBe('old')
    await catalog.deleteApp('gone')
    expect(await catalog.listDeleted()).toEqual([{ appid: 'gone', instance: '' }])
    const again = await catalog.createApp({ appid: 'gone', name: 'again' })
    expect(dataName(again)).not.toBe('gone')
    expect(appidIn(dataName(again))).toBe('gone')
    expect(appidIn(dataName(old))).toBe('old')
  })

  it('is brought up to date, and its apps get secrets that stay', async () => {
    const path = await newFile()
    const earlier = await openSqliteCatalog(path)
    await earlier.createApp({ appid: 'old', name: 'Old' })
    await earlier.close()
    const db = new DatabaseSync(path)
    db.exec('ALTER TABLE apps DROP COLUMN secret; PRAGMA user_version = 2')
    db.close()
    const [first, second] = [await open(path), await open(path)]
    const { secret } = (await first.release('old'))!
    expect(secret).toMatch(/^[\w-]{43}$/)
    expect((await second.release('old'))!.secret).toBe(secret)
    expect((await (await open(path)).release('old'))!.secret).toBe(secret)
  })

  it('can be read by its owner only', async () => {
    const path = await newFile()
    const catalog = await open(path)
    await catalog.setSetting('a', 'b')
    for (const suffix of ['', '-wal', '-shm']) expect((await stat(path + suffix)).mode & 0o777).toBe(0o600)
  })

  it('is in the data folder when there is no URL', async () => {
    const path = await newFile()
    const script = `import { openCatalog } from ${JSON.stringify(join(import.meta.dirname, '../src/index.ts'))}
      const catalog = await openCatalog({ 'mongodb-url': null })
      await catalog.setSetting('from', 'the data folder')
      await catalog.close()`
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], { cwd: join(path, '..'), stdio: ['ignore', 'ignore', 'inherit'] })
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(await (await open(path)).getSetting('from')).toBe('the data folder')
  })

  it('is refused when a later version has written it, or when it is no catalog', async () => {
    const path = await newFile()
    await (await openSqliteCatalog(path)).close()
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 1000')
    db.close()
    await expect(openSqliteCatalog(path)).rejects.toThrow(/catalog\.db.*later version/)
    await writeFile(path, 'this is a text file and not a database, however long one makes it'.repeat(20))
    await expect(openSqliteCatalog(path)).rejects.toThrow(/catalog\.db.*not a database/)
    await expect(openSqliteCatalog(join(path, 'below', 'catalog.db'))).rejects.toThrow(/ENOTDIR/)
  })

  it('loses nothing when processes open and write it at the same time', async () => {
    const path = await newFile()
    const processes = 4
    const rounds = 5
    const seed = await open(path)
    await seed.createApp({ appid: 'busy', name: 'Busy' })
    const children = Array.from({ length: processes }, (_, index) =>
      spawn(process.execPath, [PUBLISHER, path, 'busy', String(rounds), `p${index}`], { stdio: ['ignore', 'ignore', 'inherit'] })
    )
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number))
    expect(codes).toEqual(children.map(() => 0))
    for (const name of ['a', 'b', 'c']) {
      const { items } = await seed.listVersions('busy', name, VERSIONS)
      expect(items.map((item) => item.version)).toEqual(Array.from({ length: processes * rounds }, (_, index) => processes * rounds - index))
      expect(new Set(items.map((item) => item.hash)).size).toBe(processes * rounds)
    }
  })

  it('can be made by several processes at once', async () => {
    const path = await newFile()
    const script = `import { openSqliteCatalog } from ${JSON.stringify(join(import.meta.dirname, '../src/sqlite.ts'))}
      process.stdout.write('up')
      await new Promise((done) => process.stdin.once('data', done))
      process.stdin.destroy()
      const catalog = await openSqliteCatalog(${JSON.stringify(path)})
      await catalog.setSetting(String(process.pid), 'here')
      await catalog.close()`
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--input-type=module-typescript', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
    )
    await Promise.all(children.map((child) => once(child.stdout, 'data')))
    for (const child of children) child.stdin.write('go')
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number))
    expect(codes).toEqual([0, 0, 0, 0])
    const catalog = await open(path)
    for (const child of children) expect(await catalog.getSetting(String(child.pid))).toBe('here')
  })

  it('has all of a publish or nothing when the process is killed in the middle of it', async () => {
    const path = await newFile()
    const catalog = await open(path)
    await catalog.createApp({ appid: 'killed', name: 'Killed' })
    for (let time = 0; time < 5; time++) {
      const child = spawn(process.execPath, [PUBLISHER, path, 'killed', '0', `time${time}`], { stdio: ['ignore', 'pipe', 'inherit'] })
      let output = ''
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
      await once(child.stdout, 'data')
      // At another point of a publish each time.
      await sleep(Math.random() * 50)
      child.kill('SIGKILL')
      await once(child, 'close')
      const answered = Number(output.trimEnd().split('\n').at(-1))
      const { app, functions } = (await catalog.release('killed'))!
      // What was answered is there; one more may be, that was not answered in time.
      expect([answered, answered + 1]).toContain(app.revision)
      expect(functions.map((each) => [each.name, each.version])).toEqual(['a', 'b', 'c'].map((name) => [name, app.revision - 1]))
      expect(new Set(functions.map((each) => each.hash)).size).toBe(1)
      for (const name of ['a', 'b', 'c']) expect((await catalog.listVersions('killed', name, VERSIONS)).items).toHaveLength(app.revision - 1)
    }
  })
})
