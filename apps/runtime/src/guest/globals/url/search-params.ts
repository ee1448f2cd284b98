/** URLSearchParams and the format of forms (URL Standard, section 5 and 6.2). */
import { filter, join, listOf, map, ordinary, push, replaceAll, split } from '../../lists.ts'
import {
  NativeMap,
  NativeTypeError,
  arrayToSorted,
  bareArray,
  iteratorPrototypes,
  mapForEach,
  mapSet,
  objectCreate,
  objectDefine,
  objectGetOwnPropertyDescriptor,
  objectGetPrototypeOf,
  reflectApply,
  reflectGet,
  reflectOwnKeys,
  stringIncludes,
  stringIndexOf,
  stringStartsWith,
  stringToWellFormed,
  substring,
  symbolIterator,
  symbolToStringTag
} from '../../primordials.ts'
import { coded, define, inspectable, webInterface } from '../define.ts'
import { decodeUtf8 } from '../utf8.ts'
import { encode, percentDecode } from './percent.ts'

type Pair = [name: string, value: string]

const FORM = /[^*\-.0-9A-Z_a-z]/gu
const formEncode = (text: string): string => replaceAll(encode(text, FORM), '%20', '+')

export function parseForm(text: string): Pair[] {
  const pairs = bareArray<Pair>()
  const parts = split(text, '&')
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (part === '') continue
    const at = stringIndexOf(part, '=')
    push(pairs, at < 0 ? [formDecode(part), ''] : [formDecode(substring(part, 0, at)), formDecode(substring(part, at + 1, part.length))])
  }
  return pairs
}

function formDecode(text: string): string {
  const spaced = replaceAll(text, '+', ' ')
  return stringIncludes(spaced, '%') ? decodeUtf8(percentDecode(spaced)) : spaced
}

/** Throws for symbols, which `String` does not. */
const usv = (value: unknown): string => stringToWellFormed(`${value as string}`)

/** How a URL holds its parameters, and hears of their changes. */
export let connect: (params: URLSearchParams, changed: (text: string) => void) => (text: string) => void
export let isSearchParams: (value: unknown) => value is URLSearchParams
/** Not to be changed. */
export let pairsOf: (params: URLSearchParams) => readonly Pair[]
export let searchText: (params: URLSearchParams) => string
export let appendParam: (params: URLSearchParams, name: string, value: string) => void

function need(given: number, wanted: number, names: string): void {
  if (given >= wanted) return
  throw coded(new NativeTypeError(`The ${names} argument${wanted > 1 ? 's' : ''} must be specified`), 'ERR_MISSING_ARGS')
}

export class URLSearchParams {
  #list: Pair[] = bareArray()
  #changed: ((text: string) => void) | undefined

  static {
    connect = (params, changed) => {
      params.#changed = changed
      return text => {
        params.#list = parseForm(text)
      }
    }
    isSearchParams = (value): value is URLSearchParams => typeof value === 'object' && value !== null && #list in value
    pairsOf = params => params.#list
    searchText = params => params.#text()
    appendParam = (params, name, value) => params.#append(name, value)
  }

  constructor(init: unknown = undefined) {
    if (init === undefined) return
    if ((typeof init === 'object' && init !== null) || typeof init === 'function') this.#list = pairsIn(init)
    else {
      const text = usv(init)
      this.#list = parseForm(stringStartsWith(text, '?') ? substring(text, 1, text.length) : text)
    }
  }

  get size(): number {
    return this.#list.length
  }

  append(name: unknown, value: unknown): void {
    need(arguments.length, 2, '"name" and "value"')
    this.#append(usv(name), usv(value))
  }

  delete(name: unknown, value: unknown = undefined): void {
    need(arguments.length, 1, '"name"')
    const wanted = usv(name)
    const only = value === undefined ? undefined : usv(value)
    this.#list = filter(this.#list, pair => pair[0] !== wanted || (only !== undefined && pair[1] !== only))
    this.#update()
  }

