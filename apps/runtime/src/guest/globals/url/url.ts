/** The URL class (URL Standard, section 6.1). */
import { coded, webInterface } from '../define.ts'
import { parseHost } from './host.ts'
import { encodeQuery, parsePathStart, parseUrl, portColon, setPort, withoutBreaks } from './parser.ts'
import { encode, FRAGMENT, USERINFO } from './percent.ts'
import { isSpecial, type Record, serialize, serializeHost, serializeOrigin, serializePath, SPECIAL } from './record.ts'
import { connect, URLSearchParams } from './search-params.ts'

const invalid = (input: string, base?: string): TypeError =>
  Object.assign(coded(new TypeError('Invalid URL'), 'ERR_INVALID_URL'), base === undefined ? { input } : { input, base })

function parse(input: unknown, base: unknown): Record | null {
  if (base === undefined) return parseUrl(asText(input), null)
  const parsed = parseUrl(asText(base), null)
  return parsed === null ? null : parseUrl(asText(input), parsed)
}

/** Throws for symbols, which `String` does not. */
const asText = (value: unknown): string => `${value as string}`

const parseAlone = (href: string): Record | null => parseUrl(href, null)

const missing = (): TypeError => coded(new TypeError('The "url" argument must be specified'), 'ERR_MISSING_ARGS')

export class URL {
  #url: Record
  #params: URLSearchParams | undefined
  #resetParams: ((text: string) => void) | undefined

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
    const scheme = /^([a-z][a-z\d+.-]*)(?::|$)/i.exec(withoutBreaks(asText(value)))?.[1]?.toLowerCase()
    if (scheme === undefined || (SPECIAL[scheme] !== undefined) !== isSpecial(url)) return
    if (scheme === 'file' && (url.username !== '' || url.password !== '' || url.port !== null)) return
    if (url.scheme === 'file' && url.host === '') return
    url.scheme = scheme
    if (url.port === SPECIAL[scheme]) url.port = null
  }

  get username(): string {
    return this.#url.username
  }

  set username(value: unknown) {
    if (!this.#cannotHaveCredentials()) this.#url.username = encode(asText(value).toWellFormed(), USERINFO)
  }

  get password(): string {
    return this.#url.password
  }

  set password(value: unknown) {
    if (!this.#cannotHaveCredentials()) this.#url.password = encode(asText(value).toWellFormed(), USERINFO)
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
    return this.#url.port === null ? '' : String(this.#url.port)
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
    url.path = []
    const given = withoutBreaks(asText(value).toWellFormed())
    // In a setter `?` and `#` belong to the path.
    parsePathStart(given.replaceAll('?', '%3F').replaceAll('#', '%23'), url)
    if (given === '' && url.host === null) url.path = ['']
  }

  get search(): string {
    const { query } = this.#url
    return query === null || query === '' ? '' : `?${query}`
  }

  set search(value: unknown) {
    const given = asText(value).toWellFormed()
    const query = withoutBreaks(given.replace(/^\?/, ''))
    this.#url.query = given === '' ? null : encodeQuery(query, this.#url)
    this.#resetParams?.(given === '' ? '' : query)
  }

  get searchParams(): URLSearchParams {
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
    const given = asText(value).toWellFormed()
    this.#url.fragment = given === '' ? null : encode(withoutBreaks(given.replace(/^#/, '')), FRAGMENT)
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
    const digits = /^\d+/.exec(text)?.[0]
    if (digits !== undefined) setPort(digits, this.#url)
  }

  #setHost(value: string, withPort: boolean): void {
    const url = this.#url
    if (typeof url.path === 'string') return
    const special = isSpecial(url)
    const given = withoutBreaks(value.toWellFormed())
    const end = given.search(special ? /[/\\?#]/ : /[/?#]/)
    const authority = end < 0 ? given : given.slice(0, end)
    const colon = url.scheme === 'file' ? -1 : portColon(authority)
    // `hostname = 'a:1'` is refused as a whole; `host = ':1'` has no host.
    if (colon === 0 || (colon > 0 && !withPort)) return
    const name = colon < 0 ? authority : authority.slice(0, colon)
    if (name === '' && ((special && url.scheme !== 'file') || url.username !== '' || url.password !== '' || url.port !== null)) return
    const host = name === '' ? '' : parseHost(name, !special)
    if (host === null) return
    url.host = url.scheme === 'file' && host === 'localhost' ? '' : host
    if (colon > 0) this.#setLeadingPort(authority.slice(colon + 1))
  }
}

const MEMBERS = ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'searchParams', 'hash', 'toString', 'toJSON'] as const
webInterface(URL, 'URL', MEMBERS)
for (const name of ['canParse', 'parse']) Object.defineProperty(URL, name, { enumerable: true })

type Inspect = (value: unknown, options: object) => string
Object.defineProperty(URL.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  writable: true,
  configurable: true,
  value(this: URL, depth: number, options: object, inspect: Inspect) {
    if (depth < 0) return this.href
    const { href, origin, protocol, username, password, host, hostname, port, pathname, search, searchParams, hash } = this
    const shown = { href, origin, protocol, username, password, host, hostname, port, pathname, search, searchParams, hash }
    return `${this.constructor.name} ${inspect(shown, { ...options, depth })}`
  }
})

