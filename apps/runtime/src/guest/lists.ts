import { arraySlice, bareArray, charCodeAt, stringIndexOf, substring, symbolIterator } from './primordials.ts'

/** What is done to lists and texts with methods elsewhere. A list is a `bareArray`, or is only read. */

export function push<T>(list: T[], item: T): void {
  list[list.length] = item
}

export function indexOf<T>(list: readonly T[], item: T): number {
  for (let i = 0; i < list.length; i++) if (list[i] === item) return i
  return -1
}

export function removeAt<T>(list: T[], index: number): void {
  for (let i = index; i + 1 < list.length; i++) list[i] = list[i + 1]!
  list.length--
}

export function map<T, U>(list: readonly T[], make: (item: T, index: number) => U): U[] {
  const made = bareArray<U>()
  for (let i = 0; i < list.length; i++) made[i] = make(list[i]!, i)
  return made
}

export function filter<T>(list: readonly T[], isWanted: (item: T) => boolean): T[] {
  const found = bareArray<T>()
  for (let i = 0; i < list.length; i++) if (isWanted(list[i]!)) push(found, list[i]!)
  return found
}

/** The first item, taken off. */
export function shift<T>(list: T[]): T | undefined {
  if (list.length === 0) return undefined
  const first = list[0]
  removeAt(list, 0)
  return first
}

/** The list as a tenant may have it: an array with all that belongs to one. A bare array names no other class to make one of. */
export function ordinary<T>(list: T[]): T[] {
  return arraySlice(list, 0) as T[]
}

/** What a tenant's iterable gives, by the iterator that it has. @throws whatever that throws */
export function listOf<T>(iterable: Iterable<T>): T[] {
  const list = bareArray<T>()
  for (const item of iterable) push(list, item)
  return list
}

/** A sequence of one item that asks no prototype how to be gone through. */
export function sequenceOf<T>(item: T): Iterable<T> {
  let left = 1
  const next = () => (left-- > 0 ? { __proto__: null, done: false, value: item } : { __proto__: null, done: true, value: undefined })
  return { __proto__: null, [symbolIterator]: () => ({ __proto__: null, next }) } as unknown as Iterable<T>
}

/** By a separator that is not empty. Not by the method of that name, which asks strings for a method of theirs. */
export function split(text: string, separator: string): string[] {
  const parts = bareArray<string>()
  let from = 0
  for (let at = stringIndexOf(text, separator); at >= 0; at = stringIndexOf(text, separator, from)) {
    push(parts, substring(text, from, at))
    from = at + separator.length
  }
  push(parts, substring(text, from, text.length))
  return parts
}

export function join(list: readonly string[], between: string): string {
  let text = ''
  for (let i = 0; i < list.length; i++) text += i === 0 ? list[i]! : between + list[i]!
  return text
}

/** `text` with `by` in place of each `search`, which is not empty. */
export function replaceAll(text: string, search: string, by: string): string {
  let replaced = ''
  let from = 0
  for (let at = stringIndexOf(text, search); at >= 0; at = stringIndexOf(text, search, from)) {
    replaced += substring(text, from, at) + by
    from = at + search.length
  }
  return from === 0 ? text : replaced + substring(text, from, text.length)
}

/** `text` with what `replace` gives in place of each UTF-16 unit for which that is not null. */
export function replaceUnits(text: string, replace: (unit: number, index: number) => string | null): string {
  let replaced = ''
  let from = 0
  for (let i = 0; i < text.length; i++) {
    const by = replace(charCodeAt(text, i), i)
    if (by === null) continue
    replaced += substring(text, from, i) + by
    from = i + 1
  }
  return from === 0 ? text : replaced + substring(text, from, text.length)
}
