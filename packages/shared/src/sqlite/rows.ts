import { RecordReader } from '../records.ts'
import type { StoreDatabase } from './database.ts'

/** Rows are joined up to about so many bytes at once. */
const PAGE_BYTES = 32 * 1024 * 1024
const ALL = -1
/** Rows that are read at once where they are wanted one by one. */
const BATCH = 200

type Position = { node: number; entry: number }

const OF_NODES = 'FROM nodes WHERE app = ? AND node > ? ORDER BY node LIMIT ?'
const OF_ENTRIES = 'FROM entries WHERE app = ? AND (node, entry) > (?, ?) ORDER BY node, entry LIMIT ?'

/** Within a transaction: the NODE records of the app, joined, in pages. */
export function nodeRecords(db: StoreDatabase, app: number): Generator<Buffer> {
  return pages(db, OF_NODES, ({ node }) => [app, node])
}

/** Within a transaction: the SET records of the app, joined, in pages; those of one node in their order. */
export function entryRecords(db: StoreDatabase, app: number): Generator<Buffer> {
  return pages(db, OF_ENTRIES, ({ node, entry }) => [app, node, entry])
}

/** Within a transaction: the SET records of one node whose entries are above `after`, one by one, in their order. */
export function* entriesOf(db: StoreDatabase, app: number, node: number, after = -1): Generator<RecordReader> {
  // In batches, and not with an iterator: there is one for each statement, and this goes on within itself.
  const sql = `SELECT record FROM entries WHERE app = ? AND node = ? AND entry > ? ORDER BY entry LIMIT ${BATCH}`
  for (;;) {
    const rows = db.all<[Uint8Array]>(sql, app, node, after)
    for (const [bytes] of rows) {
      const record = new RecordReader(bytes)
      record.next()
      after = record.entry
      yield record
    }
    if (rows.length < BATCH) return
  }
}

function* pages(db: StoreDatabase, from: string, valuesOf: (after: Position) => number[]): Generator<Buffer> {
  const after: Position = { node: -1, entry: -1 }
  for (;;) {
    const values = valuesOf(after)
    const limit = pageLength(db, from, values)
    const page = limit === 1 ? single(db, from, values) : joined(db, from, values, limit)
    if (page.length === 0) return
    yield page
    if (limit === ALL) return
    Object.assign(after, lastOf(page))
  }
}

/** How many rows make a page. */
function pageLength(db: StoreDatabase, from: string, values: number[]): number {
  const sql = `SELECT count(*), total(length(record)) FROM (SELECT record ${from})`
  let [rows, bytes] = db.get<[number, number]>(sql, ...values, ALL)!
  if (bytes <= PAGE_BYTES) return ALL
  while (rows > 1 && bytes > PAGE_BYTES) {
    rows = Math.max(1, Math.floor(rows / 2))
    bytes = db.get<[number, number]>(sql, ...values, rows)![1]
  }
  return rows
}

/**
 * By way of hexadecimal text, which is made and read in native code. Measured with 10,000 small rows: 3 ms, and 15 to 60 ms for as many
 * arrays of bytes, each of which is memory outside the heap.
 */
function joined(db: StoreDatabase, from: string, values: number[], limit: number): Buffer {
  const [text] = db.get<[string | null]>(`SELECT group_concat(hex(record), '') FROM (SELECT record ${from})`, ...values, limit)!
  return Buffer.from(text ?? '', 'hex')
}

function single(db: StoreDatabase, from: string, values: number[]): Buffer {
  const row = db.get<[Uint8Array]>(`SELECT record ${from}`, ...values, 1)
  return row === undefined ? Buffer.alloc(0) : toBuffer(row[0])
}

function lastOf(page: Buffer): Position {
  const record = new RecordReader(page)
  while (record.next());
  return { node: record.node, entry: record.entry }
}

const toBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
