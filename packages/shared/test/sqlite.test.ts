import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { openSharedStore, RecordReader, type SharedStore } from '../src/index.ts'
import { RecordWriter } from './record-writer.ts'
import { longText, small, text } from './bytes.ts'
import { sharedContract } from './contract.ts'
import { APPS, ENTRIES, NODES } from './crash-writer.ts'
import { newModel, replay, type Model } from './model.ts'

const WRITER = join(import.meta.dirname, 'crash-writer.ts')
const KILLS = 20
const PLENTY = { bytes: 1024 * 1024 * 1024 }

const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'socklet-shared-'))

sharedContract('SQLite', async () => {
  const folder = await newFolder()
  const path = join(folder, 'shared.db')
  const store = openSharedStore(path)
  return {
    store,
    another: () => openSharedStore(path),
    async cleanup() {
      await store.close()
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
    return join(folder, 'shared.db')
  }
  function open(path: string, options?: { readOnly: boolean }): SharedStore {
    const store = openSharedStore(path, options)
    cleanups.push(() => store.close())
    return store
  }
  async function stored(store: SharedStore, appid: string): Promise<Model> {
    const model = newModel()
    for (const chunk of (await store.open(appid)).records) replay(model, chunk)
    return model
  }
  const one = (value: number): Uint8Array => new RecordWriter().set(0, 0, text('k'), small(value)).finish()

  it('keeps everything when it is opened again, and gives no lease twice', async () => {
    const path = await newFile()
    const first = openSharedStore(path)
    const { lease } = await first.open('kept')
    const writing = first.write('kept', lease, one(1), PLENTY)
    // What is waiting is written.
    await first.close()
    await writing
    const second = open(path)
    expect((await second.value('kept', text('k'), { maxBytes: 100 }))!.value).toEqual(small(1))
    await second.write('kept', lease, one(2), PLENTY)
    expect((await second.open('kept')).lease).toBeGreaterThan(lease)
    await expect(second.write('kept', lease, one(3), PLENTY)).rejects.toMatchObject({ code: 'stale_lease' })
    expect((await second.value('kept', text('k'), { maxBytes: 100 }))!.value).toEqual(small(2))
  })

  it('can be read by its owner only', async () => {
    const path = await newFile()
    await open(path).open('a')
    for (const suffix of ['', '-wal', '-shm']) expect((await stat(path + suffix)).mode & 0o777).toBe(0o600)
  })

  it('is refused when a later version has written it, or when it is no store', async () => {
    const path = await newFile()
    await openSharedStore(path).close()
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 1000')
    db.close()
    expect(() => openSharedStore(path)).toThrow(/shared\.db.*later version/)
    expect(() => openSharedStore(path, { readOnly: true })).toThrow(/shared\.db.*later version/)
    await writeFile(path, 'this is a text file and not a database, however long one makes it'.repeat(20))
    expect(() => openSharedStore(path)).toThrow(/shared\.db.*not a database/)
    expect(() => openSharedStore(join(path, 'below', 'shared.db'))).toThrow(/ENOTDIR/)
  })

  it('can be looked at by a process that may only read, while another writes', async () => {
    const path = await newFile()
    expect(() => openSharedStore(path, { readOnly: true })).toThrow(/shared\.db/)
    const writer = open(path)
    const { lease } = await writer.open('a')
    await writer.write('a', lease, one(1), PLENTY)
    const reader = open(path, { readOnly: true })
    expect((await reader.keys('a', { limit: 10 })).items).toHaveLength(1)
    await writer.write('a', lease, one(2), PLENTY)
    expect((await reader.value('a', text('k'), { maxBytes: 100 }))!.value).toEqual(small(2))
    await expect(reader.open('a')).rejects.toMatchObject({ code: 'failed' })
    await expect(reader.write('a', lease, one(3), PLENTY)).rejects.toMatchObject({ code: 'failed' })
    await expect(reader.remove('a')).rejects.toMatchObject({ code: 'failed' })
    await expect(reader.deleteKey('a', text('k'))).rejects.toMatchObject({ code: 'failed' })
    await writer.write('a', lease, one(4), PLENTY)
  })

  it('says so when it cannot be written, and has nothing of what was refused', async () => {
    const path = await newFile()
    const store = open(path)
    const [a, b] = [(await store.open('a')).lease, (await store.open('b')).lease]
    await store.write('a', a, one(1), PLENTY)
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    const results = await Promise.allSettled([store.write('a', a, one(2), PLENTY), store.write('b', b, one(2), PLENTY)])
    other.exec('ROLLBACK')
    other.close()
    expect(results).toMatchObject([{ reason: { code: 'failed' } }, { reason: { code: 'failed' } }])
    await expect(store.write('a', a, one(3), PLENTY)).rejects.toMatchObject({ code: 'stale_lease' })
    expect((await store.value('a', text('k'), { maxBytes: 100 }))!.value).toEqual(small(1))
    await store.write('a', (await store.open('a')).lease, one(4), PLENTY)
  })

  it('gives an app in order that is too large to be read at once', async () => {
    const store = open(await newFile())
    const { lease } = await store.open('large')
    const sizes = Array.from({ length: 250 }, (_, i) => i % 25 === 0 ? 3_000_000 : 50_000 + i)
    for (let part = 0; part < 10; part++) {
      const writer = new RecordWriter()
      for (let i = part * 25; i < part * 25 + 25; i++) writer.set(0, i, text(`k${i}`), longText(sizes[i]!))
      await store.write('large', lease, writer.finish(), PLENTY)
    }
    const found: number[] = []
    for (const chunk of (await store.open('large')).records) {
      for (const record = new RecordReader(chunk); record.next();) found.push(record.entry, record.value.length)
    }
    expect(found).toEqual(sizes.flatMap((size, i) => [i, longText(size).length]))
  })

  it(`has what was acknowledged, and nothing by halves, when its process is killed (${KILLS} times)`, async () => {
    const path = await newFile()
    let next = 0
    for (let time = 0; time < KILLS; time++) {
      const child = spawn(process.execPath, [WRITER, path, String(next)], { stdio: ['ignore', 'pipe', 'inherit'] })
      let output = ''
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
      await once(child.stdout, 'data')
      // At another point of a write each time.
      await sleep(Math.random() * 40)
      child.kill('SIGKILL')
      await once(child, 'close')
      // The last line may be cut off.
      const acknowledged = Number(output.slice(0, output.lastIndexOf('\n')).split('\n').at(-1))
      const store = openSharedStore(path)
      const last = await Promise.all(APPS.map(async (appid) => lastOf(await stored(store, appid))))
      // What was answered is there; one more may be, that was not answered in time. Both apps' writes were made in one tick.
      expect([acknowledged, acknowledged + 1]).toContain(last[0])
      expect(last[1]).toBe(last[0])
      next = last[0]! + 1
      await store.close()
    }
    const db = new DatabaseSync(path)
    expect(db.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
    db.close()
  })

  /** The last round of the app, of which all has to be there, as of those before it. */
  function lastOf(model: Model): number {
    const said = (hex: string): number => Number(Buffer.from(hex, 'hex').subarray(2).toString())
    const last = said(model.get(0)!.entries.get(0)!.value)
    for (let number = last; number > Math.max(-1, last - NODES); number--) {
      const { entries } = model.get((number % NODES) + 1)!
      expect(new Set([...entries.values()].map(({ key }) => said(key)))).toEqual(new Set([number]))
      expect(entries.size).toBe(ENTRIES)
    }
    return last
  }
})
