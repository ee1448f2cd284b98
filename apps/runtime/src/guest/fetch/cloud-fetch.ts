/** `cloud.fetch`: in laf it is axios, so this takes and gives what functions use of axios, over `fetch`. Without interceptors, progress and agents. */
import { AbortController, abortController, anyOf, isAborted, isAbortSignal, signalOf, type AbortSignal } from '../globals/abort.ts'
import { blobOf, isBlob } from '../globals/blob.ts'
import { bytesIn } from '../globals/bytes.ts'
import { addOwn, define, hide } from '../globals/define.ts'
import { codecOf } from '../globals/encodings.ts'
import { decodeText, encodeText } from '../globals/text-encoding.ts'
import { URL, hrefOf, isUrl, paramsOf } from '../globals/url/url.ts'
import { URLSearchParams, appendParam, isSearchParams, pairsOf } from '../globals/url/search-params.ts'
import { push } from '../lists.ts'
import { matches } from '../patterns.ts'
import {
  NativeError,
  arrayIsArray,
  bareArray,
  dateToISOString,
  isDate,
  jsonParse,
  jsonStringify,
  objectAssign,
  objectKeys,
  ours,
  stringEndsWith,
  stringIncludes,
  stringToLowerCase,
  stringToUpperCase,
  substring,
  toText,
  typedArrayBuffer,
  typedArrayByteLength
} from '../primordials.ts'
import { toBuffer } from '../socket-bytes.ts'
import { timerGlobals } from '../timers.ts'
import { headersOf, readBytes, streamIn } from './body.ts'
import { fetch } from './fetch.ts'
import { isFormData } from './form-data.ts'
import { Headers, appendHeader, cookiesOf, getHeader, headerRecord, setHeader } from './headers.ts'
import { statusOf, type Response } from './response.ts'
import { isStream } from './stream.ts'

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
  const method = stringToUpperCase(toText(config.method ?? 'get'))
  config.method = stringToLowerCase(method)
  const headers = headersIn(config)
  const body = bodyOf(config.data, headers)
  const limit = new AbortController()
  const timer = config.timeout! > 0 ? timerGlobals.setTimeout(() => abortController(limit), config.timeout) : undefined
  let response: Response
  let data: unknown
  try {
    const signal = config.signal === undefined ? signalOf(limit) : anyOf([config.signal, signalOf(limit)])
    response = await ours(fetch(urlOf(config), { method, headers, body, redirect: config.maxRedirects === 0 ? 'manual' : 'follow', signal }))
    data = await ours(dataOf(response, config.responseType))
  } catch (error) {
    throw failure(config, error, isAborted(signalOf(limit)))
  } finally {
    timerGlobals.clearTimeout(timer)
  }
  const { status, statusText } = statusOf(response)
  const answer: Answer = { status, statusText, headers: plain(headersOf(response)), data, config, request: undefined }
  if (config.validateStatus && !config.validateStatus(status)) {
    throw axiosError(`Request failed with status code ${status}`, status >= 500 ? 'ERR_BAD_RESPONSE' : 'ERR_BAD_REQUEST', config, answer)
  }
  return answer
}

const ABSOLUTE = /^(?:[a-z][a-z\d+\-.]*:)?\/\//i

function urlOf({ url = '', baseURL, params }: Config): string {
  const text = `${url as string}`
  const isAbsolute = baseURL === undefined || matches(ABSOLUTE, text)
  const whole = new URL(isAbsolute ? text : text === '' ? baseURL : `${withoutLast(baseURL)}/${withoutFirst(text)}`)
  const pairs = pairsIn(params)
  for (let i = 0; i < pairs.length; i++) appendParam(paramsOf(whole), pairs[i]!.name, pairs[i]!.value)
  return hrefOf(whole)
}

/** Without the slashes at its end, or at its beginning. */
function withoutLast(text: string): string {
  let end = text.length
  while (stringEndsWith(substring(text, 0, end), '/')) end--
  return substring(text, 0, end)
}
function withoutFirst(text: string): string {
  let start = 0
  while (text[start] === '/') start++
  return substring(text, start, text.length)
}

interface Param {
  name: string
  value: string
}

/** As axios writes them: `a[]=1&a[]=2` for lists, `a[b]=1` for objects, nothing for null and undefined. */
function pairsIn(params: unknown, prefix = '', pairs: Param[] = bareArray<Param>()): Param[] {
  if (isSearchParams(params)) {
    const own = pairsOf(params)
    for (let i = 0; i < own.length; i++) push(pairs, { name: own[i]![0], value: own[i]![1] })
  } else if (isDate(params)) push(pairs, { name: prefix, value: dateToISOString(params) })
  else if (typeof params === 'object' && params !== null) {
    const names = objectKeys(params)
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!
      const value = (params as Record<string, unknown>)[name]
      if (value === null || value === undefined) continue
      const inner = arrayIsArray(params) ? (typeof value === 'object' ? `${prefix}[${name}]` : `${prefix}[]`) : prefix === '' ? name : `${prefix}[${name}]`
      pairsIn(value, inner, pairs)
    }
  } else if (prefix !== '') push(pairs, { name: prefix, value: `${params as string}` })
  return pairs
}

