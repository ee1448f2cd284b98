import type { RequestHead } from '@socklet/protocol'
import { parseForm } from './form.ts'
import { bufferText } from './message.ts'
import { NativeError, jsonParse, stringEndsWith, stringIndexOf, stringStartsWith, stringToLowerCase, stringTrim, substring, typedArrayByteLength } from './primordials.ts'

/** What the client sent cannot be read as what it says it is: the answer is 400. */
export class BadRequest extends NativeError {
  override readonly name = 'BadRequest'
}

/** `ctx.request`: what functions read of express' request. */
export interface Request {
  method: string
  url: string
  path: string
  headers: RequestHead['headers']
  query: unknown
  body: unknown
  ip: string
  get(name: string): string | string[] | undefined
}

/** @throws BadRequest if the body is not what its content type says. */
export function readRequest(head: RequestHead, bytes: Uint8Array): Request {
  const question = stringIndexOf(head.url, '?')
  const path = question < 0 ? head.url : substring(head.url, 0, question)
  return {
    method: head.method,
    url: head.url,
    path,
    headers: head.headers,
    query: queryOf(head.url),
    body: readBody(contentType(head.headers), bytes),
    ip: head.address,
    get: (name) => head.headers[stringToLowerCase(`${name}`)]
  }
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
  try {
    return jsonParse(text)
  } catch (error) {
    throw new BadRequest(`the body is not JSON: ${(error as Error).message}`)
  }
}
