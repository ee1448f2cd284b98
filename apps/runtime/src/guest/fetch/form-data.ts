/** `FormData` (XHR Standard) and `File` (File API): to be sent. Nothing here reads multipart. */
import { Blob } from '../globals/blob.ts'
import { webInterface } from '../globals/define.ts'

export class File extends Blob {
  readonly #name: string
  readonly #lastModified: number

  constructor(parts: Iterable<unknown>, name: unknown, options: { type?: string; lastModified?: number } = {}) {
    super(parts, options)
    this.#name = `${name as string}`
    this.#lastModified = options.lastModified ?? Date.now()
  }

  get name(): string {
    return this.#name
  }

  get lastModified(): number {
    return this.#lastModified
  }
}

type Value = string | File

/** Blobs become files, anything else text. */
function valueOf(value: unknown, filename: unknown): Value {
  if (value instanceof File && filename === undefined) return value
  if (value instanceof Blob) return new File([value], filename ?? 'blob', { type: value.type })
  if (filename !== undefined) throw new TypeError('FormData: only a Blob has a file name')
  return `${value as string}`.toWellFormed()
}

export class FormData {
  #entries: [string, Value][] = []

  constructor(form?: undefined) {
    if (form !== undefined) throw new TypeError('FormData constructor: there are no forms here')
  }

  append(name: unknown, value: unknown, filename?: unknown): void {
    this.#entries.push([`${name as string}`.toWellFormed(), valueOf(value, filename)])
  }

  set(name: unknown, value: unknown, filename?: unknown): void {
    const key = `${name as string}`
    const at = this.#entries.findIndex(([one]) => one === key)
    const entry: [string, Value] = [key, valueOf(value, filename)]
    if (at < 0) this.#entries.push(entry)
    else this.#entries = this.#entries.filter(([one], index) => one !== key || index === at).with(at, entry)
  }

  get(name: unknown): Value | null {
    return this.#entries.find(([one]) => one === `${name as string}`)?.[1] ?? null
  }

  getAll(name: unknown): Value[] {
    return this.#entries.filter(([one]) => one === `${name as string}`).map(([, value]) => value)
  }

  has(name: unknown): boolean {
    return this.#entries.some(([one]) => one === `${name as string}`)
  }

  delete(name: unknown): void {
    this.#entries = this.#entries.filter(([one]) => one !== `${name as string}`)
  }

  forEach(each: (value: Value, name: string, form: FormData) => void, receiver?: unknown): void {
    for (const [name, value] of this) Reflect.apply(each, receiver, [value, name, this])
  }

  *entries(): IterableIterator<[string, Value]> {
    yield* this.#entries
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this.#entries) yield name
  }

  *values(): IterableIterator<Value> {
    for (const [, value] of this.#entries) yield value
  }

  [Symbol.iterator](): IterableIterator<[string, Value]> {
    return this.entries()
  }
}

webInterface(File, 'File', ['name', 'lastModified'])
webInterface(FormData, 'FormData', ['append', 'delete', 'get', 'getAll', 'has', 'set', 'forEach', 'entries', 'keys', 'values'])

/** HTML Standard, "multipart/form-data encoding algorithm": nothing in a name ends the name. */
const escapeName = (name: string): string => name.replace(/\n/g, '%0A').replace(/\r/g, '%0D').replace(/"/g, '%22')
const withBreaks = (text: string): string => text.replace(/\r\n?|\n/g, '\r\n')

/** As multipart/form-data, the boundary in the type of the Blob. */
export function multipart(form: FormData): Blob {
  const boundary = `----socklet-${crypto.randomUUID()}`
  const parts: unknown[] = []
  for (const [name, value] of form) {
    const disposition = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(withBreaks(name))}"`
    if (typeof value === 'string') parts.push(`${disposition}\r\n\r\n${withBreaks(value)}\r\n`)
    else parts.push(`${disposition}; filename="${escapeName(value.name)}"\r\nContent-Type: ${value.type || 'application/octet-stream'}\r\n\r\n`, value, '\r\n')
  }
  parts.push(`--${boundary}--\r\n`)
  return new Blob(parts, { type: `multipart/form-data; boundary=${boundary}` })
}
