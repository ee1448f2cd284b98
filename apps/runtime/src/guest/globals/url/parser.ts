/**
 * The basic URL parser (URL Standard, section 4.4). The standard describes a machine that goes character by character; the same states are functions here that
 * take the rest of the input, because fragment and query can be split off first: `#` and then `?` end every other state.
 */
import { map, push, split } from '../../lists.ts'
import { match, matches, replaceMatches, search, trimUnits } from '../../patterns.ts'
import { bareArray, stringEndsWith, stringIndexOf, stringLastIndexOf, stringStartsWith, stringToLowerCase, stringToWellFormed, substring, toNumber } from '../../primordials.ts'
import { parseHost } from './host.ts'
import { C0, encode, FRAGMENT, PATH, QUERY, SPECIAL_QUERY, USERINFO } from './percent.ts'
import { blank, isSpecial, type Record, SPECIAL } from './record.ts'

const SCHEME = /^([a-z][a-z\d+.-]*):/i
const DRIVE = /^[a-z][:|]$/i
const NORMAL_DRIVE = /^[a-z]:$/i
const STARTS_WITH_DRIVE = /^[a-z][:|](?:[/\\]|$)/i
const SINGLE_DOT = /^(?:\.|%2e)$/i
const DOUBLE_DOT = /^(?:\.|%2e){2}$/i

const BREAKS = /[\t\n\r]+/g
const TWO_SLASHES = /^[/\\]{2}/
const STARTS_WITH_SLASH = /^[/\\]/
const SLASHES = /^[/\\]+/
const ANY_SLASH = /[/\\]/
const BACKSLASH = /\\/g
const SLASH = /\//
const DIGITS_ONLY = /^\d*$/

export const trimmed = (text: string): string => trimUnits(text, unit => unit <= ' ')
export const withoutBreaks = (text: string): string => replaceMatches(text, BREAKS, () => '')

const from = (text: string, start: number): string => substring(text, start, text.length)

function withoutSlashes(text: string): string {
  const slashes = match(SLASHES, text)
  return slashes === null ? text : from(text, slashes[0]!.length)
}

/** A path as one's own. */
const copied = (path: string[]): string[] => map(path, segment => segment)

/** Null is a failure. */
export function parseUrl(input: string, base: Record | null): Record | null {
  const text = withoutBreaks(trimmed(stringToWellFormed(input)))
  const { before, after: fragment } = cut(text, '#')
  const { before: rest, after: query } = cut(before, '?')
  const url = parseBody(rest, query, fragment, base)
  if (url === null) return null
  if (query !== null) url.query = encodeQuery(query, url)
  if (fragment !== null) url.fragment = encode(fragment, FRAGMENT)
  return url
}

export const encodeQuery = (query: string, url: Record): string => encode(query, isSpecial(url) ? SPECIAL_QUERY : QUERY)

function cut(text: string, mark: string): { before: string, after: string | null } {
  const at = stringIndexOf(text, mark)
  return at < 0 ? { before: text, after: null } : { before: substring(text, 0, at), after: from(text, at + 1) }
}

function parseBody(rest: string, query: string | null, fragment: string | null, base: Record | null): Record | null {
  const scheme = match(SCHEME, rest)?.[1]
  if (scheme === undefined) {
    if (base === null) return null
    if (typeof base.path === 'string') return rest === '' && query === null && fragment !== null ? { ...base, fragment: null } : null
    return base.scheme === 'file' ? parseFile(rest, query, base) : parseRelative(rest, query, base)
  }
  const url = blank(stringToLowerCase(scheme))
  const after = from(rest, scheme.length + 1)
  if (url.scheme === 'file') return parseFile(after, query, base?.scheme === 'file' ? base : null)
  if (isSpecial(url)) {
    if (base?.scheme === url.scheme && !matches(TWO_SLASHES, after) && typeof base.path !== 'string') return parseRelative(after, query, base)
    return parseAuthority(withoutSlashes(after), url)
  }
  if (stringStartsWith(after, '//')) return parseAuthority(from(after, 2), url)
  if (stringStartsWith(after, '/')) return parsePath(from(after, 1), url)
  url.path = opaquePath(after, query !== null || fragment !== null)
  return url
}

/** A space at the very end would be lost when the URL is written without what follows. */
function opaquePath(text: string, more: boolean): string {
  const path = encode(text, C0)
  return more && stringEndsWith(path, ' ') ? `${substring(path, 0, path.length - 1)}%20` : path
}

function parseRelative(rest: string, query: string | null, base: Record): Record | null {
  const url = { ...blank(base.scheme) }
  const special = isSpecial(url)
  if (special ? matches(TWO_SLASHES, rest) : stringStartsWith(rest, '//')) return parseAuthority(special ? withoutSlashes(rest) : from(rest, 2), url)
  url.username = base.username
  url.password = base.password
  url.host = base.host
  url.port = base.port
  if (stringStartsWith(rest, '/') || (special && stringStartsWith(rest, '\\'))) return parsePath(from(rest, 1), url)
  url.path = copied(base.path as string[])
  if (rest === '') {
    url.query = query === null ? base.query : null
    return url
  }
  shorten(url)
  return parsePath(rest, url)
}

