import { NodeKind, ROOT, RecordReader } from '../records.ts'
import { references, soleReference } from '../references.ts'
import { SharedError, type KeyInfo, type StoredNode, type StoredValue } from '../store.ts'
import { Tag, VERSION } from '../value-tags.ts'
import type { StoreDatabase } from './database.ts'
import { entriesOf } from './rows.ts'

/** Nodes that a page of a listing may visit; what is visited under several keys counts for each. */
const MOST_VISITS = 100_000

const ENTRY_SIZE = 'SELECT size FROM entries WHERE app = ? AND node = ? AND entry = ?'
const NODE = 'SELECT kind, size, record FROM nodes WHERE app = ? AND node = ?'
const NODE_ENTRIES = 'SELECT count(*), total(size) FROM entries WHERE app = ? AND node = ?'
const DELETE = 'DELETE FROM entries WHERE app = ? AND node = ? AND entry = ?'

/** A node without what is in it. */
interface Summary {
  kind: NodeKind
  tag: number
  bytes: number
  entries: number
  next: number[]
}

/** Within a transaction. @throws SharedError `invalid_cursor` */
export function listKeys(db: StoreDatabase, app: number, query: { limit: number; cursor?: string }): { items: KeyInfo[]; nextCursor?: string } {
  const graph = new Graph(db, app)
  const items: KeyInfo[] = []
  let last = query.cursor === undefined ? -1 : entryOf(query.cursor)
  for (const record of entriesOf(db, app, ROOT, last)) {
    if (items.length === query.limit || graph.visits >= MOST_VISITS) return { items, nextCursor: String(last) }
    items.push(graph.describe(record))
    last = record.entry
  }
  return { items }
}

function entryOf(cursor: string): number {
  const entry = /^\d{1,16}$/.test(cursor) ? Number(cursor) : NaN
  if (!Number.isSafeInteger(entry)) throw new SharedError('invalid_cursor', 'the cursor is not one that a listing has given')
  return entry
}

/** Within a transaction. */
export function readValue(db: StoreDatabase, app: number, key: Uint8Array, maxBytes: number): StoredValue | null {
  const record = find(db, app, key)
  return record === null ? null : { ...new Graph(db, app).describe(record), value: record.value, nodes: readNodes(db, app, references(record.value), maxBytes) }
}

/** Within a transaction. @returns whether there was one */
export function removeKey(db: StoreDatabase, app: number, key: Uint8Array): boolean {
  const record = find(db, app, key)
  if (record === null) return false
  db.run(DELETE, app, ROOT, record.entry)
  return true
}

/** The entry of node 0 with this key. They are looked through: an index would make every write dearer, for this alone. */
function find(db: StoreDatabase, app: number, key: Uint8Array): RecordReader | null {
  for (const record of entriesOf(db, app, ROOT)) if (Buffer.compare(record.key, key) === 0) return record
  return null
}

/** The nearest nodes first, until there are `maxBytes` of them. */
function readNodes(db: StoreDatabase, app: number, first: number[], maxBytes: number): Map<number, StoredNode> {
  const nodes = new Map<number, StoredNode>()
  const wanted = new Set(first)
  const want = (value: Uint8Array): void => {
    for (const node of references(value)) wanted.add(node)
  }
  let left = maxBytes
  for (const node of wanted) {
    if (left <= 0) break
    const found = readNode(db, app, node)
    if (found === null) continue
    left -= found.size
    if (found.kind === NodeKind.VALUE) {
      nodes.set(node, { kind: found.kind, value: found.value })
      want(found.value)
      continue
    }
    const entries: [Uint8Array, Uint8Array][] = []
    for (const { key, value, start, end } of entriesOf(db, app, node)) {
      if (left <= 0) break
      left -= end - start
      entries.push([key, value])
      want(key)
      want(value)
    }
    nodes.set(node, { kind: found.kind, size: db.get<[number, number]>(NODE_ENTRIES, app, node)![0], entries })
  }
  return nodes
}

interface FoundNode {
  kind: NodeKind
  size: number
  value: Uint8Array
}

const NOTHING = new Uint8Array(0)

function readNode(db: StoreDatabase, app: number, node: number): FoundNode | null {
  if (node === ROOT) return { kind: NodeKind.MAP, size: 0, value: NOTHING }
  const row = db.get<[kind: NodeKind, size: number, record: Uint8Array]>(NODE, app, node)
  if (row === undefined) return null
  const record = new RecordReader(row[2])
  record.next()
  return { kind: row[0], size: row[1], value: record.value }
}

const tagOf = (value: Uint8Array): number => value[0] === VERSION ? (value[1] ?? -1) : -1

/** Walks an app's nodes, each of which is read once. */
class Graph {
  /** Nodes that were visited, under whatever key. */
  visits = 0
  readonly #db: StoreDatabase
  readonly #app: number
  readonly #summaries = new Map<number, Summary | null>()

  constructor(db: StoreDatabase, app: number) {
    this.#db = db
    this.#app = app
  }

  /** An entry of node 0. */
  describe({ key, value, entry }: RecordReader): KeyInfo {
    const sole = soleReference(value)
    const node = sole === null ? null : this.#summary(sole)
    const [size] = this.#db.get<[number]>(ENTRY_SIZE, this.#app, ROOT, entry)!
    const bytes = size + this.#reached([...references(key), ...references(value)])
    const info = { key, kind: node?.kind ?? NodeKind.VALUE, tag: node?.tag ?? tagOf(value), bytes }
    return node === null || node.kind === NodeKind.VALUE ? info : { ...info, entries: node.entries }
  }

  /** The bytes of these nodes and all that is reached from them. */
  #reached(first: number[]): number {
    const wanted = new Set(first)
    let bytes = 0
    for (const number of wanted) {
      this.visits++
      const node = this.#summary(number)
      bytes += node?.bytes ?? 0
      for (const next of node?.next ?? []) wanted.add(next)
    }
    return bytes
  }

  #summary(node: number): Summary | null {
    let summary = this.#summaries.get(node)
    if (summary === undefined) {
      summary = this.#summarize(node)
      this.#summaries.set(node, summary)
    }
    return summary
  }

  #summarize(node: number): Summary | null {
    const found = readNode(this.#db, this.#app, node)
    if (found === null) return null
    if (found.kind === NodeKind.VALUE) return { kind: found.kind, tag: tagOf(found.value), bytes: found.size, entries: 0, next: references(found.value) }
    const [entries, bytes] = this.#db.get<[number, number]>(NODE_ENTRIES, this.#app, node)!
    const next: number[] = []
    for (const { key, value } of entriesOf(this.#db, this.#app, node)) for (const part of [key, value]) for (const each of references(part)) next.push(each)
    return { kind: found.kind, tag: found.kind === NodeKind.MAP ? Tag.MAP : Tag.SET, bytes: found.size + bytes, entries, next }
  }
}
