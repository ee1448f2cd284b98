import { ENTRY_BYTES, NodeKind, Op, ROOT, RecordError, RecordReader } from '../records.ts'
import { SharedError } from '../store.ts'
import type { StoreDatabase } from './database.ts'

const NODE = 'SELECT kind, size FROM nodes WHERE app = ? AND node = ?'
const INSERT_NODE = 'INSERT INTO nodes VALUES (?, ?, ?, ?, ?)'
const DELETE_NODE = 'DELETE FROM nodes WHERE app = ? AND node = ?'
const ENTRY_SIZE = 'SELECT size FROM entries WHERE app = ? AND node = ? AND entry = ?'
const INSERT = 'INSERT INTO entries VALUES (?, ?, ?, ?, ?)'
const UPDATE = 'UPDATE entries SET size = ?, record = ? WHERE app = ? AND node = ? AND entry = ?'
const DELETE = 'DELETE FROM entries WHERE app = ? AND node = ? AND entry = ?'
const ENTRIES_SIZE = 'SELECT total(size) FROM entries WHERE app = ? AND node = ?'
const CLEAR = 'DELETE FROM entries WHERE app = ? AND node = ?'

/** No other app's changes are written meanwhile. What a guest may change in a turn takes a fifth of it. */
const MAX_MS = 10_000
const LOOK_AT_CLOCK_EVERY = 256

/**
 * Within a transaction: does what the records say.
 * @returns how many bytes the app has grown by @throws SharedError `bad_records`
 */
export function apply(db: StoreDatabase, app: number, records: Uint8Array): number {
  try {
    return new Application(db, app).apply(new RecordReader(records))
  } catch (error) {
    throw error instanceof RecordError ? new SharedError('bad_records', error.message) : error
  }
}

class Application {
  readonly #db: StoreDatabase
  readonly #app: number
  #grown = 0
  /** The node that the last SET was for: most follow one another. */
  #checked = ROOT

  constructor(db: StoreDatabase, app: number) {
    this.#db = db
    this.#app = app
  }

  apply(record: RecordReader): number {
    const end = performance.now() + MAX_MS
    for (let count = 1; record.next(); count++) {
      this.#one(record)
      if (count % LOOK_AT_CLOCK_EVERY === 0 && performance.now() > end) throw new SharedError('too_long', `a change took more than ${MAX_MS} ms to be written`)
    }
    return this.#grown
  }

  #one(record: RecordReader): void {
    switch (record.op) {
      case Op.NODE: return this.#make(record)
      case Op.SET: return this.#set(record)
      case Op.DELETE: return this.#delete(record.node, record.entry)
      case Op.CLEAR: return this.#clear(record.node)
      case Op.DROP: return this.#drop(record.node)
    }
  }

  #make(record: RecordReader): void {
    const size = ENTRY_BYTES + record.valueEnd - record.valueStart
    this.#drop(record.node)
    this.#db.run(INSERT_NODE, this.#app, record.node, record.kind, size, record.record)
    this.#grown += size
  }

  #set(record: RecordReader): void {
    const { node, entry } = record
    if (node !== this.#checked) this.#check(node)
    const size = ENTRY_BYTES + record.keyEnd - record.keyStart + record.valueEnd - record.valueStart
    const old = this.#db.get<[number]>(ENTRY_SIZE, this.#app, node, entry)
    if (old === undefined) this.#db.run(INSERT, this.#app, node, entry, size, record.record)
    else this.#db.run(UPDATE, size, record.record, this.#app, node, entry)
    this.#grown += size - (old?.[0] ?? 0)
  }

  #check(node: number): void {
    const kind = node === ROOT ? NodeKind.MAP : this.#db.get<[number]>(NODE, this.#app, node)?.[0]
    if (kind !== NodeKind.MAP && kind !== NodeKind.SET) throw new SharedError('bad_records', `node ${node} is no Map and no Set`)
    this.#checked = node
  }

  #delete(node: number, entry: number): void {
    const old = this.#db.get<[number]>(ENTRY_SIZE, this.#app, node, entry)
    if (old === undefined) return
    this.#db.run(DELETE, this.#app, node, entry)
    this.#grown -= old[0]
  }

  #clear(node: number): void {
    const bytes = this.#db.get<[number]>(ENTRIES_SIZE, this.#app, node)![0]
    if (bytes === 0) return
    this.#db.run(CLEAR, this.#app, node)
    this.#grown -= bytes
  }

  #drop(node: number): void {
    const found = this.#db.get<[kind: number, size: number]>(NODE, this.#app, node)
    if (found === undefined) return
    if (found[0] !== NodeKind.VALUE) this.#clear(node)
    this.#db.run(DELETE_NODE, this.#app, node)
    this.#grown -= found[1]
    if (this.#checked === node) this.#checked = ROOT
  }
}
