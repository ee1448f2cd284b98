import { ENTRY_BYTES, NodeKind } from '@socklet/shared/records'
import { bareArray, mapClear, mapForEach, mapGet, mapSet, mapDelete, mapSize, setForEach, typedArrayByteLength } from '../primordials.ts'
import { isSocket } from '../socket.ts'
import { Kind, familyOf } from '../values/kinds.ts'
import { dropCircles, dropUnreferenced, releaseEntry, refer, undo } from './drop.ts'
import { encodeEntry, type Encoded } from './encode.ts'
import { ROOT, makeEntry, nodeFor, setChangeable, type Entry, type Node } from './graph.ts'
import { checkKeys, count, isFull, maxSharedBytes, tooMuch, totalBytes } from './quota.ts'
import { touch } from './touched.ts'
import { entryWaits, nodeWaits } from './waiting.ts'
import { warnOfDropped } from './warnings.ts'

/** Changes of what is kept, as the live objects change. Whatever cannot be kept throws before anything has changed. */

/** `key` is to get this value; a member of a Set has none. @throws RangeError if that is too much, and what getters of the tenant throw */
export function put(node: Node, key: unknown, value: unknown): void {
  const before = mapGet(node.entries, key)
  if (before === undefined && node.id === ROOT) checkKeys(mapSize(node.entries))
  const entry = before ?? makeEntry(node, key)
  if (isLive(key) || isLive(value)) {
    warnOfDropped(entry, '', kindName(isLive(key) ? key : value))
    if (before !== undefined) removeEntry(before)
    return
  }
  keepAs(entry, value)
  if (before === undefined) mapSet(node.entries, key, entry)
}

export function remove(node: Node, key: unknown): void {
  const entry = mapGet(node.entries, key)
  if (entry !== undefined) removeEntry(entry)
}

export function clear(node: Node): void {
  if (mapSize(node.entries) === 0) return
  mapForEach(node.entries, (entry) => {
    entry.deleted = true
    releaseEntry(entry)
  })
  mapClear(node.entries)
  node.cleared = true
  nodeWaits(node)
}

/** Looks whether something in the entry has changed. @throws as `put`, and then what was kept stays */
export function look(entry: Entry): void {
  if (!entry.deleted && !entry.node.dropped) keepAs(entry, valueOf(entry))
}

function valueOf({ node, key }: Entry): unknown {
  return node.kind === NodeKind.MAP ? mapGet(node.object as Map<unknown, unknown>, key) : node.object
}

/** Functions, promises and the like: they are there for as long as the isolate is. */
function isLive(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value === 'function' || typeof value === 'symbol'
  return nodeFor(value) === undefined && !isSocket(value) && familyOf(value).kind === Kind.REFUSED
}

function kindName(value: unknown): string {
  return typeof value === 'object' && value !== null ? familyOf(value).name : `a ${typeof value}`
}

function removeEntry(entry: Entry): void {
  mapDelete(entry.node.entries, entry.key)
  entry.deleted = true
  releaseEntry(entry)
  entryWaits(entry)
}

/** Room is made before it is said that there is none: what was removed in this turn still takes its own, and so do circles that nobody reaches. */
function keepAs(entry: Entry, value: unknown): void {
  if (tryToKeep(entry, value)) return
  dropUnreferenced()
  if (tryToKeep(entry, value)) return
  dropCircles()
  if (tryToKeep(entry, value)) return
  throw tooMuch()
}

/** The entry with this value, and all that is reached from it for the first time; or nothing, and false if there is no room. */
function tryToKeep(entry: Entry, value: unknown): boolean {
  const found: Node[] = bareArray()
  const before = totalBytes()
  let kept = false
  try {
    const encoded = encodeEntry(entry, value, maxSharedBytes(), found)
    const size = sizeOf(encoded)
    if (entry.changeable && encoded.changeable && encoded.hash === entry.hash && size === entry.size) return (kept = true)
    count(size - entry.size)
    kept = !isFull() && adopt(found)
    if (kept) commit(entry, encoded, size)
  } finally {
    if (!kept) undo(found, before)
  }
  return kept
}

function sizeOf(encoded: Encoded): number {
  return ENTRY_BYTES + typedArrayByteLength(encoded.key) + typedArrayByteLength(encoded.value)
}

function commit(entry: Entry, encoded: Encoded, size: number): void {
  const before = entry.refs
  entry.refs = encoded.refs
  refer(encoded.refs, 1)
  refer(before, -1)
  entry.size = size
  entry.hash = encoded.hash
  entry.keyBytes = encoded.key
  entry.valueBytes = encoded.value
  entry.refused = false
  setChangeable(entry, encoded.changeable)
  // Whoever put it there may go on changing it.
  if (encoded.changeable) touch(entry)
  entryWaits(entry)
}

/** All that the nodes hold which were met for the first time; more may be met on the way. false if there is no room. */
function adopt(found: Node[]): boolean {
  for (let i = 0; found[i] !== undefined; i++) {
    const node = found[i]!
    if (node.content !== null) adoptEntry(node.content, node.object, found)
    else {
      count(ENTRY_BYTES)
      nodeWaits(node)
      if (node.kind === NodeKind.MAP) mapForEach(node.object as Map<unknown, unknown>, (value, key) => adoptNew(node, key, value, found))
      else setForEach(node.object as Set<unknown>, (member) => adoptNew(node, member, undefined, found))
    }
    if (isFull()) return false
  }
  return true
}

function adoptNew(node: Node, key: unknown, value: unknown, found: Node[]): void {
  if (isFull()) return
  const entry = makeEntry(node, key)
  if (isLive(key) || isLive(value)) {
    warnOfDropped(entry, '', kindName(isLive(key) ? key : value))
    return
  }
  adoptEntry(entry, value, found)
  mapSet(node.entries, key, entry)
}

function adoptEntry(entry: Entry, value: unknown, found: Node[]): void {
  const encoded = encodeEntry(entry, value, maxSharedBytes(), found)
  const size = sizeOf(encoded)
  count(size)
  commit(entry, encoded, size)
}
