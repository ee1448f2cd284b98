/** Node's `url`: the classes, and `parse`, `format`, `resolve` of old, which WebSocket servers still use on `req.url` (lib/url.js, in short). */
import * as querystring from 'unenv/node/querystring'
import { coded, invalidType } from '../define.ts'
import { domainToAscii } from '../url/idna.ts'
import { punycodeDecode } from '../url/punycode.ts'
import { URL } from '../url/url.ts'
import { URLSearchParams } from '../url/search-params.ts'

const SLASHED = new Set(['http:', 'https:', 'ftp:', 'gopher:', 'file:', 'ws:', 'wss:'])
/** Their path begins after the colon, whatever it holds. */
const HOSTLESS = new Set(['javascript:'])

type Query = string | Record<string, unknown> | null

export class Url {
  protocol: string | null = null
  slashes: boolean | null = null
  auth: string | null = null
  host: string | null = null
  port: string | null = null
  hostname: string | null = null
  hash: string | null = null
  search: string | null = null
  query: Query = null
  pathname: string | null = null
  path: string | null = null
  href = ''

  parse(text: string, parseQuery = false, slashesDenoteHost = false): this {
    if (typeof text !== 'string') throw invalidType('url', 'of type string', text)
    let rest = forwardSlashes(text.trim())
    const protocol = /^[a-z\d.+-]+:/i.exec(rest)?.[0]
    if (protocol !== undefined) {
      this.protocol = protocol.toLowerCase()
      rest = rest.slice(protocol.length)
    }
    const hostless = this.protocol !== null && HOSTLESS.has(this.protocol)
    const mayHaveHost = slashesDenoteHost || protocol !== undefined || /^\/\/[^@/]+@[^@/]+/.test(rest)
    if (mayHaveHost && rest.startsWith('//') && !hostless) {
      rest = rest.slice(2)
      this.slashes = true
    }
    if (!hostless && (this.slashes || (this.protocol !== null && !SLASHED.has(this.protocol)))) rest = this.#takeHost(rest, text)
    this.#takeRest(hostless ? rest : escapeUnsafe(rest), parseQuery)
    this.href = this.format()
    return this
  }

