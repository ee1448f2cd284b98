import { AbortController, AbortSignal } from '../globals/abort.ts'
import { webInterface } from '../globals/define.ts'
import { URL } from '../globals/url/url.ts'
import { Body, cloneStream, extract, takeStream } from './body.ts'
import { Headers, type HeadersInit } from './headers.ts'

export interface RequestInit {
  method?: unknown
  headers?: HeadersInit
  body?: unknown
  redirect?: unknown
  signal?: unknown
}

type Redirect = 'follow' | 'error' | 'manual'

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-zA-Z-]+$/
const NORMAL = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'])

export class Request extends Body {
  readonly #url: URL
  readonly #method: string
  readonly #headers: Headers
  readonly #redirect: Redirect
  readonly #signal: AbortSignal

  constructor(input: unknown, init: RequestInit | null = {}) {
    const from = input instanceof Request ? input : null
    const { method = from?.method ?? 'GET', headers = from?.headers, redirect = from?.redirect ?? 'follow', signal = from?.signal, body } = init ?? {}
    const verb = methodOf(method)
    const extracted = extract(body)
    const stream = extracted?.stream ?? (from !== null && (body === undefined || body === null) ? takeStream(from) : null)
    if (stream !== null && (verb === 'GET' || verb === 'HEAD')) throw new TypeError('Request with GET/HEAD method cannot have body.')
    super(stream)
    this.#url = from === null ? urlOf(input) : from.#url
    this.#method = verb
    this.#headers = new Headers(headers)
    this.#redirect = redirectOf(redirect)
    if (signal !== undefined && signal !== null && !(signal instanceof AbortSignal)) throw new TypeError("Request constructor: Expected signal to be an instance of AbortSignal.")
    this.#signal = (signal as AbortSignal | null | undefined) ?? new AbortController().signal
    if (extracted !== null && extracted.type !== null && !this.#headers.has('content-type')) this.#headers.set('content-type', extracted.type)
  }

  get url(): string {
    return this.#url.href
  }
  get method(): string {
    return this.#method
  }
  get headers(): Headers {
    return this.#headers
  }
  get redirect(): Redirect {
    return this.#redirect
  }
  get signal(): AbortSignal {
    return this.#signal
  }
  get duplex(): 'half' {
    return 'half'
  }

  clone(): Request {
    const body = cloneStream(this)
    return new Request(this.url, { method: this.method, headers: this.headers, redirect: this.redirect, signal: this.signal, body })
  }
}

webInterface(Request, 'Request', ['url', 'method', 'headers', 'redirect', 'signal', 'duplex', 'clone'])

/** Fetch Standard, "normalize a method". */
function methodOf(given: unknown): string {
  const method = `${given as string}`
  if (!TOKEN.test(method)) throw new TypeError(`'${method.slice(0, 100)}' is not a valid HTTP method.`)
  if (/^(?:connect|trace|track)$/i.test(method)) throw new TypeError(`'${method}' HTTP method is unsupported.`)
  const upper = method.toUpperCase()
  return NORMAL.has(upper) ? upper : method
}

function urlOf(input: unknown): URL {
  const text = `${input as string}`
  let url: URL
  try {
    url = new URL(text)
  } catch (cause) {
    throw new TypeError(`Failed to parse URL from ${text.slice(0, 1000)}`, { cause })
  }
  if (url.username !== '' || url.password !== '') throw new TypeError('Request cannot be constructed from a URL that includes credentials')
  return url
}

function redirectOf(value: unknown): Redirect {
  const redirect = `${value as string}`
  if (redirect !== 'follow' && redirect !== 'error' && redirect !== 'manual') throw new TypeError(`Request constructor: ${redirect.slice(0, 100)} is not an accepted type. Expected one of follow, manual, error.`)
  return redirect
}
