/** `cloud.fetch`: in laf it is axios, so this takes and gives what functions use of axios, over `fetch`. Without interceptors, progress and agents. */
import { AbortController, AbortSignal } from '../globals/abort.ts'
import { Blob } from '../globals/blob.ts'
import { btoa } from '../globals/base64.ts'
import { bufferModule } from '../globals/buffer.ts'
import { TextEncoder } from '../globals/text-encoding.ts'
import { URL } from '../globals/url/url.ts'
import { URLSearchParams } from '../globals/url/search-params.ts'
import { fetch } from './fetch.ts'
import { FormData } from './form-data.ts'
import { Headers } from './headers.ts'
import type { Response } from './response.ts'
import { ReadableStream } from './stream.ts'

interface Config {
  url?: unknown
  baseURL?: string
  method?: string
  headers?: Record<string, unknown>
  params?: unknown
  data?: unknown
  /** Milliseconds; 0 is none but the platform's. */
  timeout?: number
  responseType?: 'json' | 'text' | 'arraybuffer' | 'blob' | 'stream'
  validateStatus?: ((status: number) => boolean) | null
  maxRedirects?: number
  auth?: { username?: string; password?: string }
  signal?: AbortSignal
}

interface Answer {
  status: number
  statusText: string
  headers: Record<string, string | string[]>
  data: unknown
  config: Config
  request: undefined
}

const DEFAULTS: Config = { method: 'get', timeout: 0, validateStatus: (status) => status >= 200 && status < 300 }
const ACCEPT = 'application/json, text/plain, */*'

/** axios.request(config) */
async function request(defaults: Config, given: Config): Promise<Answer> {
  const config: Config = { ...defaults, ...given, headers: { ...defaults.headers, ...given.headers } }
  const method = String(config.method ?? 'get').toUpperCase()
  config.method = method.toLowerCase()
  const headers = headersOf(config)
  const body = bodyOf(config.data, headers)
  const limit = new AbortController()
  const timer = config.timeout! > 0 ? setTimeout(() => limit.abort(), config.timeout) : undefined
  let response: Response
  let data: unknown
  try {
    const signal = config.signal === undefined ? limit.signal : AbortSignal.any([config.signal, limit.signal])
    response = await fetch(urlOf(config), { method, headers, body, redirect: config.maxRedirects === 0 ? 'manual' : 'follow', signal })
    data = await dataOf(response, config.responseType)
  } catch (error) {
    throw failure(config, error, limit.signal.aborted)
  } finally {
    clearTimeout(timer)
  }
  const { status, statusText } = response
  const answer: Answer = { status, statusText, headers: plain(response.headers), data, config, request: undefined }
  if (config.validateStatus && !config.validateStatus(status)) {
    throw axiosError(`Request failed with status code ${status}`, status >= 500 ? 'ERR_BAD_RESPONSE' : 'ERR_BAD_REQUEST', config, answer)
  }
  return answer
}

function urlOf({ url = '', baseURL, params }: Config): string {
  const text = `${url as string}`
  const isAbsolute = baseURL === undefined || /^(?:[a-z][a-z\d+\-.]*:)?\/\//i.test(text)
  const whole = new URL(isAbsolute ? text : text === '' ? baseURL : `${baseURL.replace(/\/+$/, '')}/${text.replace(/^\/+/, '')}`)
  for (const [name, value] of pairs(params)) whole.searchParams.append(name, value)
  return whole.href
}

/** As axios writes them: `a[]=1&a[]=2` for lists, `a[b]=1` for objects, nothing for null and undefined. */
function* pairs(params: unknown, prefix = ''): Generator<[string, string], void> {
  if (params instanceof URLSearchParams) yield* params as Iterable<[string, string]>
  else if (params instanceof Date) yield [prefix, params.toISOString()]
  else if (typeof params === 'object' && params !== null) {
    for (const [name, value] of Object.entries(params)) {
      if (value === null || value === undefined) continue
      const inner = Array.isArray(params) ? (typeof value === 'object' ? `${prefix}[${name}]` : `${prefix}[]`) : prefix === '' ? name : `${prefix}[${name}]`
      yield* pairs(value, inner)
    }
  } else if (prefix !== '') yield [prefix, `${params as string}`]
}

