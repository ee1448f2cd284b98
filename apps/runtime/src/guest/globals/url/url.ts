/** The URL class (URL Standard, section 6.1). */
import { coded, inspectable, showMembers, webInterface } from '../define.ts'
import { replaceAll } from '../../lists.ts'
import { match, search as searchPattern } from '../../patterns.ts'
import { NativeTypeError, bareArray, objectAssign, stringStartsWith, stringToLowerCase, stringToWellFormed, substring, toText } from '../../primordials.ts'
import { parseHost } from './host.ts'
import { encodeQuery, parsePathStart, parseUrl, portColon, setPort, withoutBreaks } from './parser.ts'
import { encode, FRAGMENT, USERINFO } from './percent.ts'
import { isSpecial, type Record, serialize, serializeHost, serializeOrigin, serializePath, SPECIAL } from './record.ts'
import { connect, URLSearchParams } from './search-params.ts'

const invalid = (input: string, base?: string): TypeError =>
  objectAssign(coded(new NativeTypeError('Invalid URL'), 'ERR_INVALID_URL'), base === undefined ? { input } : { input, base })

function parse(input: unknown, base: unknown): Record | null {
  if (base === undefined) return parseUrl(asText(input), null)
  const parsed = parseUrl(asText(base), null)
  return parsed === null ? null : parseUrl(asText(input), parsed)
}