const base64 = codecOf('base64')!

function headersIn({ headers = {}, auth }: Config): Headers {
  const result = new Headers()
  const names = objectKeys(headers)
  for (let i = 0; i < names.length; i++) {
    const value = headers[names[i]!]
    if (value === null || value === undefined || value === false) continue
    if (!arrayIsArray(value)) appendHeader(result, names[i], value)
    else for (let at = 0; at < value.length; at++) appendHeader(result, names[i], value[at])
  }
  if (getHeader(result, 'accept') === null) setHeader(result, 'accept', ACCEPT)
  if (auth !== undefined) {
    const bytes = encodeText(`${auth.username ?? ''}:${auth.password ?? ''}`)
    setHeader(result, 'authorization', `Basic ${base64.read(bytes, 0, typedArrayByteLength(bytes))}`)
  }
  return result
}

function bodyOf(data: unknown, headers: Headers): unknown {
  if (data === undefined || data === null) return undefined
  const isRaw = isFormData(data) || isBlob(data) || isSearchParams(data) || isStream(data) || bytesIn(data) !== null
  if (isRaw) return data
  const type = getHeader(headers, 'content-type') ?? ''
  if (typeof data === 'object' && stringIncludes(type, 'application/x-www-form-urlencoded')) return paramsFrom(data)
  const isJson = typeof data === 'object' || stringIncludes(type, 'application/json')
  if (type === '') setHeader(headers, 'content-type', isJson ? 'application/json' : 'application/x-www-form-urlencoded')
  return typeof data === 'object' || (isJson && typeof data !== 'string') ? jsonStringify(data) : `${data as string}`
}

function paramsFrom(data: unknown): URLSearchParams {
  const params = new URLSearchParams()
  const pairs = pairsIn(data)
  for (let i = 0; i < pairs.length; i++) appendParam(params, pairs[i]!.name, pairs[i]!.value)
  return params
}

/** JSON is read where it is JSON and nothing else is asked for, as in axios. */
async function dataOf(response: Response, type: Config['responseType']): Promise<unknown> {
  if (type === 'stream') return streamIn(response)
  const bytes = await ours(readBytes(response))
  if (type === 'blob') return blobOf([bytes], getHeader(headersOf(response), 'content-type') ?? '')
  if (type === 'arraybuffer') return toBuffer(typedArrayBuffer(bytes))
  const text = decodeText(bytes)
  if (type === 'text' || text === '') return text
  try {
    return jsonParse(text)
  } catch (error) {
    if (type === 'json') throw error
    return text
  }
}

function plain(headers: Headers): Answer['headers'] {
  const result: Answer['headers'] = headerRecord(headers)
  const cookies = cookiesOf(headers)
  if (cookies.length > 0) addOwn(result, 'set-cookie', cookies)
  return result
}

function failure(config: Config, error: unknown, isLate: boolean): Error {
  if (isLate) return axiosError(`timeout of ${config.timeout}ms exceeded`, 'ECONNABORTED', config, undefined, error)
  if (config.signal !== undefined && isAbortSignal(config.signal) && isAborted(config.signal)) return axiosError('canceled', 'ERR_CANCELED', config, undefined, error)
  const { cause } = error as { cause?: { message?: string; code?: string } }
  return axiosError(cause?.message ?? toText((error as Error).message), cause?.code ?? 'ERR_BAD_REQUEST', config, undefined, cause ?? error)
}

function axiosError(message: string, code: string, config: Config, response?: Answer, cause?: unknown): Error {
  const error = new NativeError(message, cause === undefined ? undefined : { cause })
  define(error, 'name', code === 'ERR_CANCELED' ? 'CanceledError' : 'AxiosError')
  const toJSON = (): object => ({ name: error.name, message, code, status: response?.status ?? null })
  // Hidden, so that a log of the error is not one of the request with its secrets.
  hide(error, { config, response, isAxiosError: true, toJSON })
  return objectAssign(error, { code, status: response?.status })
}

type Call = (url: unknown, config?: Config) => Promise<Answer>
type CallWithData = (url: unknown, data?: unknown, config?: Config) => Promise<Answer>

function create(defaults: Config): Call {
  const all = { ...DEFAULTS, ...defaults }
  const call: Call = async (url, config = {}) => await ours(request(all, typeof url === 'object' && url !== null && !isUrl(url) ? (url as Config) : { ...config, url }))
  const bare = (method: string): Call => async (url, config) => await ours(request(all, { ...config, url, method }))
  const withData = (method: string): CallWithData => async (url, data, config) => await ours(request(all, { ...config, url, method, data }))
  return objectAssign(call, {
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
