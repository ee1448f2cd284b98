import type { ResponseHead } from '@socklet/protocol'
import { Flag, FrameType } from '@socklet/protocol/frame'
import { inspect } from './globals/inspect.ts'
import { command, commandWithHead } from './outbox.ts'
import { NativeError, NativeUint8Array, arrayBufferIsView, arrayIsArray, jsonStringify, objectKeys, stringToLowerCase, toText } from './primordials.ts'

const EMPTY = new NativeUint8Array(0)
const TEXT = 'text/html; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'
const BYTES = 'application/octet-stream'

type BufferFrom = (value: unknown, encoding?: string) => Uint8Array
const toBuffer: BufferFrom = (value, encoding) => (globalThis as unknown as { Buffer: { from: BufferFrom } }).Buffer.from(value, encoding)

interface CookieOptions {
  domain?: string
  encode?: (value: string) => string
  expires?: Date
  httpOnly?: boolean
  maxAge?: number
  path?: string
  sameSite?: boolean | string
  secure?: boolean
}

/**
 * `ctx.response`: what functions use of express' response. What is written goes out with the turn; the first
 * part fixes status and headers.
 */
export class Response {
  readonly #gateway: number
  readonly #request: number
  readonly #headers: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>
  #begun = false
  #ended = false
  statusCode = 200

  constructor(gateway: number, request: number) {
    this.#gateway = gateway
    this.#request = request
  }

  get headersSent(): boolean {
    return this.#begun
  }
  get writableEnded(): boolean {
    return this.#ended
  }

  status(code: number): this {
    this.statusCode = code
    return this
  }

  setHeader(name: string, value: unknown): this {
    if (this.#begun) throw codedError('ERR_HTTP_HEADERS_SENT', 'Cannot set headers after they are sent to the client')
    this.#headers[stringToLowerCase(`${name}`)] = arrayIsArray(value) ? value.map(toText) : toText(value)
    return this
  }
  getHeader(name: string): string | string[] | undefined {
    return this.#headers[stringToLowerCase(`${name}`)]
  }
  removeHeader(name: string): void {
    delete this.#headers[stringToLowerCase(`${name}`)]
  }

  set(name: string | Record<string, unknown>, value?: unknown): this {
    if (typeof name === 'string') return this.setHeader(name, value)
    for (const key of objectKeys(name)) this.setHeader(key, name[key])
    return this
  }
  header(name: string | Record<string, unknown>, value?: unknown): this {
    return this.set(name, value)
  }
  get(name: string): string | string[] | undefined {
    return this.getHeader(name)
  }
  type(value: string): this {
    return this.setHeader('content-type', value)
  }

  writeHead(status: number, headers?: Record<string, unknown>): this {
    this.statusCode = status
    return headers === undefined ? this : this.set(headers)
  }

  /** A part of the body. */
  write(chunk: unknown, encoding?: string): boolean {
    if (this.#ended) throw codedError('ERR_STREAM_WRITE_AFTER_END', 'write after end')
    this.#part(bodyBytes(chunk, encoding), false)
    return true
  }

  /** The last part of the body. */
  end(chunk?: unknown, encoding?: string): this {
    if (this.#ended) return this
    this.#part(chunk === undefined || chunk === null || typeof chunk === 'function' ? EMPTY : bodyBytes(chunk, typeof encoding === 'string' ? encoding : undefined), true)
    return this
  }

  /** What a function may return, or give to `send`: laf's rules for the content type. */
  send(body?: unknown): this {
    if (body === undefined || body === null) return this.end()
    if (typeof body === 'string') return this.#default(TEXT).end(body)
    if (typeof body === 'number' || typeof body === 'bigint') return this.#default(TEXT).end(toText(body))
    if (arrayBufferIsView(body) || body instanceof ArrayBuffer) return this.#default(BYTES).end(body)
    return this.json(body)
  }

  json(body: unknown): this {
    return this.#default(JSON_TYPE).end(jsonStringify(body) ?? '')
  }

  redirect(statusOrUrl: number | string, url?: string): this {
    this.statusCode = typeof statusOrUrl === 'number' ? statusOrUrl : 302
    return this.setHeader('location', typeof statusOrUrl === 'number' ? url : statusOrUrl).end()
  }

  /** RFC 6265, 4.1; the value is encoded as express does. */
  cookie(name: string, value: unknown, options: CookieOptions = {}): this {
    const text = typeof value === 'object' ? `j:${jsonStringify(value)}` : toText(value)
    let cookie = `${name}=${(options.encode ?? encodeURIComponent)(text)}`
    if (options.maxAge !== undefined) cookie += `; Max-Age=${Math.floor(options.maxAge / 1000)}`
    if (options.domain !== undefined) cookie += `; Domain=${options.domain}`
    cookie += `; Path=${options.path ?? '/'}`
    if (options.expires !== undefined) cookie += `; Expires=${options.expires.toUTCString()}`
    if (options.httpOnly) cookie += '; HttpOnly'
    if (options.secure) cookie += '; Secure'
    if (options.sameSite) cookie += `; SameSite=${options.sameSite === true ? 'Strict' : options.sameSite}`
    const before = this.#headers['set-cookie']
    this.setHeader('set-cookie', before === undefined ? [cookie] : [...(arrayIsArray(before) ? before : [before]), cookie])
    return this
  }
  clearCookie(name: string, options: CookieOptions = {}): this {
    return this.cookie(name, '', { ...options, expires: new Date(0), maxAge: undefined })
  }

  #default(contentType: string): this {
    if (this.#headers['content-type'] === undefined && !this.#begun) this.#headers['content-type'] = contentType
    return this
  }

  #part(body: Uint8Array, end: boolean): void {
    const flags = end ? Flag.END : 0
    if (this.#begun) {
      command(FrameType.RESPONSE_PART, flags, this.#gateway, this.#request, body)
    } else {
      const head: ResponseHead = { status: this.statusCode, headers: flatten(this.#headers) }
      commandWithHead(FrameType.RESPONSE, flags, this.#gateway, this.#request, jsonStringify(head), body)
    }
    this.#begun = true
    this.#ended = end
  }
}

function flatten(headers: Record<string, string | string[]>): [string, string][] {
  const pairs: [string, string][] = []
  for (const name of objectKeys(headers)) {
    const value = headers[name]!
    for (const one of arrayIsArray(value) ? value : [value]) pairs.push([name, one])
  }
  return pairs
}

function bodyBytes(chunk: unknown, encoding?: string): Uint8Array {
  if (typeof chunk === 'string') return toBuffer(chunk, encoding ?? 'utf8')
  if (arrayBufferIsView(chunk)) return new NativeUint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength)
  if (chunk instanceof ArrayBuffer) return new NativeUint8Array(chunk)
  throw codedError('ERR_INVALID_ARG_TYPE', `The "chunk" argument must be of type string or an instance of Buffer or Uint8Array. Received ${inspect(chunk, { depth: 0 })}`)
}

function codedError(code: string, message: string): Error {
  return Object.assign(new NativeError(message), { code })
}
