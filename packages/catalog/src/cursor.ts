import { CatalogError, type Page, type PageQuery } from './catalog.ts'

/** What a listing is in the order of. A cursor of one listing is no cursor of another. */
type Kind = 'apps' | 'functions' | 'versions'

function encodeCursor(kind: Kind, key: string | number): string {
  return Buffer.from(JSON.stringify([kind, key])).toString('base64url')
}

function decodeCursor(kind: Kind, cursor: string): unknown {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(parsed) && parsed.length === 2 && parsed[0] === kind) return parsed[1]
  } catch {
    // Not ours; said below.
  }
  return undefined
}

function refuse(): never {
  throw new CatalogError('invalid_cursor', 'the cursor is not one that a listing has given')
}

/** The name after which the page begins: '' for the first one. @throws CatalogError `invalid_cursor` */
export function nameAfter(kind: 'apps' | 'functions', cursor: string | undefined): string {
  if (cursor === undefined) return ''
  const key = decodeCursor(kind, cursor)
  return typeof key === 'string' ? key : refuse()
}

/** The version below which the page begins. @throws CatalogError `invalid_cursor` */
export function versionBelow(cursor: string | undefined): number {
  if (cursor === undefined) return Number.MAX_SAFE_INTEGER
  const key = decodeCursor('versions', cursor)
  return Number.isSafeInteger(key) ? (key as number) : refuse()
}

/** A page out of `limit + 1` rows: the last of them only tells that there are more. */
export function page<T>(kind: Kind, items: T[], query: PageQuery, keyOf: (item: T) => string | number): Page<T> {
  if (items.length <= query.limit) return { items }
  const shown = items.slice(0, query.limit)
  const last = shown.at(-1)
  return last === undefined ? { items: [] } : { items: shown, nextCursor: encodeCursor(kind, keyOf(last)) }
}
