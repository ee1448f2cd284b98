import { bareArray, charCodeAt, stringIndexOf, substring } from './primordials.ts'

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
