/** A parsed URL (URL Standard, "URL representation") and how it is written. */

import { join } from '../../lists.ts'
import { bareArray } from '../../primordials.ts'

export interface Record {
  scheme: string
  username: string
  password: string
  /** As it is written; null where the URL has none. */
  host: string | null
  port: number | null
  /** Segments, or the one text of an opaque path (`mailto:…`). */
  path: string[] | string
  query: string | null
  fragment: string | null
}

export const SPECIAL: { readonly [scheme: string]: number | null | undefined } = { __proto__: null as never, ftp: 21, file: null, http: 80, https: 443, ws: 80, wss: 443 }

export const isSpecial = (url: { scheme: string }): boolean => SPECIAL[url.scheme] !== undefined

export const blank = (scheme: string): Record =>
  ({ scheme, username: '', password: '', host: null, port: null, path: bareArray(), query: null, fragment: null })

export const serializePath = ({ path }: Record): string => typeof path === 'string' ? path : path.length === 0 ? '' : `/${join(path, '/')}`

export function serialize(url: Record, withFragment = true): string {
  let text = `${url.scheme}:`
  if (url.host !== null) text += `//${credentials(url)}${serializeHost(url)}`
  // Without a host, a path that begins with an empty segment would be read as one.
  else if (typeof url.path !== 'string' && url.path.length > 1 && url.path[0] === '') text += '/.'
  text += serializePath(url)
  if (url.query !== null) text += `?${url.query}`
  return withFragment && url.fragment !== null ? `${text}#${url.fragment}` : text
}

function credentials({ username, password }: Record): string {
  if (username === '' && password === '') return ''
  return password === '' ? `${username}@` : `${username}:${password}@`
}

export const serializeHost = ({ host, port }: Record): string => `${host ?? ''}${port === null ? '' : `:${port}`}`

/** "Opaque origins" are written as null. */
export function serializeOrigin(url: Record, parse: (text: string) => Record | null): string {
  if (url.scheme === 'blob') {
    const inner = typeof url.path === 'string' ? parse(url.path) : null
    return inner !== null && (inner.scheme === 'http' || inner.scheme === 'https') ? serializeOrigin(inner, parse) : 'null'
  }
  return isSpecial(url) && url.scheme !== 'file' ? `${url.scheme}://${serializeHost(url)}` : 'null'
}
