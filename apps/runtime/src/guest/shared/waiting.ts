import { bareArray } from '../primordials.ts'
import type { Entry, Node } from './graph.ts'

/** What has to be written to the store, and what may have to be dropped, until `flush.ts` does it at the end of the turn. */
let entries: Entry[] = bareArray()
let entryCount = 0
let nodes: Node[] = bareArray()
let nodeCount = 0
let unreferenced: Node[] = bareArray()
let unreferencedCount = 0
let dropped: Node[] = bareArray()
let droppedCount = 0
let onFirst = (): void => {}

/** `first` is called when something waits that did not wait before. */
export function onWaiting(first: () => void): void {
  onFirst = first
}

export function anythingWaits(): boolean {
  return entryCount + nodeCount + unreferencedCount + droppedCount > 0
}

/** How many are new, changed or removed in this turn. */
export function waitingEntries(): number {
  return entryCount
}

export function entryWaits(entry: Entry): void {
  if (entry.waiting) return
  entry.waiting = true
  announce()
  entries[entryCount++] = entry
}

/** It is new, or all its entries are gone. */
export function nodeWaits(node: Node): void {
  announce()
  nodes[nodeCount++] = node
}

/** Nothing refers to it any more, unless something does by the end of the turn. */
export function nodeIsUnreferenced(node: Node): void {
  announce()
  unreferenced[unreferencedCount++] = node
}

export function dropWaits(node: Node): void {
  announce()
  dropped[droppedCount++] = node
}

export interface List<T> {
  items: T[]
  count: number
}

export function takeUnreferenced(): List<Node> {
  const taken = { items: unreferenced, count: unreferencedCount }
  unreferenced = bareArray()
  unreferencedCount = 0
  return taken
}

export interface Waiting {
  nodes: List<Node>
  entries: List<Entry>
  dropped: List<Node>
}

/** All that is to be written. It waits no more. */
export function takeWaiting(): Waiting {
  const taken = { nodes: { items: nodes, count: nodeCount }, entries: { items: entries, count: entryCount }, dropped: { items: dropped, count: droppedCount } }
  entries = bareArray()
  nodes = bareArray()
  dropped = bareArray()
  entryCount = nodeCount = droppedCount = 0
  return taken
}

function announce(): void {
  if (!anythingWaits()) onFirst()
}
