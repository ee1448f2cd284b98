/** `Headers` (Fetch Standard, section 5.1) without guards: which of them leave is for the pool to say, where no tenant can change it. */
import { webInterface } from '../globals/define.ts'

export type HeadersInit = Headers | Iterable<readonly [unknown, unknown]> | Record<string, unknown> | null | undefined

const NAME = /^[!#$%&'*+.^_`|~0-9a-zA-Z-]+$/
// oxlint-disable-next-line no-control-regex
const BAD_VALUE = /[\0\r\n]|[^\0-\xff]/

const nameOf = (name: unknown): string => {
  const text = `${name as string}`
  if (!NAME.test(text)) throw new TypeError(`Invalid header name: ${JSON.stringify(text.slice(0, 100))}`)
  return text.toLowerCase()
}

const valueOf = (name: string, value: unknown): string => {
  const text = `${value as string}`.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '')
  if (BAD_VALUE.test(text)) throw new TypeError(`Invalid value of the header ${name}: it holds a line break or a character that is no byte`)
  return text
}

export class Headers {
  /** By name in lower case: the values in the order in which they were added. */
  readonly #lists = new Map<string, string[]>()

  constructor(init?: HeadersInit) {
    if (init === undefined || init === null) return
    if (typeof init !== 'object' && typeof init !== 'function') throw new TypeError("Headers constructor: the argument is no sequence and no record")
    if (Symbol.iterator in init) {
      for (const pair of init as Iterable<Iterable<unknown>>) {
        const [name, value, ...more] = pair
        if (value === undefined || more.length > 0) throw new TypeError('Headers constructor: each pair must be a name and a value')
        this.append(name, value)
      }
    } else {
      for (const [name, value] of Object.entries(init)) this.append(name, value)
    }
  }

  append(name: unknown, value: unknown): void {
    const key = nameOf(name)
    const text = valueOf(key, value)
    const list = this.#lists.get(key)
    if (list === undefined) this.#lists.set(key, [text])
    else list.push(text)
  }

  set(name: unknown, value: unknown): void {
    const key = nameOf(name)
    this.#lists.set(key, [valueOf(key, value)])
  }

  delete(name: unknown): void {
    this.#lists.delete(nameOf(name))
  }

  get(name: unknown): string | null {
    return this.#lists.get(nameOf(name))?.join(', ') ?? null
  }

  has(name: unknown): boolean {
    return this.#lists.has(nameOf(name))
  }

  getSetCookie(): string[] {
    return [...(this.#lists.get('set-cookie') ?? [])]
  }

  forEach(each: (value: string, name: string, headers: Headers) => void, receiver?: unknown): void {
    for (const [name, value] of this) Reflect.apply(each, receiver, [value, name, this])
  }

  *entries(): IterableIterator<[string, string]> {
    for (const [name, list] of [...this.#lists].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if (name === 'set-cookie') for (const value of list) yield [name, value]
      else yield [name, list.join(', ')]
    }
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this.entries()) yield name
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this.entries()) yield value
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries()
  }
}

webInterface(Headers, 'Headers', ['append', 'delete', 'get', 'has', 'set', 'getSetCookie', 'forEach', 'entries', 'keys', 'values'])
Object.defineProperty(Headers.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  configurable: true,
  writable: true,
  value(this: Headers, _depth: number, options: object, inspect: (value: unknown, options: object) => string) {
    return `Headers ${inspect(Object.fromEntries(this), options)}`
  }
})
