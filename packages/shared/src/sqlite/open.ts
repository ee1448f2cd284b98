import { ROOT, RecordReader } from '../records.ts'
import { references } from '../references.ts'
import type { StoreDatabase } from './database.ts'
import { entryRecords, nodeRecords } from './rows.ts'

const CHUNK_BYTES = 1024 * 1024

const DELETE_NODE = 'DELETE FROM nodes WHERE app = ? AND node = ?'
const DELETE_ENTRIES = 'DELETE FROM entries WHERE app = ? AND node = ?'

/** Within a transaction: all that the app has, in chunks of records. What is not reached from node 0 is removed. */
export function readApp(db: StoreDatabase, app: number): Uint8Array[] {
  const nodes = [...nodeRecords(db, app)]
  const entries = [...entryRecords(db, app)]
  const unreached = findUnreached(nodes, entries)
  if (unreached.length === 0) return chunks([...nodes, ...entries])
  for (const node of unreached) {
    db.run(DELETE_ENTRIES, app, node)
    db.run(DELETE_NODE, app, node)
  }
  return chunks([...nodeRecords(db, app), ...entryRecords(db, app)])
}

/** The same, and nothing is removed. */
export function copyApp(db: StoreDatabase, app: number): Uint8Array[] {
  return chunks([...nodeRecords(db, app), ...entryRecords(db, app)])
}

/** The nodes that are not reached from node 0. */
function findUnreached(nodes: Buffer[], entries: Buffer[]): number[] {
  const next = new Map<number, number[]>()
  for (const page of nodes) {
    for (const record = new RecordReader(page); record.next();) next.set(record.node, [...references(page, record.valueStart, record.valueEnd)])
  }
  if (next.size === 0) return []
  next.set(ROOT, [])
  for (const page of entries) {
    for (const record = new RecordReader(page); record.next();) {
      const found = next.get(record.node)
      for (const node of references(page, record.keyStart, record.keyEnd)) found?.push(node)
      for (const node of references(page, record.valueStart, record.valueEnd)) found?.push(node)
    }
  }
  return without(next)
}

function without(next: Map<number, number[]>): number[] {
  const reached = new Set([ROOT])
  // A Set goes on to what is added while it is gone through.
  for (const node of reached) for (const each of next.get(node) ?? []) reached.add(each)
  return [...next.keys()].filter((node) => !reached.has(node))
}

/** Cuts between records, at the last place before each mebibyte. */
function chunks(pages: Buffer[]): Uint8Array[] {
  const all = Buffer.concat(pages)
  const cut: Uint8Array[] = []
  let start = 0
  if (all.length > CHUNK_BYTES) {
    for (const record = new RecordReader(all); record.next();) {
      if (record.end - start <= CHUNK_BYTES || record.start === start) continue
      cut.push(all.subarray(start, record.start))
      start = record.start
    }
  }
  if (start < all.length) cut.push(all.subarray(start))
  return cut
}
