import { ENTRY_BYTES } from '@socklet/shared/records'
import { NativeSet, bareArray, mapForEach, mapGet, setAdd, setHas } from '../primordials.ts'
import { ROOT, forgetNode, nodes, setChangeable, type Entry, type Node } from './graph.ts'
import { count, totalBytes } from './quota.ts'
import { dropWaits, nodeIsUnreferenced, takeUnreferenced } from './waiting.ts'

/** What is kept no more. */

/** What the entry took is free, and it refers to nothing. */
export function releaseEntry(entry: Entry): void {
  count(-entry.size)
  entry.size = 0
  entry.keyBytes = entry.valueBytes = null
  refer(entry.refs, -1)
  entry.refs = null
  setChangeable(entry, false)
}

export function refer(refs: Node[] | null, by: 1 | -1): void {
  if (refs === null) return
  for (let i = 0; refs[i] !== undefined; i++) {
    const node = refs[i]!
    node.references += by
    if (node.references === 0) nodeIsUnreferenced(node)
  }
}

/** Nothing refers to them any more: they are objects like any other, and so is what only they referred to. */
export function dropUnreferenced(): void {
  for (let list = takeUnreferenced(); list.count > 0; list = takeUnreferenced()) {
    for (let i = 0; i < list.count; i++) {
      const node = list.items[i]!
      if (node.references === 0 && !node.dropped && node.id !== ROOT) drop(node)
    }
  }
}

/** What refers to itself in a circle is referred to for ever, so it is looked for when there is no room. */
export function dropCircles(): void {
  const reached: Set<Node> = new NativeSet()
  const queue: Node[] = bareArray()
  let length = 0
  const reach = ({ refs }: Entry): void => {
    if (refs === null) return
    for (let i = 0; refs[i] !== undefined; i++) {
      if (setHas(reached, refs[i]!)) continue
      setAdd(reached, refs[i]!)
      queue[length++] = refs[i]!
    }
  }
  queue[length++] = mapGet(nodes, ROOT)!
  setAdd(reached, queue[0]!)
  for (let i = 0; i < length; i++) {
    const { content, entries } = queue[i]!
    if (content !== null) reach(content)
    mapForEach(entries, reach)
  }
  mapForEach(nodes, (node) => {
    if (!setHas(reached, node)) drop(node)
  })
}

/** Takes back what was found in something that could not be kept. Its entries are in no list that matters: they belong to nodes that are dropped. */
export function undo(found: Node[], total: number): void {
  for (let i = 0; found[i] !== undefined; i++) drop(found[i]!)
  count(total - totalBytes())
}

function drop(node: Node): void {
  forgetNode(node)
  if (node.content !== null) releaseEntry(node.content)
  else count(-ENTRY_BYTES)
  mapForEach(node.entries, releaseEntry)
  if (node.stored) dropWaits(node)
}