function parseAuthority(rest: string, url: Record): Record | null {
  const end = search(rest, isSpecial(url) ? ANY_SLASH : SLASH)
  const authority = end < 0 ? rest : substring(rest, 0, end)
  const at = stringLastIndexOf(authority, '@')
  if (at >= 0) setCredentials(substring(authority, 0, at), url)
  const host = from(authority, at + 1)
  if (host === '' && at >= 0) return null
  if (!setHostAndPort(host, url)) return null
  return parsePathStart(end < 0 ? '' : from(rest, end), url)
}

function setCredentials(text: string, url: Record): void {
  const { before, after } = cut(text, ':')
  url.username = encode(before, USERINFO)
  url.password = encode(after ?? '', USERINFO)
}

function setHostAndPort(text: string, url: Record): boolean {
  const colon = portColon(text)
  const host = colon < 0 ? text : substring(text, 0, colon)
  if (host === '' && (colon >= 0 || isSpecial(url))) return false
  const parsed = host === '' ? '' : parseHost(host, !isSpecial(url))
  if (parsed === null) return false
  url.host = parsed
  return colon < 0 || setPort(from(text, colon + 1), url)
}

/** The first colon outside of brackets. */
export function portColon(text: string): number {
  let inside = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (character === '[') inside = true
    else if (character === ']') inside = false
    else if (character === ':' && !inside) return i
  }
  return -1
}

export function setPort(digits: string, url: Record): boolean {
  if (!matches(DIGITS_ONLY, digits)) return false
  const port = toNumber(digits)
  if (port > 65_535) return false
  url.port = digits === '' || port === SPECIAL[url.scheme] ? null : port
  return true
}

function parseFile(rest: string, query: string | null, base: Record | null): Record | null {
  const url = { ...blank('file'), host: '' }
  if (matches(TWO_SLASHES, rest)) return parseFileHost(from(rest, 2), url)
  const path = base === null ? bareArray<string>() : base.path as string[]
  if (matches(STARTS_WITH_SLASH, rest)) {
    url.host = base?.host ?? ''
    const tail = from(rest, 1)
    if (path[0] !== undefined && matches(NORMAL_DRIVE, path[0]) && !matches(STARTS_WITH_DRIVE, tail)) url.path = copied([path[0]!])
    return parsePath(tail, url)
  }
  if (base === null) return parsePath(rest, url)
  url.host = base.host ?? ''
  if (rest === '') return { ...url, path: copied(path), query: query === null ? base.query : null }
  if (!matches(STARTS_WITH_DRIVE, rest)) {
    url.path = copied(path)
    shorten(url)
  }
  return parsePath(rest, url)
}

function parseFileHost(rest: string, url: Record): Record | null {
  const end = search(rest, ANY_SLASH)
  const name = end < 0 ? rest : substring(rest, 0, end)
  // `file://C:/` has a drive where others have a host.
  if (matches(DRIVE, name)) return parsePath(rest, url)
  const host = name === '' ? '' : parseHost(name, false)
  if (host === null) return null
  url.host = host === 'localhost' ? '' : host
  return parsePathStart(end < 0 ? '' : from(rest, end), url)
}

/** The path after a host; an unknown scheme may have none at all. */
export function parsePathStart(rest: string, url: Record): Record {
  const special = isSpecial(url)
  if (rest === '' && !special) return url
  return parsePath(stringStartsWith(rest, '/') || (special && stringStartsWith(rest, '\\')) ? from(rest, 1) : rest, url)
}

/** Appends the segments of `rest` to the path. */
function parsePath(rest: string, url: Record): Record {
  const path = url.path as string[]
  const segments = split(isSpecial(url) ? replaceMatches(rest, BACKSLASH, () => '/') : rest, '/')
  for (let index = 0; index < segments.length; index++) {
    const segment = segments[index]!
    const last = index === segments.length - 1
    if (matches(DOUBLE_DOT, segment)) {
      shorten(url)
      if (last) push(path, '')
    } else if (matches(SINGLE_DOT, segment)) {
      if (last) push(path, '')
    } else if (url.scheme === 'file' && path.length === 0 && matches(DRIVE, segment)) {
      push(path, `${segment[0]}:`)
    } else {
      push(path, encode(segment, PATH))
    }
  }
  return url
}

function shorten(url: Record): void {
  const path = url.path as string[]
  if (url.scheme === 'file' && path.length === 1 && matches(NORMAL_DRIVE, path[0]!)) return
  if (path.length > 0) path.length--
}