const SCHEME = /^([a-z][a-z\d+.-]*)(?::|$)/i
const LEADING_DIGITS = /^\d+/
const END_OF_SPECIAL_HOST = /[/\\?#]/
const END_OF_HOST = /[/?#]/

const without = (text: string, mark: string): string => stringStartsWith(text, mark) ? substring(text, 1, text.length) : text

/** Throws for symbols, which `String` does not. */
const asText = (value: unknown): string => `${value as string}`

const parseAlone = (href: string): Record | null => parseUrl(href, null)

const missing = (): TypeError => coded(new NativeTypeError('The "url" argument must be specified'), 'ERR_MISSING_ARGS')

export let hrefOf: (url: URL) => string
export let isUrl: (value: unknown) => value is URL
export let paramsOf: (url: URL) => URLSearchParams
export let hasCredentials: (url: URL) => boolean

export class URL {
  #url: Record
  #params: URLSearchParams | undefined
  #resetParams: ((text: string) => void) | undefined

  static {
    hrefOf = url => serialize(url.#url)
    isUrl = (value): value is URL => typeof value === 'object' && value !== null && #url in value
    paramsOf = url => url.#searchParams()
    hasCredentials = url => url.#url.username !== '' || url.#url.password !== ''
  }

  constructor(input: unknown, base: unknown = undefined) {
    if (arguments.length === 0) throw missing()
    const url = parse(input, base)
    if (url === null) throw invalid(asText(input), base === undefined ? undefined : asText(base))
    this.#url = url
  }

  static canParse(input: unknown, base: unknown = undefined): boolean {
    if (arguments.length === 0) throw missing()
    return parse(input, base) !== null
  }

  static parse(input: unknown, base: unknown = undefined): URL | null {
    if (arguments.length === 0) throw missing()
    return parse(input, base) === null ? null : new URL(input, base)
  }

  get href(): string {
    return serialize(this.#url)
  }

  set href(value: unknown) {
    const url = parse(value, undefined)
    if (url === null) throw invalid(asText(value))
    this.#url = url
    this.#resetParams?.(url.query ?? '')
  }

  get origin(): string {
    return serializeOrigin(this.#url, parseAlone)
  }

  get protocol(): string {
    return `${this.#url.scheme}:`
  }

  /** A special scheme stays special, and what has credentials or a port never becomes a file. */
  set protocol(value: unknown) {
    const url = this.#url
    const given = match(SCHEME, withoutBreaks(asText(value)))?.[1]
    if (given === undefined) return
    const scheme = stringToLowerCase(given)
    if ((SPECIAL[scheme] !== undefined) !== isSpecial(url)) return
    if (scheme === 'file' && (url.username !== '' || url.password !== '' || url.port !== null)) return
    if (url.scheme === 'file' && url.host === '') return
    url.scheme = scheme
    if (url.port === SPECIAL[scheme]) url.port = null
  }

  get username(): string {
    return this.#url.username
  }

  set username(value: unknown) {
    if (!this.#cannotHaveCredentials()) this.#url.username = encode(stringToWellFormed(asText(value)), USERINFO)
  }

  get password(): string {
    return this.#url.password
  }

  set password(value: unknown) {
    if (!this.#cannotHaveCredentials()) this.#url.password = encode(stringToWellFormed(asText(value)), USERINFO)
  }

  get host(): string {
    return serializeHost(this.#url)
  }

  set host(value: unknown) {
    this.#setHost(asText(value), true)
  }

  get hostname(): string {
    return this.#url.host ?? ''
  }

  set hostname(value: unknown) {
    this.#setHost(asText(value), false)
  }

  get port(): string {
    return this.#url.port === null ? '' : toText(this.#url.port)
  }

  set port(value: unknown) {
    if (this.#cannotHaveCredentials()) return
    const given = asText(value)
    if (given === '') this.#url.port = null
    else this.#setLeadingPort(withoutBreaks(given))
  }

  get pathname(): string {
    return serializePath(this.#url)
  }

  set pathname(value: unknown) {
    const url = this.#url
    if (typeof url.path === 'string') return
    url.path = bareArray()
    const given = withoutBreaks(stringToWellFormed(asText(value)))
    // In a setter `?` and `#` belong to the path.
    parsePathStart(replaceAll(replaceAll(given, '?', '%3F'), '#', '%23'), url)
    if (given === '' && url.host === null) url.path[0] = ''
  }

  get search(): string {
    const { query } = this.#url
    return query === null || query === '' ? '' : `?${query}`
  }

  set search(value: unknown) {
    const given = stringToWellFormed(asText(value))
    const query = withoutBreaks(without(given, '?'))
    this.#url.query = given === '' ? null : encodeQuery(query, this.#url)
    this.#resetParams?.(given === '' ? '' : query)
  }

  get searchParams(): URLSearchParams {
    return this.#searchParams()
  }

  #searchParams(): URLSearchParams {
    if (this.#params === undefined) {
      this.#params = new URLSearchParams(`?${this.#url.query ?? ''}`)
      this.#resetParams = connect(this.#params, text => {
        this.#url.query = text === '' ? null : text
      })
    }
    return this.#params
  }

  get hash(): string {
    const { fragment } = this.#url
    return fragment === null || fragment === '' ? '' : `#${fragment}`
  }

  set hash(value: unknown) {
    const given = stringToWellFormed(asText(value))
    this.#url.fragment = given === '' ? null : encode(withoutBreaks(without(given, '#')), FRAGMENT)
  }

  toString(): string {
    return serialize(this.#url)
  }

  toJSON(): string {
    return serialize(this.#url)
  }

  #cannotHaveCredentials(): boolean {
    const { host, scheme } = this.#url
    return host === null || host === '' || scheme === 'file'
  }

  /** Digits up to the first other character. */
  #setLeadingPort(text: string): void {
    const digits = match(LEADING_DIGITS, text)?.[0]
    if (digits !== undefined) setPort(digits, this.#url)
  }

  #setHost(value: string, withPort: boolean): void {
    const url = this.#url
    if (typeof url.path === 'string') return
    const special = isSpecial(url)
    const given = withoutBreaks(stringToWellFormed(value))
    const end = searchPattern(given, special ? END_OF_SPECIAL_HOST : END_OF_HOST)
    const authority = end < 0 ? given : substring(given, 0, end)
    const colon = url.scheme === 'file' ? -1 : portColon(authority)
    // `hostname = 'a:1'` is refused as a whole; `host = ':1'` has no host.
    if (colon === 0 || (colon > 0 && !withPort)) return
    const name = colon < 0 ? authority : substring(authority, 0, colon)
    if (name === '' && ((special && url.scheme !== 'file') || url.username !== '' || url.password !== '' || url.port !== null)) return
    const host = name === '' ? '' : parseHost(name, !special)
    if (host === null) return
    url.host = url.scheme === 'file' && host === 'localhost' ? '' : host
    if (colon > 0) this.#setLeadingPort(substring(authority, colon + 1, authority.length))
  }
}

const MEMBERS = ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'searchParams', 'hash', 'toString', 'toJSON'] as const
webInterface(URL, 'URL', MEMBERS)
showMembers(URL, ['canParse', 'parse'])
inspectable(URL, (url, depth, options, inspect) => {
  if (depth < 0) return url.href
  const { href, origin, protocol, username, password, host, hostname, port, pathname, search, searchParams, hash } = url
  const shown = { href, origin, protocol, username, password, host, hostname, port, pathname, search, searchParams, hash }
  return `${url.constructor.name} ${inspect(shown, { ...options, depth })}`
})
