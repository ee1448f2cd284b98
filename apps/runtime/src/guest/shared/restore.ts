import { ENTRY_BYTES, NodeKind, Op, RecordReader } from '@socklet/shared/records'
import { Tag } from '@socklet/shared/value-tags'
import { describeError } from '../log.ts'
import { NativeMap, NativeSet, NativeUint8Array, bareArray, mapDelete, mapForEach, mapGet, mapHas, mapSet, setAdd, typedArrayBuffer, typedArrayByteOffset } from '../primordials.ts'
import type { WebSocket } from '../socket.ts'
import { decodeValue, emptyOf } from '../values/decode.ts'
import { refer } from './drop.ts'
import { hashOf } from './encode.ts'
import { makeEntry, makeNode, nodes, setChangeable, type Entry, type Node } from './graph.ts'
import { count } from './quota.ts'
import { keyName } from './warnings.ts'

/** Characters. */
const MAX_PROBLEMS = 4_000
const EMPTY = new Uint8Array(0)

/**
 * Makes the live objects anew from what the store has: records as packages/shared describes them, nodes before entries.
 * What cannot be read is left out, and told in what this returns: it must not keep the app from starting.
 */
export function restoreShared(bytes: Uint8Array, socketFor: (id: string) => WebSocket): string {
  const restoring = new Restoring(bytes, socketFor)
  const reader = new RecordReader(bytes)
  let nodesAreRead = false
  while (reader.next()) {
    if (reader.op === Op.NODE) restoring.node(reader)
    else if (reader.op === Op.SET) {
      if (!nodesAreRead) restoring.contents()
      nodesAreRead = true
      restoring.entry(reader)
    }
  }
  return restoring.problems
}

class Restoring {
  readonly #bytes: Uint8Array
  readonly #socketFor: (id: string) => WebSocket
  /** Of objects that are nodes and are not read yet, by id. */
  readonly #contents = new NativeMap<number, Uint8Array>()
  /** What is read belongs to it. */
  #entry: Entry | null = null
  problems = ''

  constructor(bytes: Uint8Array, socketFor: (id: string) => WebSocket) {
    this.#bytes = bytes
    this.#socketFor = socketFor
  }

  node({ node: id, kind, valueStart, valueEnd }: RecordReader): void {
    if (kind === NodeKind.VALUE) {
      const value = this.#cut(valueStart, valueEnd)
      mapSet(this.#contents, id, value)
      // They are there before they are read, so that they can refer to each other, in whatever order and however many one behind the other.
      const empty = emptyOf(value)
      if (empty !== null) stored(makeNode(kind, empty, null, id))
    } else {
      stored(makeNode(kind, kind === NodeKind.MAP ? new NativeMap() : new NativeSet(), null, id))
      count(ENTRY_BYTES)
    }
  }

  contents(): void {
    mapForEach(this.#contents, (_, id) => this.#content(id))
  }

  entry({ node: id, entry: number, keyStart, keyEnd, valueStart, valueEnd }: RecordReader): void {
    const node = mapGet(nodes, id)
    if (node === undefined) return
    const keyBytes = this.#cut(keyStart, keyEnd)
    const valueBytes = this.#cut(valueStart, valueEnd)
    // Its key is known once it is read, and what it refers to belongs to it already then.
    const draft = makeEntry(node, undefined, number)
    try {
      const key = this.#decode(draft, keyBytes)
      const value = node.kind === NodeKind.MAP ? this.#decode(draft, valueBytes) : undefined
      const entry: Entry = { ...draft, key }
      if (node.kind === NodeKind.MAP) mapSet(node.object as Map<unknown, unknown>, key, value)
      else setAdd(node.object as Set<unknown>, key)
      mapSet(node.entries, key, entry)
      complete(entry, keyBytes, valueBytes)
    } catch (error) {
      refer(draft.refs, -1)
      this.#problem(`an entry of the key ${keyName(draft)}`, error)
    }
  }

  /** An object that is a node of its own. */
  #content(id: number): void {
    const bytes = mapGet(this.#contents, id)
    if (bytes === undefined) return
    mapDelete(this.#contents, id)
    const before = mapGet(nodes, id)
    const draft = before?.content ?? makeEntry(mapGet(nodes, 0)!, undefined, 0)
    try {
      const object = this.#decode(draft, bytes, before?.object) as object
      const node = before ?? makeNode(NodeKind.VALUE, object, null, id)
      stored(node)
      node.content!.refs = draft.refs
      complete(node.content!, EMPTY, bytes)
    } catch (error) {
      this.#problem('an object', error)
    }
  }

  #decode(entry: Entry, bytes: Uint8Array, into?: object): unknown {
    const outer = this.#entry
    this.#entry = entry
    try {
      return decodeValue(bytes, { revive: (reference) => this.#revive(reference), ...(into === undefined ? {} : { into }) })
    } finally {
      this.#entry = outer
    }
  }

  #revive(reference: number | string): unknown {
    if (typeof reference === 'string') return this.#socketFor(reference)
    const entry = this.#entry!
    // What is not there yet can only be made whole, and refers to nothing itself.
    if (!mapHas(nodes, reference)) this.#content(reference)
    const node = mapGet(nodes, reference)
    if (node === undefined) return undefined
    node.foundIn ??= entry
    node.references++
    const refs = (entry.refs ??= bareArray())
    refs[refs.length] = node
    return node.object
  }

  #problem(what: string, error: unknown): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems += `cloud.shared: ${what} could not be read and is left out: ${describeError(error)}\n`
  }

  #cut(start: number, end: number): Uint8Array {
    return new NativeUint8Array(typedArrayBuffer(this.#bytes), typedArrayByteOffset(this.#bytes) + start, end - start)
  }
}

function stored(node: Node): void {
  node.stored = true
}

function complete(entry: Entry, keyBytes: Uint8Array, valueBytes: Uint8Array): void {
  entry.stored = true
  entry.size = ENTRY_BYTES + keyBytes.length + valueBytes.length
  count(entry.size)
  if (!hasObjects(keyBytes) && !hasObjects(valueBytes) && !refersToObjects(entry)) return
  entry.hash = hashOf(keyBytes, valueBytes)
  setChangeable(entry, true)
}

/** Whether there is an object in it that is written in the entry itself: behind the version stands the tag of the whole. */
function hasObjects(bytes: Uint8Array): boolean {
  const tag = bytes[1]
  return tag !== undefined && tag >= Tag.DATE && tag < Tag.SAME
}

/** Whether it refers to an object that is a node of its own, and no Map or Set. */
function refersToObjects({ refs }: Entry): boolean {
  if (refs === null) return false
  for (let i = 0; refs[i] !== undefined; i++) if (refs[i]!.content !== null) return true
  return false
}
