import { AbortController, isAbortSignal, signalOf, type AbortSignal } from '../globals/abort.ts'
import { webInterface } from '../globals/define.ts'
import { URL, hasCredentials, hrefOf } from '../globals/url/url.ts'
import { matches } from '../patterns.ts'
import { NativeTypeError, stringToUpperCase, substring } from '../primordials.ts'
import { Body, cloneStream, extract, headersOf, takeStream } from './body.ts'
import { Headers, getHeader, setHeader, type HeadersInit } from './headers.ts'

export interface RequestInit {
  method?: unknown
  headers?: HeadersInit
  body?: unknown
  redirect?: unknown
  signal?: unknown
}

type Redirect = 'follow' | 'error' | 'manual'

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-zA-Z-]+$/
const FORBIDDEN = /^(?:connect|trace|track)$/i
const NORMAL = /^(?:delete|get|head|options|post|put)$/i

/** What a request is made of, once it is made. */
export interface RequestParts {
  url: string
  method: string
  redirect: Redirect
  signal: AbortSignal
}

export let partsOf: (request: Request) => RequestParts
let isRequest: (value: unknown) => value is Request

export class Request extends Body {
  readonly #url: URL
  readonly #method: string
  readonly #redirect: Redirect
  readonly #signal: AbortSignal

  static {
    isRequest = (value): value is Request => typeof value === 'object' && value !== null && #url in value
    partsOf = (request) => ({ url: hrefOf(request.#url), method: request.#method, redirect: request.#redirect, signal: request.#signal })
  }

  constructor(input: unknown, init: RequestInit | null = {}) {
    const from = isRequest(input) ? input : null
    const { method = from === null ? 'GET' : from.#method, headers = from === null ? undefined : headersOf(from), redirect = from === null ? 'follow' : from.#redirect, signal = from === null ? undefined : from.#signal, body } = init ?? {}
    const verb = methodOf(method)
    const extracted = extract(body)
    const stream = extracted?.stream ?? (from !== null && (body === undefined || body === null) ? takeStream(from) : null)
    if (stream !== null && (verb === 'GET' || verb === 'HEAD')) throw new NativeTypeError('Request with GET/HEAD method cannot have body.')
    const own = new Headers(headers)
    super(stream, own)
    this.#url = from === null ? urlOf(input) : from.#url
    this.#method = verb
    this.#redirect = redirectOf(redirect)
    if (signal !== undefined && signal !== null && !isAbortSignal(signal)) throw new NativeTypeError("Request constructor: Expected signal to be an instance of AbortSignal.")
    this.#signal = signal ?? signalOf(new AbortController())
    if (extracted !== null && extracted.type !== null && getHeader(own, 'content-type') === null) setHeader(own, 'content-type', extracted.type)
  }

  get url(): string {
    return hrefOf(this.#url)
  }
  get method(): string {
    return this.#method
  }
  get headers(): Headers {
    return headersOf(this)
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
    return new Request(hrefOf(this.#url), { method: this.#method, headers: headersOf(this), redirect: this.#redirect, signal: this.#signal, body })
  }
}

webInterface(Request, 'Request', ['url', 'method', 'headers', 'redirect', 'signal', 'duplex', 'clone'])

/** Fetch Standard, "normalize a method". */
function methodOf(given: unknown): string {
  const method = `${given as string}`
  if (!matches(TOKEN, method)) throw new NativeTypeError(`'${substring(method, 0, 100)}' is not a valid HTTP method.`)
  if (matches(FORBIDDEN, method)) throw new NativeTypeError(`'${method}' HTTP method is unsupported.`)
  return matches(NORMAL, method) ? stringToUpperCase(method) : method
}

function urlOf(input: unknown): URL {
  const text = `${input as string}`
  let url: URL
  try {
    url = new URL(text)
  } catch (cause) {
    throw new NativeTypeError(`Failed to parse URL from ${substring(text, 0, 1000)}`, { cause })
  }
  if (hasCredentials(url)) throw new NativeTypeError('Request cannot be constructed from a URL that includes credentials')
  return url
}

function redirectOf(value: unknown): Redirect {
  const redirect = `${value as string}`
  if (redirect !== 'follow' && redirect !== 'error' && redirect !== 'manual') throw new NativeTypeError(`Request constructor: ${substring(redirect, 0, 100)} is not an accepted type. Expected one of follow, manual, error.`)
  return redirect
}
