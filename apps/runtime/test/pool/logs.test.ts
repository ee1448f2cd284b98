import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LOG_PAGE_CHARACTERS, MAX_FRAME_BYTES, type LogEntry, type LogLine } from '@socklet/protocol'
import { LogStore, cutLine } from '../../src/pool/logs.ts'

let folder: string
let path: string
let logs: LogStore
let written: [appid: string, entries: LogEntry[]][]
let errors: Error[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'socklet-logs-'))
  path = join(folder, 'logs.db')
  written = []
  errors = []
  logs = new LogStore(path, (appid, entries) => written.push([appid, entries]), (error) => errors.push(error))
})
afterEach(() => {
  logs.close()
  rmSync(folder, { recursive: true })
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5)
}

function line(message: string, more: Partial<LogLine> = {}): LogLine {
  return { time: 1_700_000_000_000, level: 'info', function: 'f', requestId: 'r', connection: 'c', version: 1, message, ...more }
}

const messages = (appid: string, limit = 1_000): string[] => logs.read({ appid, limit }).items.map(({ message }) => message)

describe('the log', () => {
  it('is read newest first, each app for itself, with what was added just before', () => {
    for (const message of ['one', 'two']) logs.add('abc', line(message))
    logs.add('other', line('three', { level: 'error' }))
    expect(logs.read({ appid: 'abc', limit: 10 })).toEqual({ items: [{ ...line('two'), id: 2 }, { ...line('one'), id: 1 }] })
    expect(logs.read({ appid: 'other', limit: 10 })).toEqual({ items: [{ ...line('three', { level: 'error' }), id: 3 }] })
    expect(written.map(([appid, entries]) => [appid, entries.length])).toEqual([['abc', 2], ['other', 1]])
  })

  it('keeps the newest 10,000 lines of an app, and up to 1,000 that are due to go', () => {
    logs.add('other', line('stays'))
    for (let n = 1; n <= 13_500; n++) {
      logs.add('abc', line(`${n}`))
      if (n % 500 === 0) logs.flush()
    }
    const count = new DatabaseSync(path, { readOnly: true }).prepare('SELECT count(*) AS count, min(id) AS oldest FROM lines WHERE appid = ?').get('abc') as { count: number; oldest: number }
    expect(count.count).toBeGreaterThanOrEqual(10_000)
    expect(count.count).toBeLessThan(11_000)
    expect(messages('abc', 2)).toEqual(['13500', '13499'])
    expect(messages('other')).toEqual(['stays'])
  })

  it('drops lines beyond those that may wait', () => {
    for (let n = 1; n <= 20_100; n++) logs.add('abc', line(`${n}`))
    expect(messages('abc', 1)).toEqual(['20000'])
    logs.add('abc', line('later'))
    expect(messages('abc', 2)).toEqual(['later', '20000'])
  })

  it('forgets an app with what waits of it', () => {
    logs.add('abc', line('one'))
    logs.add('other', line('two'))
    logs.remove('abc')
    expect(messages('abc')).toEqual([])
    expect(messages('other')).toEqual(['two'])
  })
})

describe('a page', () => {
  function pages(limit: number): number[][] {
    const found: number[][] = []
    for (let before: number | undefined = Number.MAX_SAFE_INTEGER; before !== undefined;) {
      const { items, next } = logs.read({ appid: 'abc', limit, before })
      found.push(items.map(({ id }) => id))
      before = next
    }
    return found
  }

  it('says whether there is another', () => {
    for (let n = 1; n <= 4; n++) logs.add('abc', line(`${n}`))
    expect(pages(2)).toEqual([[4, 3], [2, 1]])
    expect(pages(3)).toEqual([[4, 3, 2], [1]])
    expect(pages(5)).toEqual([[4, 3, 2, 1]])
  })

  // 600 lines of 1 MiB were an answer that no string can be, and ended the pool.
  it('is shorter where lines are long, and has one at least', () => {
    for (let n = 1; n <= 4; n++) logs.add('abc', line('\u0001'.repeat(LOG_PAGE_CHARACTERS * 0.4)))
    logs.add('abc', line('x'.repeat(LOG_PAGE_CHARACTERS + 1)))
    logs.add('abc', line('short'))
    expect(pages(1_000)).toEqual([[6], [5], [4, 3], [2, 1]])
    expect(Buffer.byteLength(JSON.stringify(logs.read({ appid: 'abc', limit: 1_000, before: 5 })))).toBeLessThan(MAX_FRAME_BYTES)
  })
})

/*
 * SQLite ends a transaction by itself when the disk is full. To roll it back once more threw in a timer, and ended the pool: with it all workers,
 * and every app, at the one moment at which none can be started anew.
 */
describe('a full disk', () => {
  let outside: DatabaseSync
  beforeEach(() => {
    logs.add('abc', line('before'))
    logs.flush()
    outside = new DatabaseSync(path)
  })
  afterEach(() => outside.close())

  /** What is written does from now on what it does on a full disk: it fails, and its transaction is over. */
  const fill = (): void => outside.exec("CREATE TRIGGER full BEFORE INSERT ON lines BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END")
  const makeSpace = (): void => outside.exec('DROP TRIGGER full')

  it('costs the lines that are logged meanwhile, and nothing else', async () => {
    fill()
    logs.add('abc', line('lost'))
    // As the pool does it: in a timer.
    await until(() => errors.length > 0)
    expect(messages('abc')).toEqual(['before'])
    makeSpace()
    logs.add('abc', line('after'))
    expect(messages('abc')).toEqual(['after', 'before'])
    expect(written.map(([, entries]) => entries.map(({ message }) => message))).toEqual([['before'], ['after']])
  })

  it('is told of once, however many lines are lost', () => {
    fill()
    for (let n = 0; n < 100; n++) {
      logs.add('abc', line(`${n}`))
      logs.flush()
    }
    expect(errors.map(({ message }) => message)).toEqual(['database or disk is full'])
  })
})

it('lines that come when the file is closed are lost, and that is told', () => {
  const closed = new LogStore(join(folder, 'closed.db'), () => {}, (error) => errors.push(error))
  closed.close()
  closed.add('abc', line('late'))
  closed.flush()
  expect(errors.map(({ message }) => message)).toEqual(['database is not open'])
})

it('a line is no longer than the app may log, whatever a worker sends', () => {
  const long = 'x'.repeat(30 * 1024 * 1024)
  const cut = cutLine({ time: 1, level: 'info', function: long, requestId: long, connection: long, version: 2, message: long }, 80)
  expect([cut.function, cut.requestId, cut.connection, cut.message].map(({ length }) => length)).toEqual([512, 512, 512, 80])
  expect(cut).toMatchObject({ time: 1, level: 'info', version: 2 })
})
