import { bareArray } from '../primordials.ts'
import type { Entry } from './graph.ts'

/**
 * Entries in which something may have changed that nobody was told of, because they were read or set: they are looked
 * at when the turn's work is done. Read by `settle.ts`.
 */
let touched: Entry[] = bareArray()
let count = 0
let onFirst = (): void => {}

export function onTouched(first: () => void): void {
  onFirst = first
}

export function touch(entry: Entry): void {
  if (entry.touched || entry.deleted || entry.node.dropped) return
  entry.touched = true
  touched[count++] = entry
  const { refs } = entry
  // An object that stands in two entries is a node of its own, and was read with each.
  if (refs !== null) for (let i = 0; i < refs.length; i++) if (refs[i]!.content !== null) touch(refs[i]!.content!)
  if (count === 1) onFirst()
}

/** Those that were touched since this was asked last. Whoever takes them takes their marks off. */
export function takeTouched(): { items: Entry[]; count: number } {
  const taken = { items: touched, count }
  touched = bareArray()
  count = 0
  return taken
}

let stale: Entry[] = bareArray()
let staleCount = 0

/** What is kept of the entry is wrong for sure: an object in it has become a node of its own. */
export function isStale(entry: Entry): void {
  stale[staleCount++] = entry
  touch(entry)
}

export function takeStale(): { items: Entry[]; count: number } {
  const taken = { items: stale, count: staleCount }
  stale = bareArray()
  staleCount = 0
  return taken
}
