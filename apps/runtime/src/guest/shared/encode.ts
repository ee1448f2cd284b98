import { NodeKind } from '@socklet/shared/records'
import { bareArray, mathImul, NativeWeakMap, typedArrayByteLength, weakGet, weakSet } from '../primordials.ts'
import { reached } from '../limits.ts'
import { connectionOf, isSocket } from '../socket.ts'
import { encodeValue } from '../values/encode.ts'
import { familyOf, Kind } from '../values/kinds.ts'
import { makeNode, nodeFor, type Entry, type Node } from './graph.ts'
import { maxSharedBytes } from './quota.ts'
import { isTooLarge } from '../values/writer.ts'
import { isStale } from './touched.ts'
import { warnOfDropped, warnOfInstance } from './warnings.ts'

/** An entry as bytes, and what it refers to. */
export interface Encoded {
  key: Uint8Array
  value: Uint8Array
  hash: number
  refs: Node[] | null
  changeable: boolean
}

const NOTHING = new Uint8Array(0)

/** In which entry an object that is part of one stands. */
const owners = new NativeWeakMap<object, Entry>()

/** What is being encoded. Getters of the tenant can make one encoding run inside another: each keeps the state of the one around it. */
let entry: Entry | null = null
let refs: Node[] | null = null
let refCount = 0
let changeable = false
/** The object of the node that is encoded: it must not be written as a reference to itself. */
let root: object | null = null
/** Maps and Sets that were met for the first time; their entries are to be encoded as well. */
let found: Node[] = bareArray()

const OPTIONS = {
  replace,
  onDropped: (path: string, kind: string) => warnOfDropped(entry!, path, kind),
  onInstance: (path: string) => warnOfInstance(entry!, path)
}

/**
 * The bytes of an entry as it is now. Nodes that were met for the first time are added to `newNodes`.
 * @throws what getters of the tenant throw, RangeError above `maxBytes`
 */
export function encodeEntry(of: Entry, value: unknown, maxBytes: number, newNodes: Node[]): Encoded {
  const outer = { entry, refs, refCount, changeable, root, found }
  entry = of
  refs = null
  refCount = 0
  changeable = false
  found = newNodes
  try {
    const { kind } = of.node
    const key = kind === NodeKind.VALUE ? NOTHING : encodeValue(of.key, maxBytes, OPTIONS)
    root = kind === NodeKind.VALUE ? of.node.object : null
    const bytes = kind === NodeKind.SET ? NOTHING : encodeValue(value, maxBytes, OPTIONS)
    return { key, value: bytes, hash: changeable ? hashOf(key, bytes) : 0, refs, changeable }
  } catch (error) {
    if (isTooLarge(error)) reached('sharedBytes', `cloud.shared cannot hold more than ${maxSharedBytes()} bytes`)
    throw error
  } finally {
    ;({ entry, refs, refCount, changeable, root, found } = outer)
  }
}

/** Numbers stand for nodes, strings for sockets; everything else is written in the entry itself. */
function replace(object: object): number | string | null {
  if (isSocket(object)) return connectionOf(object).id
  if (object === root) {
    root = null
    changeable = true
    return null
  }
  const node = nodeFor(object) ?? newNode(object)
  if (node === null) {
    changeable = true
    return null
  }
  // It can be changed by whoever reads the entry.
  if (node.content !== null) changeable = true
  refs ??= bareArray()
  refs[refCount++] = node
  return node.id
}

/** null if the object becomes a part of the entry. */
function newNode(object: object): Node | null {
  const family = familyOf(object)
  if (family.kind === Kind.MAP || family.kind === Kind.SET) {
    if (family.instance) warnOfInstance(entry!, '')
    return add(makeNode(family.kind === Kind.MAP ? NodeKind.MAP : NodeKind.SET, object, entry))
  }
  // What cannot be kept is told by the encoder.
  if (family.kind === Kind.REFUSED) return null
  const owner = weakGet(owners, object)
  if (owner === undefined || owner === entry || owner.deleted || owner.node.dropped) {
    weakSet(owners, object, entry!)
    return null
  }
  isStale(owner)
  return add(makeNode(NodeKind.VALUE, object, entry))
}

function add(node: Node): Node {
  found[found.length] = node
  return node
}

/** 53 bits of two hashes (FNV-1a and a sibling of it): an app that finds two values with the same one harms itself. */
export function hashOf(key: Uint8Array, value: Uint8Array): number {
  const keyLength = typedArrayByteLength(key)
  const valueLength = typedArrayByteLength(value)
  let one = 0x811c9dc5 ^ valueLength
  let two = 0x9e3779b9 ^ keyLength
  for (let i = 0; i < keyLength; i++) {
    one = mathImul(one ^ key[i]!, 0x01000193)
    two = mathImul(two ^ key[i]!, 0x85ebca6b) ^ (two >>> 13)
  }
  for (let i = 0; i < valueLength; i++) {
    one = mathImul(one ^ value[i]!, 0x01000193)
    two = mathImul(two ^ value[i]!, 0x85ebca6b) ^ (two >>> 13)
  }
  return (one >>> 0) * 0x20_0000 + (two >>> 11)
}
