/** `Headers` (Fetch Standard, section 5.1) without guards: which of them leave is for the pool to say, where no tenant can change it. */
import { addOwn, define, inspectable, webInterface } from '../globals/define.ts'
import { join, listOf, map, ordinary, push } from '../lists.ts'
import { matches, trimUnits } from '../patterns.ts'
import {
  NativeMap,
  NativeTypeError,
  arrayToSorted,
  bareArray,
  jsonStringify,
  mapDelete,
  mapForEach,
  mapGet,
  mapHas,
  mapSet,
  objectKeys,
  reflectApply,
  stringToLowerCase,
  substring,
  symbolIterator
} from '../primordials.ts'

export type HeadersInit = Headers | Iterable<readonly [unknown, unknown]> | Record<string, unknown> | null | undefined
export type Pair = [name: string, value: string]

const NAME = /^[!#$%&'*+.^_`|~0-9a-zA-Z-]+$/
// oxlint-disable-next-line no-control-regex
const BAD_VALUE = /[\0\r\n]|[^\0-\xff]/

const nameOf = (name: unknown): string => {
  const text = `${name as string}`
  if (!matches(NAME, text)) throw new NativeTypeError(`Invalid header name: ${jsonStringify(substring(text, 0, 100))}`)
  return stringToLowerCase(text)
}

const valueOf = (name: string, value: unknown): string => {
  const text = trimUnits(`${value as string}`, (unit) => unit === ' ' || unit === '\t' || unit === '\n' || unit === '\r')
  if (matches(BAD_VALUE, text)) throw new NativeTypeError(`Invalid value of the header ${name}: it holds a line break or a character that is no byte`)
  return text
}

/** As the methods of their names, which a tenant may have replaced. Names in lower case. */
export let appendHeader: (headers: Headers, name: unknown, value: unknown) => void
export let setHeader: (headers: Headers, name: unknown, value: unknown) => void
export let getHeader: (headers: Headers, name: string) => string | null
/** By name, those of one name joined, but for cookies. */
export let headerPairs: (headers: Headers) => Pair[]
export let cookiesOf: (headers: Headers) => string[]
let isHeaders: (value: object) => value is Headers

export class Headers {
  /** By name in lower case: the values in the order in which they were added. */
  readonly #lists = new NativeMap<string, string[]>()

  static {
    isHeaders = (value): value is Headers => #lists in value
    appendHeader = (headers, name, value) => headers.#append(name, value)
    setHeader = (headers, name, value) => headers.#set(name, value)
    getHeader = (headers, name) => {
      const list = mapGet(headers.#lists, name)
      return list === undefined ? null : join(list, ', ')
    }
    headerPairs = (headers) => headers.#pairs()
    cookiesOf = (headers) => ordinary(map(mapGet(headers.#lists, 'set-cookie') ?? [], (value) => value))
  }

  constructor(init?: HeadersInit) {
    if (init === undefined || init === null) return
    if (typeof init !== 'object' && typeof init !== 'function') throw new NativeTypeError("Headers constructor: the argument is no sequence and no record")
    if (isHeaders(init)) this.#appendPairs(headerPairs(init))
    else if (symbolIterator in init) this.#appendPairs(map(listOf(init as Iterable<Iterable<unknown>>), listOf))
    else {
      const names = objectKeys(init)
      for (let i = 0; i < names.length; i++) this.#append(names[i], (init as Record<string, unknown>)[names[i]!])
    }
  }

  append(name: unknown, value: unknown): void {
    this.#append(name, value)
  }

  set(name: unknown, value: unknown): void {
    this.#set(name, value)
  }

  delete(name: unknown): void {
    mapDelete(this.#lists, nameOf(name))
  }

  get(name: unknown): string | null {
    return getHeader(this, nameOf(name))
  }

  has(name: unknown): boolean {
    return mapHas(this.#lists, nameOf(name))
  }

  getSetCookie(): string[] {
    return cookiesOf(this)
  }

  forEach(each: (value: string, name: string, headers: Headers) => void, receiver?: unknown): void {
    const pairs = this.#pairs()
    for (let i = 0; i < pairs.length; i++) reflectApply(each, receiver, [pairs[i]![1], pairs[i]![0], this])
  }

  *entries(): IterableIterator<Pair> {
    const pairs = this.#pairs()
    for (let i = 0; i < pairs.length; i++) yield pairs[i]!
  }

  *keys(): IterableIterator<string> {
    const pairs = this.#pairs()
    for (let i = 0; i < pairs.length; i++) yield pairs[i]![0]
  }

  *values(): IterableIterator<string> {
    const pairs = this.#pairs()
    for (let i = 0; i < pairs.length; i++) yield pairs[i]![1]
  }

  declare [Symbol.iterator]: () => IterableIterator<Pair>

  #append(name: unknown, value: unknown): void {
    const key = nameOf(name)
    const text = valueOf(key, value)
    const list = mapGet(this.#lists, key)
    if (list === undefined) mapSet(this.#lists, key, only(text))
    else push(list, text)
  }

  #appendPairs(pairs: readonly (readonly unknown[])[]): void {
    for (let i = 0; i < pairs.length; i++) {
      const pair = pairs[i]!
      if (pair.length !== 2) throw new NativeTypeError('Headers constructor: each pair must be a name and a value')
      this.#append(pair[0], pair[1])
    }
  }

  #set(name: unknown, value: unknown): void {
    const key = nameOf(name)
    mapSet(this.#lists, key, only(valueOf(key, value)))
  }

  #pairs(): Pair[] {
    const lists = bareArray<{ name: string; list: string[] }>()
    mapForEach(this.#lists, (list, name) => push(lists, { name, list }))
    const sorted = arrayToSorted(lists, (a, b) => (a.name < b.name ? -1 : 1))
    const pairs = bareArray<Pair>()
    for (let i = 0; i < sorted.length; i++) {
      const { name, list } = sorted[i]!
      if (name !== 'set-cookie') push(pairs, [name, join(list, ', ')])
      else for (let at = 0; at < list.length; at++) push(pairs, [name, list[at]!])
    }
    return pairs
  }
}

function only(text: string): string[] {
  const list = bareArray<string>()
  push(list, text)
  return list
}

/** By name; of several of one name, the last. */
export function headerRecord(headers: Headers): Record<string, string> {
  const record: Record<string, string> = {}
  const pairs = headerPairs(headers)
  for (let i = 0; i < pairs.length; i++) addOwn(record, pairs[i]![0], pairs[i]![1])
  return record
}

webInterface(Headers, 'Headers', ['append', 'delete', 'get', 'has', 'set', 'getSetCookie', 'forEach', 'entries', 'keys', 'values'])
define(Headers.prototype, symbolIterator, Headers.prototype.entries)
inspectable(Headers, (headers, _depth, options, inspect) => `Headers ${inspect(headerRecord(headers), options)}`)
