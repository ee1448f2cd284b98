import { parse } from 'picoquery'
import type { RequestHead } from '@socklet/protocol'
import { arrayIsArray, jsonParse, stringIndexOf, stringStartsWith, stringToLowerCase, substring } from './primordials.ts'

/** What the client sent cannot be read as what it says it is: the answer is 400. */
export class BadRequest extends Error {
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

/** `a[b]=1` and `a[]=1` nest, `a=1&a=2` is a list: as `qs` reads them, which costs each isolate 400 KB more. */
const FORM_SYNTAX = { nesting: true, nestingSyntax: 'index', arrayRepeat: true, arrayRepeatSyntax: 'bracket' } as const

/** picoquery takes names as they stand, and browsers write their brackets encoded. */
function parseForm(text: string): unknown {
  return withPrototype(parse(text.replaceAll(/%5B/gi, '[').replaceAll(/%5D/gi, ']'), FORM_SYNTAX))
}

/** picoquery's objects inherit nothing, and functions call `hasOwnProperty` on them. */
function withPrototype(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || arrayIsArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withPrototype(inner)]))
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
  return stringToLowerCase(semicolon < 0 ? value : substring(value, 0, semicolon)).trim()
}

/** JSON, urlencoded and octet-stream as laf reads them; of other types, as of no body, `{}`. */
function readBody(type: string, bytes: Uint8Array): unknown {
  if (bytes.length === 0) return {}
  if (type === 'application/json' || (stringStartsWith(type, 'application/') && type.endsWith('+json'))) return readJson(`${bytes}`)
  if (type === 'application/x-www-form-urlencoded') return parseForm(`${bytes}`)
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
