import { chmodSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { LOG_LEVELS, LOG_PAGE_CHARACTERS, takePage, type LogEntry, type LogLine, type LogPage, type LogQuery } from '@socklet/protocol'

/** Lines are written together so often; what is younger is lost when the machine loses power. */
const FLUSH_EVERY_MS = 50
/** Lines that are kept of an app. */
const KEEP_LINES = 10_000
/** An app's old lines are removed after so many new ones. */
const PRUNE_AFTER = 1_000
/** Lines that wait at most; what is above is dropped: a worker that was taken over may send any number. */
const MAX_WAITING = 20_000
/** The operator is told of lost lines so often at most: on a full disk they are lost with each flush. */
const TELL_LOST_EVERY_MS = 10_000

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS lines (
    id INTEGER PRIMARY KEY AUTOINCREMENT, appid TEXT NOT NULL, time INTEGER NOT NULL, level INTEGER NOT NULL, function TEXT NOT NULL,
    requestId TEXT NOT NULL, connection TEXT NOT NULL, version INTEGER NOT NULL, message TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS lines_of_app ON lines (appid, id);
`

/** The apps' logs, in a file of their own: they are many, and may be lost with less harm than anything else. */
export class LogStore {
  readonly #db: DatabaseSync
  readonly #insert: StatementSync
  readonly #prune: StatementSync
  readonly #onEntries: (appid: string, entries: LogEntry[]) => void
  readonly #onError: (error: Error) => void
  #waiting: { appid: string; line: LogLine }[] = []
  readonly #sincePrune = new Map<string, number>()
  #timer: NodeJS.Timeout | null = null
  #toldLostAt = 0

  /** `onEntries` is given what was written, for those who follow a log; `onError` what keeps lines from being written, now and then: they are lost. */
  constructor(path: string, onEntries: (appid: string, entries: LogEntry[]) => void, onError: (error: Error) => void) {
    this.#db = new DatabaseSync(path)
    // What tenants log may be secret.
    chmodSync(path, 0o600)
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;')
    this.#db.exec(SCHEMA)
    this.#insert = this.#db.prepare('INSERT INTO lines (appid, time, level, function, requestId, connection, version, message) VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
    this.#prune = this.#db.prepare('DELETE FROM lines WHERE appid = ? AND id <= (SELECT id FROM lines WHERE appid = ? ORDER BY id DESC LIMIT 1 OFFSET ?)')
    this.#onEntries = onEntries
    this.#onError = onError
  }

  add(appid: string, line: LogLine): void {
    if (this.#waiting.length >= MAX_WAITING) return
    this.#waiting.push({ appid, line })
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_EVERY_MS)
  }

  /** A page, newest first. Lines may have 1 MiB each: it ends before they are too much for one answer. */
  read(query: LogQuery): LogPage {
    this.flush()
    const conditions = ['appid = ?']
    const values: (string | number)[] = [query.appid]
    const where = (condition: string, value: string | number | undefined): void => {
      if (value === undefined) return
      conditions.push(condition)
      values.push(value)
    }
    where('id < ?', query.before)
    where('level >= ?', query.level === undefined ? undefined : LOG_LEVELS.indexOf(query.level))
    where('function = ?', query.function)
    where('requestId = ?', query.requestId)
    where('connection = ?', query.connection)
    // One more than was asked for tells whether there is a next page.
    const rows = this.#db.prepare(`SELECT * FROM lines WHERE ${conditions.join(' AND ')} ORDER BY id DESC LIMIT ?`).iterate(...values, query.limit + 1)
    const { items, more } = takePage(entriesOf(rows), { items: query.limit, characters: LOG_PAGE_CHARACTERS })
    return more ? { items, next: items.at(-1)!.id } : { items }
  }

  /** Forgets what a deleted app has logged. */
  remove(appid: string): void {
    this.flush()
    this.#db.prepare('DELETE FROM lines WHERE appid = ?').run(appid)
    this.#sincePrune.delete(appid)
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    let written: Map<string, LogEntry[]>
    try {
      written = this.#writeAll(waiting)
    } catch (error) {
      this.#tellLost(error as Error)
      return
    }
    for (const [appid, entries] of written) this.#onEntries(appid, entries)
  }

  close(): void {
    this.flush()
    this.#db.close()
  }

  /** All of them, or none if it throws. */
  #writeAll(lines: { appid: string; line: LogLine }[]): Map<string, LogEntry[]> {
    const written = new Map<string, LogEntry[]>()
    this.#db.exec('BEGIN')
    try {
      for (const { appid, line } of lines) {
        const entry = { ...line, id: this.#write(appid, line) }
        const entries = written.get(appid)
        if (entries === undefined) written.set(appid, [entry])
        else entries.push(entry)
      }
      for (const [appid, entries] of written) this.#pruneIfDue(appid, entries.length)
      this.#db.exec('COMMIT')
      return written
    } finally {
      // A full disk may have ended the transaction.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
    }
  }

  #tellLost(error: Error): void {
    const now = Date.now()
    if (now - this.#toldLostAt < TELL_LOST_EVERY_MS) return
    this.#toldLostAt = now
    this.#onError(error)
  }

  #write(appid: string, line: LogLine): number {
    const level = LOG_LEVELS.indexOf(line.level)
    const { lastInsertRowid } = this.#insert.run(appid, Math.trunc(line.time), level, line.function, line.requestId, line.connection, line.version, line.message)
    return Number(lastInsertRowid)
  }

  #pruneIfDue(appid: string, count: number): void {
    const since = (this.#sincePrune.get(appid) ?? PRUNE_AFTER) + count
    if (since >= PRUNE_AFTER) this.#prune.run(appid, appid, KEEP_LINES)
    this.#sincePrune.set(appid, since >= PRUNE_AFTER ? 0 : since)
  }
}

/** One after the other, so that no more are read than a page holds. */
function* entriesOf(rows: Iterable<Record<string, unknown>>): Generator<LogEntry> {
  for (const row of rows) yield toEntry(row)
}

function toEntry(row: Record<string, unknown>): LogEntry {
  return {
    id: Number(row['id']),
    time: Number(row['time']),
    level: LOG_LEVELS[Number(row['level'])] ?? 'info',
    function: String(row['function']),
    requestId: String(row['requestId']),
    connection: String(row['connection']),
    version: Number(row['version']),
    message: String(row['message'])
  }
}

/** Names and ids are no longer than this in the guest's lines. UTF-16 units. */
const MAX_NAME = 512

/** A line as the guest would have cut it: a worker may send any. `messageUnits`: the app's limit logLineBytes. */
export function cutLine(line: LogLine, messageUnits: number): LogLine {
  const name = (text: string): string => text.slice(0, MAX_NAME)
  return { ...line, function: name(line.function), requestId: name(line.requestId), connection: name(line.connection), message: line.message.slice(0, messageUnits) }
}
