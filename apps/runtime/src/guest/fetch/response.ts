import type { FetchResultHead } from '@socklet/protocol'
import { inspectable, webInterface } from '../globals/define.ts'
import { URL, hrefOf } from '../globals/url/url.ts'
import { replaceMatches } from '../patterns.ts'
import { NativeRangeError, NativeTypeError, jsonStringify, stringIndexOf, substring, toNumber } from '../primordials.ts'
import { Body, cloneStream, extract, headersOf } from './body.ts'
import { Headers, appendHeader, getHeader, setHeader, type HeadersInit } from './headers.ts'
import type { ReadableStream } from './stream.ts'

interface ResponseInit {
  status?: number
  statusText?: string
  headers?: HeadersInit
}

/** What only an answer from outside has, or `Response.error()`. */
interface Origin {
  type: 'basic' | 'default' | 'error'
  url: string
  redirected: boolean
}

const MADE_HERE: Origin = { type: 'default', url: '', redirected: false }
const isWithoutBody = (status: number): boolean => status === 101 || status === 103 || status === 204 || status === 205 || status === 304

export let fetchedResponse: (head: FetchResultHead, stream: ReadableStream) => Response
/** Its status and what stands beside it. */
export let statusOf: (response: Response) => { status: number; statusText: string }

export class Response extends Body {
  readonly #status: number
  readonly #statusText: string
  #origin = MADE_HERE

  static {
    fetchedResponse = ({ status, statusText, headers, url, redirected }, stream) => {
      const response = new Response(isWithoutBody(status) ? null : stream, { status: status < 200 ? 200 : status, statusText })
      addReadable(headersOf(response), headers)
      response.#origin = { type: 'basic', url: withoutFragment(url), redirected }
      return response
    }
    statusOf = (response) => ({ status: response.#code(), statusText: response.#statusText })
  }

  constructor(body: unknown = null, init: ResponseInit | null = {}) {
    const { status = 200, statusText = '', headers } = init ?? {}
    const extracted = extract(body)
    const code = toNumber(status)
    if (!(code >= 200 && code <= 599)) throw new NativeRangeError('init["status"] must be in the range of 200 to 599, inclusive.')
    if (extracted !== null && isWithoutBody(code)) throw new NativeTypeError(`Response constructor: Invalid response status code ${code}`)
    const own = new Headers(headers)
    super(extracted?.stream ?? null, own)
    this.#status = code - (code % 1)
    this.#statusText = `${statusText}`
    if (extracted !== null && extracted.type !== null && getHeader(own, 'content-type') === null) setHeader(own, 'content-type', extracted.type)
  }

  static json(value: unknown, init: ResponseInit = {}): Response {
    const headers = new Headers(init.headers)
    if (getHeader(headers, 'content-type') === null) setHeader(headers, 'content-type', 'application/json')
    const response = new Response(jsonStringify(value), { ...init, headers })
    return response
  }

  static redirect(url: unknown, status = 302): Response {
    if (status !== 301 && status !== 302 && status !== 303 && status !== 307 && status !== 308) throw new NativeRangeError(`Invalid status code ${status}`)
    return new Response(null, { status, headers: { __proto__: null, location: hrefOf(new URL(url)) } as never })
  }

  static error(): Response {
    const response = new Response()
    response.#origin = { ...MADE_HERE, type: 'error' }
    return response
  }

  get status(): number {
    return this.#code()
  }
  get statusText(): string {
    return this.#statusText
  }
  get ok(): boolean {
    return this.#code() >= 200 && this.#code() <= 299
  }
  get headers(): Headers {
    return headersOf(this)
  }
  get url(): string {
    return this.#origin.url
  }
  get redirected(): boolean {
    return this.#origin.redirected
  }
  get type(): Origin['type'] {
    return this.#origin.type
  }

  clone(): Response {
    const copy = new Response(cloneStream(this), { status: this.#status, statusText: this.#statusText, headers: headersOf(this) })
    copy.#origin = this.#origin
    return copy
  }

  #code(): number {
    return this.#origin.type === 'error' ? 0 : this.#status
  }
}

webInterface(Response, 'Response', ['status', 'statusText', 'ok', 'headers', 'url', 'redirected', 'type', 'clone'])
inspectable(Response, (response, depth, options, inspect) => {
  const { status, statusText, headers, bodyUsed, ok, redirected, type, url } = response
  return depth < 0 ? 'Response' : `Response ${inspect({ status, statusText, headers, bodyUsed, ok, redirected, type, url }, { ...options, depth })}`
})

// oxlint-disable-next-line no-control-regex
const UNREADABLE = /[^\t\x20-\xff]/g

/** Servers send what no header may hold (UTF-8 read as such): those characters count as unknown. */
function addReadable(headers: Headers, pairs: FetchResultHead['headers']): void {
  for (let i = 0; i < pairs.length; i++) {
    const pair = pairs[i]!
    appendHeader(headers, pair[0], replaceMatches(pair[1], UNREADABLE, () => '?'))
  }
}

function withoutFragment(url: string): string {
  const hash = stringIndexOf(url, '#')
  return hash < 0 ? url : substring(url, 0, hash)
}