  get(name: unknown): string | null {
    need(arguments.length, 1, '"name"')
    const wanted = usv(name)
    for (let i = 0; i < this.#list.length; i++) if (this.#list[i]![0] === wanted) return this.#list[i]![1]
    return null
  }

  getAll(name: unknown): string[] {
    need(arguments.length, 1, '"name"')
    const wanted = usv(name)
    return ordinary(map(filter(this.#list, pair => pair[0] === wanted), pair => pair[1]))
  }

  has(name: unknown, value: unknown = undefined): boolean {
    need(arguments.length, 1, '"name"')
    const wanted = usv(name)
    const only = value === undefined ? undefined : usv(value)
    for (let i = 0; i < this.#list.length; i++) {
      const pair = this.#list[i]!
      if (pair[0] === wanted && (only === undefined || pair[1] === only)) return true
    }
    return false
  }

  /** The first one keeps its place, the others go. */
  set(name: unknown, value: unknown): void {
    need(arguments.length, 2, '"name" and "value"')
    const wanted = usv(name)
    const text = usv(value)
    let found = false
    this.#list = filter(this.#list, pair => {
      if (pair[0] !== wanted) return true
      const isFirst = !found
      found = true
      return isFirst
    })
    if (found) this.#list = map(this.#list, (pair): Pair => (pair[0] === wanted ? [wanted, text] : pair))
    else push(this.#list, [wanted, text])
    this.#update()
  }

  sort(): void {
    this.#list = map(arrayToSorted(this.#list, (a, b) => a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0), pair => pair)
    this.#update()
  }

  forEach(callback: (value: string, name: string, params: URLSearchParams) => void, thisArg: unknown = undefined): void {
    if (typeof callback !== 'function') throw coded(new NativeTypeError('The "callback" argument must be of type function.'), 'ERR_INVALID_ARG_TYPE')
    for (let i = 0; i < this.#list.length; i++) reflectApply(callback, thisArg, [this.#list[i]![1], this.#list[i]![0], this])
  }

  toString(): string {
    return this.#text()
  }

  keys(): IterableIterator<string> {
    return iterate(() => this.#list, pair => pair[0])
  }

  values(): IterableIterator<string> {
    return iterate(() => this.#list, pair => pair[1])
  }

  entries(): IterableIterator<Pair> {
    return iterate(() => this.#list, pair => [pair[0], pair[1]])
  }

  declare [Symbol.iterator]: () => IterableIterator<Pair>

  #append(name: string, value: string): void {
    push(this.#list, [name, value])
    this.#update()
  }

  #text(): string {
    return join(map(this.#list, pair => `${formEncode(pair[0])}=${formEncode(pair[1])}`), '&')
  }

  #update(): void {
    this.#changed?.(this.#text())
  }
}

const iteratorPrototype = objectCreate(objectGetPrototypeOf(iteratorPrototypes.array) as object) as object
objectDefine(iteratorPrototype, symbolToStringTag, { __proto__: null, value: 'URLSearchParams Iterator', configurable: true } as PropertyDescriptor)

/** Live: it sees what is added while it runs. */
function iterate<T>(list: () => Pair[], pick: (pair: Pair) => T): IterableIterator<T> {
  let at = 0
  const next = (): IteratorResult<T> => {
    const pair = list()[at++]
    return pair === undefined ? { done: true, value: undefined } : { done: false, value: pick(pair) }
  }
  const iterator = objectCreate(iteratorPrototype) as IterableIterator<T>
  define(iterator, 'next', next)
  return iterator
}

function pairsIn(init: object): Pair[] {
  const iterator: unknown = reflectGet(init, symbolIterator)
  if (iterator === undefined || iterator === null) return recordPairs(init as Record<string, unknown>)
  if (typeof iterator !== 'function') throw coded(new NativeTypeError('Query pairs must be iterable'), 'ERR_ARG_NOT_ITERABLE')
  // Not the iterator of a class that is ours, which a tenant may have replaced on its prototype: the pairs are at hand.
  if (isSearchParams(init)) return map(pairsOf(init), (pair): Pair => [pair[0], pair[1]])
  return map(listOf(init as Iterable<unknown>), (pair): Pair => {
    const items = typeof pair === 'object' && pair !== null && symbolIterator in pair ? listOf(pair as Iterable<unknown>) : []
    if (items.length !== 2) throw coded(new NativeTypeError('Each query pair must be an iterable [name, value] tuple'), 'ERR_INVALID_TUPLE')
    return [usv(items[0]), usv(items[1])]
  })
}

function recordPairs(init: Record<string, unknown>): Pair[] {
  const found = new NativeMap<string, string>()
  const keys = reflectOwnKeys(init)
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    if (objectGetOwnPropertyDescriptor(init, key)?.enumerable !== true) continue
    if (typeof key === 'symbol') throw new NativeTypeError('Cannot convert a Symbol value to a string')
    mapSet(found, usv(key), usv(init[key]))
  }
  const pairs = bareArray<Pair>()
  mapForEach(found, (value, name) => push(pairs, [name, value]))
  return pairs
}

webInterface(URLSearchParams, 'URLSearchParams', ['size', 'append', 'delete', 'get', 'getAll', 'has', 'set', 'sort', 'forEach', 'toString', 'keys', 'values', 'entries'])
define(URLSearchParams.prototype, symbolIterator, URLSearchParams.prototype.entries)
inspectable(URLSearchParams, (params, depth, options, inspect) => {
  if (depth < 0) return '[Object]'
  const shown = map(pairsOf(params), pair => `${inspect(pair[0], options)} => ${inspect(pair[1], options)}`)
  return shown.length === 0 ? 'URLSearchParams {}' : `URLSearchParams { ${join(shown, ', ')} }`
})
