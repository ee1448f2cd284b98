import type { RequestHead } from '@socklet/protocol'
import { BadRequest } from './bad-request.ts'
import { parseForm } from './form.ts'
import { named } from './globals/define.ts'
import { bufferText } from './message.ts'
import { parseCookies } from './cookies.ts'
import { HttpMessage, closeMessage, tell } from './http-message.ts'
import { readMultipart, type UploadedFile } from './multipart.ts'
import { jsonParse, stringEndsWith, stringIndexOf, stringStartsWith, stringToLowerCase, stringTrim, substring, typedArrayByteLength } from './primordials.ts'
import { userOf } from './tokens.ts'

/** `ctx.request`: what functions read of express' request. */
export class Request extends HttpMessage {
  readonly method: string
  readonly url: string
  readonly originalUrl: string
  readonly path: string
  readonly headers: RequestHead['headers']
  readonly query: unknown
  readonly params = {}
  readonly body: unknown
  /** Of a body of multipart/form-data, else undefined. */
  readonly files: UploadedFile[] | undefined
  readonly cookies: Record<string, unknown>
  readonly user: unknown
  readonly ip: string
  readonly hostname: string | undefined
  readonly protocol: string
  readonly secure: boolean
  /** The client left before it had the whole answer. */
  aborted = false

  /** @throws BadRequest if the body is not what its content type says. */
  constructor(head: RequestHead, bytes: Uint8Array) {
    super()
    const question = stringIndexOf(head.url, '?')
    this.method = head.method
    this.url = this.originalUrl = head.url
    this.path = question < 0 ? head.url : substring(head.url, 0, question)
    this.headers = head.headers
    this.query = queryOf(head.url)
    const type = contentType(head.headers)
    const parts = type === 'multipart/form-data' && typedArrayByteLength(bytes) > 0 ? readMultipart(textOf(head.headers['content-type']), bytes) : null
    this.body = parts === null ? readBody(type, bytes) : parts.fields
    this.files = parts?.files
    this.cookies = parseCookies(textOf(head.headers['cookie']))
    this.user = userOf(head.headers['authorization'])
    this.ip = head.address
    this.hostname = hostnameOf(textOf(head.headers['host']))
    this.protocol = protocolOf(textOf(head.headers['x-forwarded-proto']))
    this.secure = this.protocol === 'https'
  }

  /** A header. */
  get(name: string): string | string[] | undefined {
    const lower = stringToLowerCase(`${name}`)
    return lower === 'referer' || lower === 'referrer' ? (this.headers['referrer'] ?? this.headers['referer']) : this.headers[lower]
  }
  header(name: string): string | string[] | undefined {
    return this.get(name)
  }
}

named(Request, 'IncomingMessage')

/** The client has left. */
export function abort(request: Request): void {
  request.aborted = true
  tell(request, 'aborted')
  closeMessage(request)
}

function textOf(header: string | string[] | undefined): string {
  return typeof header === 'string' ? header : ''
}

/** Without the port. */
function hostnameOf(host: string): string | undefined {
  const colon = stringIndexOf(host, ':', host[0] === '[' ? stringIndexOf(host, ']') + 1 : 0)
  return host === '' ? undefined : colon < 0 ? host : substring(host, 0, colon)
}

/** The platform itself speaks HTTP; a proxy in front says if it does otherwise. */
function protocolOf(forwarded: string): string {
  const comma = stringIndexOf(forwarded, ',')
  return stringTrim(comma < 0 ? forwarded : substring(forwarded, 0, comma)) === 'https' ? 'https' : 'http'
}

/** The query string of a URL, read. */
export function queryOf(url: string): unknown {
  const question = stringIndexOf(url, '?')
  return question < 0 ? {} : parseForm(substring(url, question + 1, url.length))
}

function contentType(headers: RequestHead['headers']): string {
  const value = headers['content-type']
  if (typeof value !== 'string') return ''
  const semicolon = stringIndexOf(value, ';')
  return stringTrim(stringToLowerCase(semicolon < 0 ? value : substring(value, 0, semicolon)))
}

/** JSON, urlencoded and octet-stream as laf reads them; of other types, as of no body, `{}`. */
function readBody(type: string, bytes: Uint8Array): unknown {
  if (typedArrayByteLength(bytes) === 0) return {}
  if (type === 'application/json' || (stringStartsWith(type, 'application/') && stringEndsWith(type, '+json'))) return readJson(bufferText(bytes))
  if (type === 'application/x-www-form-urlencoded') return parseForm(bufferText(bytes))
  if (type === 'application/octet-stream') return bytes
  return {}
}

/** An object or array, as laf's parser takes it. */
function readJson(text: string): unknown {
  const value = parsed(text)
  if (typeof value !== 'object' || value === null) throw new BadRequest('the body is not JSON: neither an object nor a list')
  return value
}

function parsed(text: string): unknown {
  try {
    return jsonParse(text)
  } catch (error) {
    throw new BadRequest(`the body is not JSON: ${(error as Error).message}`)
  }
}
