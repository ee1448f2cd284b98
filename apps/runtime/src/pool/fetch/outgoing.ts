import type { FetchHead } from '@socklet/protocol'
import { FetchError } from './errors.ts'

/** A request as it goes out. */
export interface Outgoing {
  url: URL
  method: string
  headers: [name: string, value: string][]
  body: Uint8Array | null
  redirect: FetchHead['redirect']
}

const MAX_URL = 16 * 1024
const MAX_HEADERS = 200
const MAX_HEADER_BYTES = 32 * 1024

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-zA-Z-]+$/
/** Fetch Standard, "header value": no NUL, CR or LF; each character is a byte. */
// oxlint-disable-next-line no-control-regex
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * Dropped in silence, as browsers do (Fetch Standard, "forbidden request-header"): how the message is framed, which
 * connection it takes and which host it is for is not the app's to say. What is about the user of a browser stays allowed.
 */
const FORBIDDEN = new Set(['connection', 'content-length', 'expect', 'host', 'http2-settings', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'via'])

/** Fetch Standard, "port blocking": services that would take a request for something of their own. */
const BAD_PORTS = new Set(
  [1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513]
    .concat([514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080])
    .map(String)
)

/** Beyond the standard: what has no business with the internet, and does harm with a few bytes that come close to its own protocol. */
const ALSO_BAD_PORTS = new Set(['6379', '11211'])

/** Of what a worker sent, which may be anything. @throws FetchError */
export function readOutgoing(head: Partial<FetchHead>, body: Uint8Array): Outgoing {
  const { url, method, headers, redirect } = head
  if (typeof url !== 'string' || typeof method !== 'string' || !Array.isArray(headers)) throw invalid('the request is not one')
  if (!TOKEN.test(method) || method.length > 64 || /^(?:connect|trace|track)$/i.test(method)) throw invalid(`the method ${method.slice(0, 64)} is not allowed`)
  const hasBody = body.byteLength > 0 || (method === 'POST' || method === 'PUT')
  if (hasBody && (method === 'GET' || method === 'HEAD')) throw invalid('a request with the method GET or HEAD has no body')
  return { url: readUrl(url), method, headers: readHeaders(headers), body: hasBody ? body : null, redirect: redirect === 'error' || redirect === 'manual' ? redirect : 'follow' }
}

/** http and https only, on ports that speak them, without credentials. @throws FetchError */
export function readUrl(text: string, base?: URL): URL {
  if (text.length > MAX_URL) throw invalid('the URL is too long')
  const url = URL.parse(text, base)
  if (url === null) throw invalid('the URL is not one')
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalid(`the scheme ${url.protocol.slice(0, 32)} is not supported`)
  if (url.username !== '' || url.password !== '') throw invalid('the URL has credentials in it')
  if (BAD_PORTS.has(url.port) || ALSO_BAD_PORTS.has(url.port)) throw invalid(`the port ${url.port} is blocked`)
  return url
}

function readHeaders(given: unknown[]): Outgoing['headers'] {
  if (given.length > MAX_HEADERS) throw invalid(`a request has at most ${MAX_HEADERS} headers`)
  const headers: Outgoing['headers'] = []
  let bytes = 0
  for (const pair of given) {
    const [name, value] = Array.isArray(pair) ? (pair as unknown[]) : []
    if (typeof name !== 'string' || typeof value !== 'string' || !TOKEN.test(name) || !VALUE.test(value)) throw invalid('a header is not one')
    bytes += name.length + value.length
    if (!isForbidden(name.toLowerCase())) headers.push([name, value])
  }
  if (bytes > MAX_HEADER_BYTES) throw invalid(`the headers of a request are at most ${MAX_HEADER_BYTES / 1024} KiB`)
  return headers
}

function isForbidden(name: string): boolean {
  return FORBIDDEN.has(name) || name.startsWith('proxy-') || name.startsWith('sec-')
}

function invalid(message: string): FetchError {
  return new FetchError('ERR_SOCKLET_FETCH_INVALID', message, 'TypeError')
}
