/**
 * The basic URL parser (URL Standard, section 4.4). The standard describes a machine that goes character by character; the same states are functions here that
 * take the rest of the input, because fragment and query can be split off first: `#` and then `?` end every other state.
 */
import { parseHost } from './host.ts'
import { C0, encode, FRAGMENT, PATH, QUERY, SPECIAL_QUERY, USERINFO } from './percent.ts'
import { blank, isSpecial, type Record, SPECIAL } from './record.ts'

const SCHEME = /^([a-z][a-z\d+.-]*):/i
const DRIVE = /^[a-z][:|]$/i
const NORMAL_DRIVE = /^[a-z]:$/i
const STARTS_WITH_DRIVE = /^[a-z][:|](?:[/\\]|$)/i
const SINGLE_DOT = /^(?:\.|%2e)$/i
const DOUBLE_DOT = /^(?:\.|%2e){2}$/i

// oxlint-disable-next-line no-control-regex
export const trimmed = (text: string): string => text.replace(/^[\0-\x20]+/, '').replace(/[\0-\x20]+$/, '')
export const withoutBreaks = (text: string): string => text.replace(/[\t\n\r]+/g, '')

/** Null is a failure. */
export function parseUrl(input: string, base: Record | null): Record | null {
  const text = withoutBreaks(trimmed(input.toWellFormed()))
  const [beforeFragment, fragment] = cut(text, '#')
  const [rest, query] = cut(beforeFragment, '?')
  const url = parseBody(rest, query, fragment, base)
  if (url === null) return null
  if (query !== null) url.query = encodeQuery(query, url)
  if (fragment !== null) url.fragment = encode(fragment, FRAGMENT)
  return url
}

export const encodeQuery = (query: string, url: Record): string => encode(query, isSpecial(url) ? SPECIAL_QUERY : QUERY)

function cut(text: string, mark: string): [before: string, after: string | null] {
  const at = text.indexOf(mark)
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)]
}

function parseBody(rest: string, query: string | null, fragment: string | null, base: Record | null): Record | null {
  const scheme = SCHEME.exec(rest)?.[1]
  if (scheme === undefined) {
    if (base === null) return null
    if (typeof base.path === 'string') return rest === '' && query === null && fragment !== null ? { ...base, fragment: null } : null
    return base.scheme === 'file' ? parseFile(rest, query, base) : parseRelative(rest, query, base)
  }
  const url = blank(scheme.toLowerCase())
  const after = rest.slice(scheme.length + 1)
  if (url.scheme === 'file') return parseFile(after, query, base?.scheme === 'file' ? base : null)
  if (isSpecial(url)) {
    if (base?.scheme === url.scheme && !/^[/\\]{2}/.test(after) && !after.startsWith('//') && typeof base.path !== 'string') return parseRelative(after, query, base)
    return parseAuthority(after.replace(/^[/\\]+/, ''), url)
  }
  if (after.startsWith('//')) return parseAuthority(after.slice(2), url)
  if (after.startsWith('/')) return parsePath(after.slice(1), url)
  url.path = opaquePath(after, query !== null || fragment !== null)
  return url
}

/** A space at the very end would be lost when the URL is written without what follows. */
function opaquePath(text: string, more: boolean): string {
  const path = encode(text, C0)
  return more && path.endsWith(' ') ? `${path.slice(0, -1)}%20` : path
}

function parseRelative(rest: string, query: string | null, base: Record): Record | null {
  const url = { ...blank(base.scheme) }
  const special = isSpecial(url)
  if (special ? /^[/\\]{2}/.test(rest) : rest.startsWith('//')) return parseAuthority(special ? rest.replace(/^[/\\]+/, '') : rest.slice(2), url)
  const { username, password, host, port } = base
  Object.assign(url, { username, password, host, port })
  if (rest.startsWith('/') || (special && rest.startsWith('\\'))) return parsePath(rest.slice(1), url)
  url.path = [...base.path]
  if (rest === '') {
    url.query = query === null ? base.query : null
    return url
  }
  shorten(url)
  return parsePath(rest, url)
}

