/** `FormData` (XHR Standard) and `File` (File API): to be sent. Nothing here reads multipart. */
import { Blob, blobOf, bytesOfBlob, isBlob, typeOfBlob } from '../globals/blob.ts'
import { randomUUID } from '../globals/crypto.ts'
import { define, webInterface } from '../globals/define.ts'
import { encodeText } from '../globals/text-encoding.ts'
import { filter, map, ordinary, push, replaceAll, sequenceOf } from '../lists.ts'
import { replaceMatches } from '../patterns.ts'
import { NativeTypeError, bareArray, now, reflectApply, stringToWellFormed, symbolIterator } from '../primordials.ts'

let isFile: (value: unknown) => value is File
let nameOf: (file: File) => string
let fileOf: (blob: Blob, name: string) => File

export class File extends Blob {
  readonly #name: string
  readonly #lastModified: number

  static {
    isFile = (value): value is File => typeof value === 'object' && value !== null && #name in value
    nameOf = (file) => file.#name
    fileOf = (blob, name) => new File(sequenceOf(blob), name, { type: typeOfBlob(blob) })
  }

  constructor(parts: Iterable<unknown>, name: unknown, options: { type?: string; lastModified?: number } = {}) {
    super(parts, options)
    this.#name = `${name as string}`
    this.#lastModified = options.lastModified ?? now()
  }

  get name(): string {
    return this.#name
  }

  get lastModified(): number {
    return this.#lastModified
  }
}

type Value = string | File
interface Entry {
  name: string
  value: Value
}

const usv = (value: unknown): string => stringToWellFormed(`${value as string}`)

/** Blobs become files, anything else text. */
function valueOf(value: unknown, filename: unknown): Value {
  if (isFile(value) && filename === undefined) return value
  if (isBlob(value)) return fileOf(value, `${(filename ?? 'blob') as string}`)
  if (filename !== undefined) throw new NativeTypeError('FormData: only a Blob has a file name')
  return usv(value)
}

let entriesOf: (form: FormData) => readonly Entry[]
export let isFormData: (value: unknown) => value is FormData

export class FormData {
  #entries: Entry[] = bareArray()

  static {
    entriesOf = (form) => form.#entries
    isFormData = (value): value is FormData => typeof value === 'object' && value !== null && #entries in value
  }

  constructor(form?: undefined) {
    if (form !== undefined) throw new NativeTypeError('FormData constructor: there are no forms here')
  }

  append(name: unknown, value: unknown, filename?: unknown): void {
    push(this.#entries, { name: usv(name), value: valueOf(value, filename) })
  }

  /** The first of the name keeps its place. */
  set(name: unknown, value: unknown, filename?: unknown): void {
    const entry = { name: usv(name), value: valueOf(value, filename) }
    const rest = bareArray<Entry>()
    let isThere = false
    for (let i = 0; i < this.#entries.length; i++) {
      const one = this.#entries[i]!
      if (one.name !== entry.name) push(rest, one)
      else if (!isThere) {
        push(rest, entry)
        isThere = true
      }
    }
    if (!isThere) push(rest, entry)
    this.#entries = rest
  }

  get(name: unknown): Value | null {
    const key = usv(name)
    for (let i = 0; i < this.#entries.length; i++) if (this.#entries[i]!.name === key) return this.#entries[i]!.value
    return null
  }

  getAll(name: unknown): Value[] {
    const key = usv(name)
    return ordinary(map(filter(this.#entries, (one) => one.name === key), ({ value }) => value))
  }

  has(name: unknown): boolean {
    const key = usv(name)
    return filter(this.#entries, (one) => one.name === key).length > 0
  }

  delete(name: unknown): void {
    const key = usv(name)
    this.#entries = filter(this.#entries, (one) => one.name !== key)
  }

  forEach(each: (value: Value, name: string, form: FormData) => void, receiver?: unknown): void {
    for (let i = 0; i < this.#entries.length; i++) reflectApply(each, receiver, [this.#entries[i]!.value, this.#entries[i]!.name, this])
  }

  *entries(): IterableIterator<[string, Value]> {
    for (let i = 0; i < this.#entries.length; i++) yield [this.#entries[i]!.name, this.#entries[i]!.value]
  }

  *keys(): IterableIterator<string> {
    for (let i = 0; i < this.#entries.length; i++) yield this.#entries[i]!.name
  }

  *values(): IterableIterator<Value> {
    for (let i = 0; i < this.#entries.length; i++) yield this.#entries[i]!.value
  }

  declare [Symbol.iterator]: () => IterableIterator<[string, Value]>
}

webInterface(File, 'File', ['name', 'lastModified'])
webInterface(FormData, 'FormData', ['append', 'delete', 'get', 'getAll', 'has', 'set', 'forEach', 'entries', 'keys', 'values'])
define(FormData.prototype, symbolIterator, FormData.prototype.entries)

/** HTML Standard, "multipart/form-data encoding algorithm": nothing in a name ends the name. */
const escapeName = (name: string): string => replaceAll(replaceAll(replaceAll(name, '\n', '%0A'), '\r', '%0D'), '"', '%22')
const BREAK = /\r\n?|\n/g
const withBreaks = (text: string): string => replaceMatches(text, BREAK, () => '\r\n')

/** As multipart/form-data, the boundary in the type of the Blob. */
export function multipart(form: FormData): Blob {
  const boundary = `----socklet-${randomUUID()}`
  const pieces = bareArray<Uint8Array>()
  const entries = entriesOf(form)
  for (let i = 0; i < entries.length; i++) {
    const { name, value } = entries[i]!
    const disposition = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(withBreaks(name))}"`
    if (typeof value === 'string') {
      push(pieces, encodeText(`${disposition}\r\n\r\n${withBreaks(value)}\r\n`))
      continue
    }
    push(pieces, encodeText(`${disposition}; filename="${escapeName(nameOf(value))}"\r\nContent-Type: ${typeOfBlob(value) || 'application/octet-stream'}\r\n\r\n`))
    push(pieces, bytesOfBlob(value))
    push(pieces, encodeText('\r\n'))
  }
  push(pieces, encodeText(`--${boundary}--\r\n`))
  return blobOf(pieces, `multipart/form-data; boundary=${boundary}`)
}
