import { attachmentOf, contentTypeOf, fileNameOf } from './content-types.ts'
import { addOwn, named } from './globals/define.ts'
import { split } from './lists.ts'
import { OutgoingMessage } from './outgoing-message.ts'
import {
  NativeArrayBuffer, NativeDate, arrayBufferIsView, arrayIsArray, dateToUTCString, encodeComponent, jsonStringify, mathFloor, objectKeys, stringToLowerCase, stringTrim, toText
} from './primordials.ts'
import { statusText } from './status-texts.ts'
import { encodeUrl } from './url-text.ts'

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

/** `ctx.response`: what functions use of express' response. */
export class Response extends OutgoingMessage {
  status(code: number): this {
    this.statusCode = code
    return this
  }

  set(name: string | Record<string, unknown>, value?: unknown): this {
    if (typeof name === 'string') return this.setHeader(name, arrayIsArray(value) ? value : toText(value))
    const keys = objectKeys(name)
    for (let i = 0; i < keys.length; i++) this.set(keys[i]!, name[keys[i]!])
    return this
  }
  header(name: string | Record<string, unknown>, value?: unknown): this {
    return this.set(name, value)
  }
  get(name: string): string | string[] | undefined {
    return this.getHeader(name)
  }
  /** One more value beside those that are there. */
  append(name: string, value: unknown): this {
    const all: unknown[] = []
    addAll(all, this.getHeader(name))
    addAll(all, value)
    return this.set(name, all.length === 1 ? all[0] : all)
  }

  type(name: string): this {
    return this.setHeader('content-type', contentTypeOf(toText(name)))
  }
  contentType(name: string): this {
    return this.type(name)
  }
  location(url: string): this {
    return this.setHeader('location', encodeUrl(toText(url)))
  }
  /** Names that are there already are not added again. */
  vary(names: string | readonly string[]): this {
    const given = arrayIsArray(names) ? (names as readonly string[]) : split(toText(names), ',')
    for (let i = 0; i < given.length; i++) this.#varyBy(stringTrim(given[i]!))
    return this
  }
  attachment(path?: string): this {
    if (path === undefined) return this.setHeader('content-disposition', 'attachment')
    const name = fileNameOf(toText(path))
    return this.type(name).setHeader('content-disposition', attachmentOf(name))
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

  /** The status with its name as the body. */
  sendStatus(code: number): this {
    return this.status(code).type('txt').send(statusText(code))
  }

  redirect(statusOrUrl: number | string, url?: string): this {
    this.statusCode = typeof statusOrUrl === 'number' ? statusOrUrl : 302
    return this.location(typeof statusOrUrl === 'number' ? url! : statusOrUrl).end()
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
    return this.append('set-cookie', cookie)
  }
  clearCookie(name: string, options: CookieOptions = {}): this {
    return this.cookie(name, '', { ...options, expires: new NativeDate(0), maxAge: undefined })
  }

  #default(contentType: string): this {
    if (!this.headersSent && !this.hasHeader('content-type')) this.setHeader('content-type', contentType)
    return this
  }

  #varyBy(name: string): void {
    const before = toText(this.getHeader('vary') ?? '')
    const there = split(before, ',')
    for (let i = 0; i < there.length; i++) if (stringTrim(there[i]!) === '*' || stringToLowerCase(stringTrim(there[i]!)) === stringToLowerCase(name)) return
    this.setHeader('vary', name === '*' || before === '' ? name : `${before}, ${name}`)
  }
}

named(Response, 'ServerResponse')

/** Made by definition, which no setter on a prototype sees. */
function addAll(all: unknown[], value: unknown): void {
  if (value === undefined) return
  if (!arrayIsArray(value)) addOwn(all, all.length, value)
  else for (let i = 0; i < value.length; i++) addOwn(all, all.length, value[i])
}
