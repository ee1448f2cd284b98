import type { FetchResultHead } from '@socklet/protocol'
import { webInterface } from '../globals/define.ts'
import { URL } from '../globals/url/url.ts'
import { Body, cloneStream, extract } from './body.ts'
import { Headers, type HeadersInit } from './headers.ts'
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
const WITHOUT_BODY = new Set([101, 103, 204, 205, 304])

export let fetchedResponse: (head: FetchResultHead, stream: ReadableStream) => Response

export class Response extends Body {
  readonly #status: number
  readonly #statusText: string
  readonly #headers: Headers
  #origin = MADE_HERE

  static {
    fetchedResponse = ({ status, statusText, headers, url, redirected }, stream) => {
      const response = new Response(WITHOUT_BODY.has(status) ? null : stream, { status: status < 200 ? 200 : status, statusText, headers: readable(headers) })
      response.#origin = { type: 'basic', url: withoutFragment(url), redirected }
      return response
    }
  }

  constructor(body: unknown = null, init: ResponseInit | null = {}) {
    const { status = 200, statusText = '', headers } = init ?? {}
    const extracted = extract(body)
    const code = Number(status)
    if (!(code >= 200 && code <= 599)) throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.')
    if (extracted !== null && WITHOUT_BODY.has(code)) throw new TypeError(`Response constructor: Invalid response status code ${code}`)
    super(extracted?.stream ?? null)
    this.#status = code - (code % 1)
    this.#statusText = `${statusText}`
    this.#headers = new Headers(headers)
    if (extracted !== null && extracted.type !== null && !this.#headers.has('content-type')) this.#headers.set('content-type', extracted.type)
  }

  static json(value: unknown, init: ResponseInit = {}): Response {
    const response = new Response(JSON.stringify(value), init)
    if (!new Headers(init.headers).has('content-type')) response.headers.set('content-type', 'application/json')
    return response
  }

  static redirect(url: unknown, status = 302): Response {
    if (![301, 302, 303, 307, 308].includes(status)) throw new RangeError(`Invalid status code ${status}`)
    return new Response(null, { status, headers: { location: new URL(url).href } })
  }

  static error(): Response {
    const response = new Response()
    response.#origin = { ...MADE_HERE, type: 'error' }
    return response
  }

  get status(): number {
    return this.#origin.type === 'error' ? 0 : this.#status
  }
  get statusText(): string {
    return this.#statusText
  }
  get ok(): boolean {
    return this.status >= 200 && this.status <= 299
  }
  get headers(): Headers {
    return this.#headers
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
    const copy = new Response(cloneStream(this), { status: this.#status, statusText: this.#statusText, headers: this.#headers })
    copy.#origin = this.#origin
    return copy
  }
}

webInterface(Response, 'Response', ['status', 'statusText', 'ok', 'headers', 'url', 'redirected', 'type', 'clone'])


Object.defineProperty(Response.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  configurable: true,
  writable: true,
  value(this: Response, depth: number, options: object, inspect: (value: unknown, options: object) => string) {
    const { status, statusText, headers, bodyUsed, ok, redirected, type, url } = this
    return depth < 0 ? 'Response' : `Response ${inspect({ status, statusText, headers, bodyUsed, ok, redirected, type, url }, { ...options, depth })}`
  }
})

/** Servers send what no header may hold (UTF-8 read as such): those characters count as unknown. */
function readable(headers: FetchResultHead['headers']): FetchResultHead['headers'] {
  // oxlint-disable-next-line no-control-regex
  return headers.map(([name, value]) => [name, value.replace(/[^\t\x20-\xff]/g, '?')])
}

function withoutFragment(url: string): string {
  const hash = url.indexOf('#')
  return hash < 0 ? url : url.slice(0, hash)
}
