import { NativeMap, NativeSet, NativeWeakMap, mapDelete, mapSet, mapSize, setAdd, setDelete, weakDelete, weakGet, weakSet } from '../primordials.ts'
import { NodeKind } from '@socklet/shared/records'

/**
 * What is kept of `cloud.shared`, beside the live objects themselves. Each Map and Set that can be reached from it is a
 * node, and each of their entries is kept on its own: one that is added costs one entry. Plain objects and arrays are
 * part of the entry in which they stand; one that stands in two of them is a node as well, so that it is still one
 * object when it comes back.
 */
export interface Node {
  readonly id: number
  readonly kind: number
  /** The live Map, Set or other object. */
  readonly object: object
  /** Of a Map or Set, by key or member. Empty for other objects, which have `content`. */
  readonly entries: Map<unknown, Entry>
  /** What an object that is no Map or Set is kept as. */
  readonly content: Entry | null
  nextEntry: number
  /** How many entries refer to it. */
  references: number
  /** Where it was found first, for its name. */
  foundIn: Entry | null
  /** The store knows it. */
  stored: boolean
  /** What the store has of its entries is void. */
  cleared: boolean
  dropped: boolean
  /** Entries in which something can change that nobody is told of; null until there is one. */
  changeable: Set<Entry> | null
}

/** One entry of a Map, member of a Set, or the whole of another object. */
export interface Entry {
  readonly node: Node
  readonly key: unknown
  /** Ascending within the node: the store's order. */
  readonly id: number
  /** As the store counts it. */
  size: number
  /** Of the bytes, to tell whether something has changed. */
  hash: number
  refs: Node[] | null
  changeable: boolean
  /** The store has it, in whatever state. */
  stored: boolean
  /** Stands in the list of what is to be written. */
  waiting: boolean
  deleted: boolean
  /** It was told that it cannot be kept as it is now. */
  refused: boolean
  /** Will be looked at when the turn's work is done. */
  touched: boolean
  /** Was looked at in this turn. */
  seen: boolean
  /** Stands in the list of those of which what is kept is wrong. */
  stale: boolean
  /** What is to be written. */
  keyBytes: Uint8Array | null
  valueBytes: Uint8Array | null
}

const nodeOf = new NativeWeakMap<object, Node>()
/** By id. They hold their objects; what is not referred to any more is dropped. */
export const nodes = new NativeMap<number, Node>()
/** All entries that can change unseen. */
export const changeables = new NativeSet<Entry>()

export { ROOT } from '@socklet/shared/records'

let nextNode = 0

/** The node of an object, if it is kept as one. */
export function nodeFor(object: object): Node | undefined {
  return weakGet(nodeOf, object)
}

/** Whether there is any Map or Set to look after; without one, nothing has to be asked. */
export function nodeCount(): number {
  return mapSize(nodes)
}

export function makeNode(kind: number, object: object, foundIn: Entry | null, id = nextNode): Node {
  if (id >= nextNode) nextNode = id + 1
  const node: Node = {
    id,
    kind,
    object,
    entries: new NativeMap(),
    content: null,
    nextEntry: 1,
    references: 0,
    foundIn,
    stored: false,
    cleared: false,
    dropped: false,
    changeable: null
  }
  if (kind === NodeKind.VALUE) (node as { content: Entry | null }).content = makeEntry(node, undefined, 0)
  weakSet(nodeOf, object, node)
  mapSet(nodes, id, node)
  return node
}

export function makeEntry(node: Node, key: unknown, id = node.nextEntry): Entry {
  if (id >= node.nextEntry) node.nextEntry = id + 1
  return {
    node,
    key,
    id,
    size: 0,
    hash: 0,
    refs: null,
    changeable: false,
    stored: false,
    waiting: false,
    deleted: false,
    refused: false,
    touched: false,
    seen: false,
    stale: false,
    keyBytes: null,
    valueBytes: null
  }
}

export function setChangeable(entry: Entry, changeable: boolean): void {
  if (entry.changeable === changeable) return
  entry.changeable = changeable
  if (changeable) {
    setAdd((entry.node.changeable ??= new NativeSet()), entry)
    setAdd(changeables, entry)
  } else {
    setDelete(entry.node.changeable!, entry)
    setDelete(changeables, entry)
  }
}

/** From now on its object is an object like any other. */
export function forgetNode(node: Node): void {
  node.dropped = true
  mapDelete(nodes, node.id)
  if (weakGet(nodeOf, node.object) === node) weakDelete(nodeOf, node.object)
}
