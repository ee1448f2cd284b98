/** URLSearchParams and the format of forms (URL Standard, section 5 and 6.2). */
import { webInterface } from '../define.ts'
import { decodeUtf8 } from '../utf8.ts'
import { encode, percentDecode } from './percent.ts'

type Pair = [name: string, value: string]

const FORM = /[^*\-.0-9A-Z_a-z]/gu
const formEncode = (text: string): string => encode(text, FORM).replaceAll('%20', '+')

export function parseForm(text: string): Pair[] {
  const pairs: Pair[] = []
  for (const part of text.split('&')) {
    if (part === '') continue
    const at = part.indexOf('=')
    pairs.push(at < 0 ? [formDecode(part), ''] : [formDecode(part.slice(0, at)), formDecode(part.slice(at + 1))])
  }
  return pairs
}

function formDecode(text: string): string {
  const spaced = text.replaceAll('+', ' ')
  return spaced.includes('%') ? decodeUtf8(percentDecode(spaced)) : spaced
}

/** Throws for symbols, which `String` does not. */
const usv = (value: unknown): string => `${value as string}`.toWellFormed()

/** How a URL holds its parameters, and hears of their changes. */
export let connect: (params: URLSearchParams, changed: (text: string) => void) => (text: string) => void

function need(given: number, wanted: number, names: string): void {
  if (given >= wanted) return
  throw Object.assign(new TypeError(`The ${names} argument${wanted > 1 ? 's' : ''} must be specified`), { code: 'ERR_MISSING_ARGS' })
}

export class URLSearchParams {
  #list: Pair[] = []
  #changed: ((text: string) => void) | undefined

  static {
    connect = (params, changed) => {
      params.#changed = changed
      return text => {
        params.#list = parseForm(text)
      }
    }
  }

  constructor(init: unknown = undefined) {
    if (init === undefined) return
    if ((typeof init === 'object' && init !== null) || typeof init === 'function') this.#list = pairsOf(init)
    else this.#list = parseForm(usv(init).replace(/^\?/, ''))
  }

  get size(): number {
    return this.#list.length
  }

  append(name: unknown, value: unknown): void {
    need(arguments.length, 2, '"name" and "value"')
    this.#list.push([usv(name), usv(value)])
    this.#update()
  }

  delete(name: unknown, value: unknown = undefined): void {
    need(arguments.length, 1, '"name"')
    const [wanted, only] = [usv(name), value === undefined ? undefined : usv(value)]
    this.#list = this.#list.filter(([key, item]) => key !== wanted || (only !== undefined && item !== only))
    this.#update()
  }

  get(name: unknown): string | null {
    need(arguments.length, 1, '"name"')
    const wanted = usv(name)
    return this.#list.find(([key]) => key === wanted)?.[1] ?? null
  }

  getAll(name: unknown): string[] {
    need(arguments.length, 1, '"name"')
    const wanted = usv(name)
    return this.#list.filter(([key]) => key === wanted).map(([, value]) => value)
  }

  has(name: unknown, value: unknown = undefined): boolean {
    need(arguments.length, 1, '"name"')
    const [wanted, only] = [usv(name), value === undefined ? undefined : usv(value)]
    return this.#list.some(([key, item]) => key === wanted && (only === undefined || item === only))
  }

  set(name: unknown, value: unknown): void {
    need(arguments.length, 2, '"name" and "value"')
    const [wanted, text] = [usv(name), usv(value)]
    const at = this.#list.findIndex(([key]) => key === wanted)
    if (at < 0) this.#list.push([wanted, text])
    else this.#list = this.#list.filter(([key], index) => key !== wanted || index === at).map(pair => pair[0] === wanted ? [wanted, text] : pair)
    this.#update()
  }

  sort(): void {
    this.#list.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)
    this.#update()
  }

  forEach(callback: (value: string, name: string, params: URLSearchParams) => void, thisArg: unknown = undefined): void {
    if (typeof callback !== 'function') throw Object.assign(new TypeError('The "callback" argument must be of type function.'), { code: 'ERR_INVALID_ARG_TYPE' })
    for (let i = 0; i < this.#list.length; i++) Reflect.apply(callback, thisArg, [this.#list[i]![1], this.#list[i]![0], this])
  }

  toString(): string {
    return this.#list.map(([name, value]) => `${formEncode(name)}=${formEncode(value)}`).join('&')
  }

  keys(): IterableIterator<string> {
    return iterate(() => this.#list, ([name]) => name)
  }

  values(): IterableIterator<string> {
    return iterate(() => this.#list, ([, value]) => value)
  }

  entries(): IterableIterator<Pair> {
    return iterate(() => this.#list, ([name, value]) => [name, value])
  }

  declare [Symbol.iterator]: () => IterableIterator<Pair>

  #update(): void {
    this.#changed?.(this.toString())
  }
}

const iteratorPrototype = Object.create(Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object, {
  [Symbol.toStringTag]: { value: 'URLSearchParams Iterator', configurable: true }
}) as object

/** Live: it sees what is added while it runs. */
function iterate<T>(list: () => Pair[], pick: (pair: Pair) => T): IterableIterator<T> {
  let at = 0
  const next = (): IteratorResult<T> => {
    const pair = list()[at++]
    return pair === undefined ? { done: true, value: undefined } : { done: false, value: pick(pair) }
  }
  return Object.create(iteratorPrototype, { next: { value: next, writable: true, configurable: true, enumerable: false } }) as IterableIterator<T>
}

function pairsOf(init: object): Pair[] {
  const iterator: unknown = Reflect.get(init, Symbol.iterator)
  if (iterator === undefined || iterator === null) return recordPairs(init as Record<string, unknown>)
  if (typeof iterator !== 'function') throw Object.assign(new TypeError('Query pairs must be iterable'), { code: 'ERR_ARG_NOT_ITERABLE' })
  return Array.from(init as Iterable<unknown>, pair => {
    const items = typeof pair === 'object' && pair !== null && Symbol.iterator in pair ? [...pair as Iterable<unknown>] : []
    if (items.length !== 2) throw Object.assign(new TypeError('Each query pair must be an iterable [name, value] tuple'), { code: 'ERR_INVALID_TUPLE' })
    return [usv(items[0]), usv(items[1])]
  })
}

function recordPairs(init: Record<string, unknown>): Pair[] {
  const pairs = new Map<string, string>()
  for (const key of Reflect.ownKeys(init)) {
    if (Object.getOwnPropertyDescriptor(init, key)?.enumerable !== true) continue
    if (typeof key === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string')
    pairs.set(usv(key), usv(init[key]))
  }
  return [...pairs]
}

webInterface(URLSearchParams, 'URLSearchParams', ['size', 'append', 'delete', 'get', 'getAll', 'has', 'set', 'sort', 'forEach', 'toString', 'keys', 'values', 'entries'])
const { entries } = URLSearchParams.prototype
Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, { value: entries, writable: true, configurable: true })
type Inspect = (value: unknown, options: object) => string
Object.defineProperty(URLSearchParams.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  writable: true,
  configurable: true,
  value(this: URLSearchParams, depth: number, options: object, inspect: Inspect) {
    if (depth < 0) return '[Object]'
    const shown = [...this].map(([name, value]) => `${inspect(name, options)} => ${inspect(value, options)}`)
    return shown.length === 0 ? 'URLSearchParams {}' : `URLSearchParams { ${shown.join(', ')} }`
  }
})