function parseAuthority(rest: string, url: Record): Record | null {
  const end = rest.search(isSpecial(url) ? /[/\\]/ : /\//)
  const authority = end < 0 ? rest : rest.slice(0, end)
  const at = authority.lastIndexOf('@')
  if (at >= 0) setCredentials(authority.slice(0, at), url)
  const host = authority.slice(at + 1)
  if (host === '' && at >= 0) return null
  if (!setHostAndPort(host, url)) return null
  return parsePathStart(end < 0 ? '' : rest.slice(end), url)
}

function setCredentials(text: string, url: Record): void {
  const [username, password] = cut(text, ':')
  url.username = encode(username, USERINFO)
  url.password = encode(password ?? '', USERINFO)
}

function setHostAndPort(text: string, url: Record): boolean {
  const colon = portColon(text)
  const host = colon < 0 ? text : text.slice(0, colon)
  if (host === '' && (colon >= 0 || isSpecial(url))) return false
  const parsed = host === '' ? '' : parseHost(host, !isSpecial(url))
  if (parsed === null) return false
  url.host = parsed
  return colon < 0 || setPort(text.slice(colon + 1), url)
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
  if (!/^\d*$/.test(digits)) return false
  const port = Number(digits)
  if (port > 65_535) return false
  url.port = digits === '' || port === SPECIAL[url.scheme] ? null : port
  return true
}

function parseFile(rest: string, query: string | null, base: Record | null): Record | null {
  const url = { ...blank('file'), host: '' }
  if (/^[/\\]{2}/.test(rest)) return parseFileHost(rest.slice(2), url)
  const path = base === null ? [] : base.path as string[]
  if (/^[/\\]/.test(rest)) {
    url.host = base?.host ?? ''
    const tail = rest.slice(1)
    if (path[0] !== undefined && NORMAL_DRIVE.test(path[0]) && !STARTS_WITH_DRIVE.test(tail)) url.path = [path[0]]
    return parsePath(tail, url)
  }
  if (base === null) return parsePath(rest, url)
  url.host = base.host ?? ''
  if (rest === '') return { ...url, path: [...path], query: query === null ? base.query : null }
  if (!STARTS_WITH_DRIVE.test(rest)) {
    url.path = [...path]
    shorten(url)
  }
  return parsePath(rest, url)
}

function parseFileHost(rest: string, url: Record): Record | null {
  const end = rest.search(/[/\\]/)
  const name = end < 0 ? rest : rest.slice(0, end)
  // `file://C:/` has a drive where others have a host.
  if (DRIVE.test(name)) return parsePath(rest, url)
  const host = name === '' ? '' : parseHost(name, false)
  if (host === null) return null
  url.host = host === 'localhost' ? '' : host
  return parsePathStart(end < 0 ? '' : rest.slice(end), url)
}

/** The path after a host; an unknown scheme may have none at all. */
export function parsePathStart(rest: string, url: Record): Record {
  const special = isSpecial(url)
  if (rest === '' && !special) return url
  return parsePath(rest.startsWith('/') || (special && rest.startsWith('\\')) ? rest.slice(1) : rest, url)
}

/** Appends the segments of `rest` to the path. */
function parsePath(rest: string, url: Record): Record {
  const path = url.path as string[]
  const segments = rest.split(isSpecial(url) ? /[/\\]/ : '/')
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1
    if (DOUBLE_DOT.test(segment)) {
      shorten(url)
      if (last) path.push('')
    } else if (SINGLE_DOT.test(segment)) {
      if (last) path.push('')
    } else if (url.scheme === 'file' && path.length === 0 && DRIVE.test(segment)) {
      path.push(`${segment[0]}:`)
    } else {
      path.push(encode(segment, PATH))
    }
  }
  return url
}

function shorten(url: Record): void {
  const path = url.path as string[]
  if (url.scheme === 'file' && path.length === 1 && NORMAL_DRIVE.test(path[0]!)) return
  path.pop()
}