  #takeHost(rest: string, whole: string): string {
    const end = rest.search(/[/?#]/)
    const authority = (end < 0 ? rest : rest.slice(0, end)).replace(/[\t\n\r]/g, '')
    const at = authority.lastIndexOf('@')
    if (at >= 0) this.auth = decodeURIComponent(authority.slice(0, at))
    // The first character that no host has ends it and goes to the path.
    const found = authority.slice(at + 1)
    const bad = found.search(/[\t\n\r "%'();<>\\^`{|}]/)
    const host = bad < 0 ? found : found.slice(0, bad)
    const port = /:(\d*)$/.exec(host)
    if (port !== null && port[1] !== '') this.port = port[1]!
    const name = (port === null ? host : host.slice(0, port.index)).toLowerCase()
    const ipv6 = name.startsWith('[') && name.endsWith(']')
    const ascii = ipv6 || name === '' ? name : domainToAscii(name)
    if (ascii === null || (!ipv6 && /[\0\t\n\r #%/:<>?@[\\\]^|]/.test(ascii))) throw Object.assign(coded(new TypeError('Invalid URL'), 'ERR_INVALID_URL'), { input: whole })
    this.hostname = ipv6 ? ascii.slice(1, -1) : ascii
    this.host = `${ascii}${this.port === null ? '' : `:${this.port}`}`
    const tail = bad < 0 ? '' : found.slice(bad)
    return `${tail}${end < 0 ? '' : rest.slice(end)}`
  }

  #takeRest(rest: string, parseQuery: boolean): void {
    const hash = rest.indexOf('#')
    if (hash >= 0) this.hash = rest.slice(hash)
    const body = hash < 0 ? rest : rest.slice(0, hash)
    const question = body.indexOf('?')
    if (question >= 0) {
      this.search = body.slice(question)
      const query = body.slice(question + 1)
      this.query = parseQuery ? querystring.parse(query) : query
    } else if (parseQuery) {
      this.search = null
      this.query = Object.create(null) as Record<string, unknown>
    }
    const path = question < 0 ? body : body.slice(0, question)
    if (path !== '') this.pathname = path
    else if (this.protocol !== null && SLASHED.has(this.protocol) && this.hostname) this.pathname = '/'
    if (this.pathname !== null || this.search !== null) this.path = `${this.pathname ?? ''}${this.search ?? ''}`
  }

  format(): string {
    const auth = this.auth ? `${encodeURIComponent(this.auth).replace(/%3A/i, ':')}@` : ''
    let protocol = this.protocol ?? ''
    if (protocol !== '' && !protocol.endsWith(':')) protocol += ':'
    let host = this.host ? auth + this.host : ''
    if (host === '' && this.hostname) {
      host = `${auth}${this.hostname.includes(':') && !this.hostname.startsWith('[') ? `[${this.hostname}]` : this.hostname}${this.port ? `:${this.port}` : ''}`
    }
    const query = typeof this.query === 'object' && this.query !== null ? querystring.stringify(this.query as never) : ''
    let search = this.search || (query === '' ? '' : `?${query}`)
    if (search !== '' && !search.startsWith('?')) search = `?${search}`
    let hash = this.hash ?? ''
    if (hash !== '' && !hash.startsWith('#')) hash = `#${hash}`
    let pathname = (this.pathname ?? '').replace(/[#?]/g, encodeURIComponent)
    if (this.slashes || SLASHED.has(protocol)) {
      if (this.slashes || host !== '') {
        if (pathname !== '' && !pathname.startsWith('/')) pathname = `/${pathname}`
        host = `//${host}`
      } else if (protocol === 'file:') {
        host = '//'
      }
    }
    return `${protocol}${host}${pathname}${search.replaceAll('#', '%23')}${hash}`
  }
}

/** A backslash before the query is a slash. */
function forwardSlashes(text: string): string {
  const end = text.search(/[?#]/)
  const path = end < 0 ? text : text.slice(0, end)
  return `${path.replaceAll('\\', '/')}${end < 0 ? '' : text.slice(end)}`
}

const escapeUnsafe = (text: string): string => text.replace(/[\t\n\r "'<>\\^`{|}]/g, character => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)

const parse = (text: string | Url, parseQuery?: boolean, slashesDenoteHost?: boolean): Url =>
  text instanceof Url ? text : new Url().parse(text, parseQuery, slashesDenoteHost)

interface FormatOptions { auth?: boolean, fragment?: boolean, search?: boolean, unicode?: boolean }

function format(value: string | URL | Partial<Url>, options: FormatOptions = {}): string {
  if (typeof value === 'string') return new Url().parse(value).format()
  if (value instanceof URL) return formatUrl(value, options)
  if (typeof value !== 'object' || value === null) throw invalidType('urlObject', 'one of type object or string', value)
  return Object.assign(new Url(), value).format()
}

function formatUrl(value: URL, { auth = true, fragment = true, search = true, unicode = false }: FormatOptions): string {
  const url = new URL(value.href)
  if (!auth) [url.username, url.password] = ['', '']
  if (!fragment) url.hash = ''
  if (!search) url.search = ''
  return unicode ? url.href.replace(url.hostname, domainToUnicode(url.hostname)) : url.href
}

/** By the rules of today's URLs, on a base that is taken away again: they differ from the old ones only in strange cases. */
function resolve(from: string, to: string): string {
  const stand = new URL(from, 'resolve://')
  const url = new URL(to, stand)
  if (url.protocol !== 'resolve:') return url.href
  const { pathname, search, hash } = url
  return `${from.startsWith('/') || to.startsWith('/') || !pathname.startsWith('/') ? pathname : pathname.slice(1)}${search}${hash}`
}

const domainToUnicode = (domain: string): string =>
  domain.split('.').map(label => label.startsWith('xn--') ? punycodeDecode(label.slice(4)) ?? label : label).join('.')

function fileURLToPath(value: string | URL): string {
  const url = typeof value === 'string' ? new URL(value) : value
  if (url.protocol !== 'file:') throw coded(new TypeError('The URL must be of scheme file'), 'ERR_INVALID_URL_SCHEME')
  if (/%2f/i.test(url.pathname)) throw coded(new TypeError('File URL path must not include encoded / characters'), 'ERR_INVALID_FILE_URL_PATH')
  return decodeURIComponent(url.pathname)
}

function pathToFileURL(path: string): URL {
  const url = new URL('file:///')
  url.pathname = path.replace(/[%\\\n\r\t?#]/g, encodeURIComponent)
  return url
}

function urlToHttpOptions(url: URL): Record<string, unknown> {
  const { protocol, hostname, hash, search, pathname, href, port, username, password } = url
  return {
    protocol, hostname: hostname.replace(/^\[|\]$/g, ''), hash, search, pathname, path: `${pathname}${search}`, href,
    ...(port === '' ? {} : { port: Number(port) }),
    ...(username === '' && password === '' ? {} : { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` })
  }
}

export const urlModule = {
  URL, URLSearchParams, Url, parse, format, resolve, fileURLToPath, pathToFileURL, urlToHttpOptions, domainToUnicode,
  domainToASCII: (domain: string) => domainToAscii(domain) ?? ''
}
