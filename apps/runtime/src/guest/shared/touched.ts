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
  let next = count
  add(entry)
  // An object that stands in two entries is a node of its own, and was read with each. A loop: there may be many, one behind the other.
  for (; next < count; next++) {
    const { refs } = touched[next]!
    if (refs !== null) for (let i = 0; i < refs.length; i++) if (refs[i]!.content !== null) add(refs[i]!.content!)
  }
}

function add(entry: Entry): void {
  if (entry.touched || entry.deleted || entry.node.dropped) return
  entry.touched = true
  touched[count++] = entry
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
  if (!entry.stale) stale[staleCount++] = entry
  entry.stale = true
  touch(entry)
}

export function takeStale(): { items: Entry[]; count: number } {
  const taken = { items: stale, count: staleCount }
  for (let i = 0; i < staleCount; i++) stale[i]!.stale = false
  stale = bareArray()
  staleCount = 0
  return taken
}
