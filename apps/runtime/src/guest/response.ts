import type { ResponseHead } from '@socklet/protocol'
import { Flag, FrameType } from '@socklet/protocol/frame'
import { addOwn } from './globals/define.ts'
import { inspect } from './globals/inspect.ts'
import { push } from './lists.ts'
import { command, commandWithHead } from './outbox.ts'
import {
  NativeArrayBuffer, NativeDate, NativeError, NativeUint8Array, arrayBufferIsView, arrayIsArray, bareArray, bareObject, dateToUTCString, encodeComponent, jsonStringify, mathFloor, objectAssign, objectKeys,
  stringToLowerCase, toText
} from './primordials.ts'
import { EMPTY, toBuffer, viewBytes } from './socket-bytes.ts'

const TEXT = 'text/html; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'
const BYTES = 'application/octet-stream'

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
  readonly #headers = bareObject<string | string[]>()
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
    this.#headers[stringToLowerCase(`${name}`)] = arrayIsArray(value) ? texts(value) : toText(value)
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
    const keys = objectKeys(name)
    for (let i = 0; i < keys.length; i++) this.setHeader(keys[i]!, name[keys[i]!])
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
    if (arrayBufferIsView(body) || body instanceof NativeArrayBuffer) return this.#default(BYTES).end(body)
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
    let cookie = `${name}=${(options.encode ?? encodeComponent)(text)}`
    if (options.maxAge !== undefined) cookie += `; Max-Age=${mathFloor(options.maxAge / 1000)}`
    if (options.domain !== undefined) cookie += `; Domain=${options.domain}`
    cookie += `; Path=${options.path ?? '/'}`
    if (options.expires !== undefined) cookie += `; Expires=${dateToUTCString(options.expires)}`
    if (options.httpOnly) cookie += '; HttpOnly'
    if (options.secure) cookie += '; Secure'
    if (options.sameSite) cookie += `; SameSite=${options.sameSite === true ? 'Strict' : options.sameSite}`
    const before = this.#headers['set-cookie']
    this.setHeader('set-cookie', before === undefined ? cookie : withLast(arrayIsArray(before) ? before : [before], cookie))
    return this
  }
  clearCookie(name: string, options: CookieOptions = {}): this {
    return this.cookie(name, '', { ...options, expires: new NativeDate(0), maxAge: undefined })
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
  const pairs = bareArray<[string, string]>()
  const names = objectKeys(headers)
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!
    const value = headers[name]!
    if (!arrayIsArray(value)) push(pairs, [name, value])
    else for (let j = 0; j < value.length; j++) push(pairs, [name, value[j]!])
  }
  return pairs
}

function bodyBytes(chunk: unknown, encoding?: string): Uint8Array {
  if (typeof chunk === 'string') return toBuffer(chunk, encoding ?? 'utf8')
  if (arrayBufferIsView(chunk)) return viewBytes(chunk)
  if (chunk instanceof NativeArrayBuffer) return new NativeUint8Array(chunk)
  throw codedError('ERR_INVALID_ARG_TYPE', `The "chunk" argument must be of type string or an instance of Buffer or Uint8Array. Received ${inspect(chunk, { depth: 0 })}`)
}

function codedError(code: string, message: string): Error {
  return objectAssign(new NativeError(message), { code })
}

/** An ordinary array, since functions can ask for it; made by definition, which no setter on a prototype sees. */
function texts(values: readonly unknown[]): string[] {
  const all: string[] = []
  for (let i = 0; i < values.length; i++) addOwn(all, i, toText(values[i]))
  return all
}

function withLast(values: readonly string[], last: string): string[] {
  const all = texts(values)
  addOwn(all, all.length, last)
  return all
}
