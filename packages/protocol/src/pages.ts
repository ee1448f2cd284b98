/** Of a page of connections: one that is in all rooms that it may be in, with long names, has nearly so much alone. */
export const CONNECTIONS_PAGE_CHARACTERS = 1024 * 1024

/** Of a page of a log, or of lines that are told together to those who follow it. The longest line that an app may log has a quarter of it. */
export const LOG_PAGE_CHARACTERS = 4 * 1024 * 1024

/** What a page of a listing may hold. */
export interface PageBounds {
  items: number
  /** Of all texts in the items, UTF-16 units. In JSON one is six bytes at most. */
  characters: number
}

/**
 * The first of these items, as many as a page may hold; `more` if there are others. One that alone is too large for a page is one, so that a
 * listing goes on. No more than one item beyond the page is read.
 */
export function takePage<T>(items: Iterable<T>, bounds: PageBounds): { items: T[]; more: boolean } {
  const taken: T[] = []
  let characters = 0
  for (const item of items) {
    characters += charactersOf(item)
    if (taken.length >= bounds.items || (taken.length > 0 && characters > bounds.characters)) return { items: taken, more: true }
    taken.push(item)
  }
  return { items: taken, more: false }
}

/** How long all texts in a value are together, but for the names of its fields. UTF-16 units. */
export function charactersOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce<number>((sum, each) => sum + charactersOf(each), 0)
}