function headersOf({ headers = {}, auth }: Config): Headers {
  const result = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    if (value === null || value === undefined || value === false) continue
    for (const one of Array.isArray(value) ? value : [value]) result.append(name, one)
  }
  if (!result.has('accept')) result.set('accept', ACCEPT)
  if (auth !== undefined) result.set('authorization', `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${auth.username ?? ''}:${auth.password ?? ''}`)))}`)
  return result
}

function bodyOf(data: unknown, headers: Headers): unknown {
  if (data === undefined || data === null) return undefined
  const isRaw = data instanceof FormData || data instanceof Blob || data instanceof URLSearchParams || data instanceof ReadableStream || data instanceof ArrayBuffer || ArrayBuffer.isView(data)
  if (isRaw) return data
  const type = headers.get('content-type') ?? ''
  if (typeof data === 'object' && type.includes('application/x-www-form-urlencoded')) return new URLSearchParams([...pairs(data)])
  const isJson = typeof data === 'object' || type.includes('application/json')
  if (type === '') headers.set('content-type', isJson ? 'application/json' : 'application/x-www-form-urlencoded')
  return typeof data === 'object' || (isJson && typeof data !== 'string') ? JSON.stringify(data) : `${data as string}`
}

/** JSON is read where it is JSON and nothing else is asked for, as in axios. */
async function dataOf(response: Response, type: Config['responseType']): Promise<unknown> {
  if (type === 'stream') return response.body
  if (type === 'blob') return await response.blob()
  if (type === 'arraybuffer') return bufferModule.Buffer.from(await response.arrayBuffer())
  const text = await response.text()
  if (type === 'text' || text === '') return text
  try {
    return JSON.parse(text)
  } catch (error) {
    if (type === 'json') throw error
    return text
  }
}

function plain(headers: Headers): Answer['headers'] {
  const result: Answer['headers'] = Object.fromEntries(headers)
  const cookies = headers.getSetCookie()
  if (cookies.length > 0) result['set-cookie'] = cookies
  return result
}

function failure(config: Config, error: unknown, isLate: boolean): Error {
  if (isLate) return axiosError(`timeout of ${config.timeout}ms exceeded`, 'ECONNABORTED', config, undefined, error)
  if (config.signal?.aborted) return axiosError('canceled', 'ERR_CANCELED', config, undefined, error)
  const { cause } = error as { cause?: { message?: string; code?: string } }
  return axiosError(cause?.message ?? String((error as Error).message), cause?.code ?? 'ERR_BAD_REQUEST', config, undefined, cause ?? error)
}

function axiosError(message: string, code: string, config: Config, response?: Answer, cause?: unknown): Error {
  const error = new Error(message, cause === undefined ? undefined : { cause })
  Object.defineProperty(error, 'name', { value: code === 'ERR_CANCELED' ? 'CanceledError' : 'AxiosError', configurable: true, writable: true })
  const toJSON = (): object => ({ name: error.name, message, code, status: response?.status ?? null })
  // Hidden, so that a log of the error is not one of the request with its secrets.
  for (const [name, value] of Object.entries({ config, response, isAxiosError: true, toJSON })) Object.defineProperty(error, name, { value, configurable: true, writable: true, enumerable: false })
  return Object.assign(error, { code, status: response?.status })
}

type Call = (url: unknown, config?: Config) => Promise<Answer>
type CallWithData = (url: unknown, data?: unknown, config?: Config) => Promise<Answer>

function create(defaults: Config): Call {
  const all = { ...DEFAULTS, ...defaults }
  const call: Call = async (url, config = {}) => await request(all, typeof url === 'object' && url !== null && !(url instanceof URL) ? (url as Config) : { ...config, url })
  const bare = (method: string): Call => async (url, config) => await request(all, { ...config, url, method })
  const withData = (method: string): CallWithData => async (url, data, config) => await request(all, { ...config, url, method, data })
  return Object.assign(call, {
    request: call,
    get: bare('get'),
    delete: bare('delete'),
    head: bare('head'),
    options: bare('options'),
    post: withData('post'),
    put: withData('put'),
    patch: withData('patch'),
    create: (own: Config = {}) => create({ ...all, ...own, headers: { ...all.headers, ...own.headers } }),
    isAxiosError: (error: unknown) => typeof error === 'object' && error !== null && (error as { isAxiosError?: unknown }).isAxiosError === true,
    defaults: all
  })
}

export const cloudFetch = create({})
