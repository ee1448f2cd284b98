/**
 * Values for people, as JSON. What JSON has is as it is; everything else is an object with one of these keys. Keys of the value's own that
 * begin with `$` have one `$` more.
 *
 *   { $undefined: true }                     { $number: "NaN" | "Infinity" | "-Infinity" | "-0" }
 *   { $bigint: "123" }                       { $date: ISO time, or null if it is invalid }
 *   { $regexp: source, flags }               { $boxed: a boolean, number, bigint or string }
 *   { $map: [[key, value], …] }              { $set: [member, …] }
 *   { $holes: n } in an array                { $array: [item, …], properties: { … } } if it has properties besides
 *   { $buffer: base64, length, type? }       { $view: "Uint8Array"…, offset, length, buffer }
 *   { $error: name, message?, stack?, cause? }
 *   { $socket: id }                          { $same: JSON Pointer (RFC 6901) of where the same object is, or null if that was cut off }
 *   { $string: its beginning, length } of one that was cut off
 *   { $truncated: true } in place of what was left out, { $truncated: n } of a Map or Set of which n are left out, also as a key beside others
 *   { $malformed: why } in place of bytes that are no value
 */
import { NodeKind } from './records.ts'
import { skim } from './skim.ts'
import type { StoredNode } from './store.ts'
import { ValueError, ValueReader, isString } from './value-reader.ts'
import { ERROR_NAMES, ErrorPart, REGEXP_FLAGS, SMALLS, Tag, VERSION, VIEW_NAMES } from './value-tags.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

export interface ReadableOptions {
  /** What REF may refer to. */
  nodes?: ReadonlyMap<number, StoredNode>
  /** Characters of the result, roughly. */
  maxChars?: number
  maxDepth?: number
}

const MAX_CHARS = 256 * 1024
const MAX_DEPTH = 50
/** Of one string, or of the base64 of one buffer. */
const MAX_TEXT = 16 * 1024
const MAX_KEY = 256
/** To write one in decimal takes time that grows faster than its length. */
const MAX_BIGINT_BYTES = 512
/** What a value costs besides its text. */
const VALUE_CHARS = 8

/**
 * Reads the bytes as they are, and makes no object that they describe: they may be anybody's. Work is bounded by their length and `maxChars`.
 */
export function readable(bytes: Uint8Array, options: ReadableOptions = {}): Json {
  const renderer = new Renderer(options)
  const result = renderer.bytes(bytes, { parent: null, key: null, depth: 0 })
  renderer.finish()
  return result
}

/** Where something is in the result. */
interface Place {
  readonly parent: Place | null
  /** Below its parent; null if it is in the parent's own place. */
  key: string | number | null
  readonly depth: number
}

type JsonObject = { [key: string]: Json }

/** Without a prototype: a key of the value may be `__proto__`. */
const newObject = (content: JsonObject = {}): JsonObject => Object.assign(Object.create(null) as JsonObject, content)

const TRUNCATED = '$truncated'

/** What all values of one result share. */
class Renderer {
  readonly nodes: ReadonlyMap<number, StoredNode>
  readonly maxDepth: number
  #left: number
  readonly #nodePlaces = new Map<number, Place>()
  readonly #same: { target: JsonObject; place: Place }[] = []

  constructor({ nodes = new Map(), maxChars = MAX_CHARS, maxDepth = MAX_DEPTH }: ReadableOptions) {
    this.nodes = nodes
    this.maxDepth = maxDepth
    this.#left = maxChars
  }

  /** Nothing more is rendered. */
  get full(): boolean {
    return this.#left <= 0
  }

  /** How long a text may be. */
  get room(): number {
    return Math.max(0, Math.min(MAX_TEXT, this.#left))
  }

  charge(chars: number): void {
    this.#left -= chars
  }

  bytes(bytes: Uint8Array, place: Place): Json {
    try {
      return new ValueRenderer(this, bytes).render(place)
    } catch (error) {
      if (!(error instanceof ValueError)) throw error
      return newObject({ $malformed: error.message })
    }
  }

  /** The object that is at this place, once more. */
  same(place: Place): Json {
    const target = newObject({ $same: null })
    this.charge(VALUE_CHARS * place.depth)
    this.#same.push({ target, place })
    return target
  }

  /** Only now is it known where everything has come to be. */
  finish(): void {
    for (const { target, place } of this.#same) target['$same'] = pointer(place)
  }

  node(number: number, place: Place): Json {
    const seen = this.#nodePlaces.get(number)
    if (seen !== undefined) return this.same(seen)
    const node = this.nodes.get(number)
    if (node === undefined || this.full || place.depth >= this.maxDepth) return newObject({ [TRUNCATED]: true })
    this.#nodePlaces.set(number, place)
    // A node that is a reference to the next, and so on, is as deep as an object in an object.
    if (node.kind === NodeKind.VALUE) return this.bytes(node.value, below(place, null))
    return node.kind === NodeKind.MAP ? this.#entries('$map', node, place, (entry, at) => [this.bytes(entry[0], below(at, 0)), this.bytes(entry[1], below(at, 1))]) :
      this.#entries('$set', node, place, (entry, at) => this.bytes(entry[0], at))
  }

  #entries(name: string, node: Exclude<StoredNode, { kind: typeof NodeKind.VALUE }>, place: Place, one: (entry: readonly [Uint8Array, Uint8Array], at: Place) => Json): Json {
    const list: Json[] = []
    const inside = below(place, name)
    for (const entry of node.entries) {
      if (this.full) break
      this.charge(VALUE_CHARS)
      list.push(one(entry, below(inside, list.length)))
    }
    const missing = node.size - list.length
    return newObject(missing > 0 ? { [name]: list, [TRUNCATED]: missing } : { [name]: list })
  }
}

function below(parent: Place, key: string | number | null): Place {
  return { parent, key, depth: parent.depth + 1 }
}

function pointer(place: Place): string {
  let text = ''
  for (let at: Place | null = place; at !== null; at = at.parent) if (at.key !== null) text = `/${String(at.key).replaceAll('~', '~0').replaceAll('/', '~1')}${text}`
  return text
}

/** One value, with the numbers that its objects have in it. */
class ValueRenderer {
  readonly #all: Renderer
  readonly #in: ValueReader
  /** Where each object that was begun is; undefined if it was passed over. */
  readonly #objects: (Place | undefined)[] = []
  readonly #keys: string[] = []

  constructor(all: Renderer, bytes: Uint8Array) {
    this.#all = all
    this.#in = new ValueReader(bytes)
  }

  render(place: Place): Json {
    if (this.#in.byte() !== VERSION) throw new ValueError('another version')
    const value = this.#value(place)
    if (!this.#all.full && this.#in.pos !== this.#in.end) throw new ValueError('more bytes')
    return value
  }

  /** Whether content goes on. When the result is full nothing is read any more: what is open is closed with a mark. */
  #goesOn(): boolean {
    if (this.#all.full) return false
    if (this.#in.peek() !== Tag.END) return true
    this.#in.byte()
    return false
  }

  #value(place: Place): Json {
    this.#all.charge(VALUE_CHARS)
    const tag = this.#in.peek()
    if (isString(tag)) return this.#string()
    if (tag >= Tag.SMALL) return this.#in.byte() - Tag.SMALL
    if (tag === Tag.SAME) return this.#same()
    if (tag === Tag.REF) return this.#reference(place)
    if (tag >= Tag.DATE) return this.#object(place)
    this.#in.byte()
    switch (tag) {
      case Tag.UNDEFINED: return newObject({ $undefined: true })
      case Tag.NULL: return null
      case Tag.FALSE: return false
      case Tag.TRUE: return true
      case Tag.INT: return this.#in.int()
      case Tag.DOUBLE: return double(this.#in.float())
      case Tag.BIGINT64: return newObject({ $bigint: String(this.#in.bigint64()) })
      case Tag.BIGINT_PLUS: return this.#bigint('')
      case Tag.BIGINT_MINUS: return this.#bigint('-')
      default: throw new ValueError(`tag ${tag}`)
    }
  }

  #object(place: Place): Json {
    if (place.depth >= this.#all.maxDepth) {
      this.#objects.length += skim(this.#in)
      return newObject({ [TRUNCATED]: true })
    }
    const tag = this.#in.byte()
    // A view counts after its buffer.
    if (tag !== Tag.VIEW) this.#objects.push(place)
    switch (tag) {
      case Tag.DATE: return newObject({ $date: isoTime(this.#in.float()) })
      case Tag.REGEXP: return this.#regExp()
      case Tag.BOXED: return newObject({ $boxed: this.#value(below(place, '$boxed')) })
      case Tag.OBJECT: return this.#properties(newObject(), place)
      case Tag.ARRAY: return this.#array(place)
      case Tag.MAP: return this.#map(place)
      case Tag.SET: return this.#set(place)
      case Tag.BUFFER: return this.#buffer()
      case Tag.NODE_BUFFER: return newObject({ ...this.#buffer(), type: 'Buffer' })
      case Tag.VIEW: return this.#view(place)
      case Tag.ERROR: return this.#error(place)
      case Tag.DOM_EXCEPTION: return newObject({ $error: this.#string(), message: this.#string(), stack: this.#string() })
      default: throw new ValueError(`tag ${tag}`)
    }
  }

  #string(): Json {
    const { room } = this.#all
    const start = this.#in.pos
    const length = this.#in.skipString()
    this.#in.pos = start
    const text = this.#in.string(room).toWellFormed()
    this.#all.charge(text.length)
    return length <= room ? text : newObject({ $string: text, length })
  }

  #same(): Json {
    this.#in.byte()
    const index = this.#in.varint()
    if (index >= this.#objects.length) throw new ValueError('an object that was not there')
    const place = this.#objects[index]
    return place === undefined ? newObject({ $same: null }) : this.#all.same(place)
  }

  #reference(place: Place): Json {
    this.#in.byte()
    const tag = this.#in.peek()
    if (isString(tag)) return newObject({ $socket: this.#string() })
    this.#in.byte()
    const node = tag >= Tag.SMALL ? tag - Tag.SMALL : tag === Tag.INT ? this.#in.int() : tag === Tag.DOUBLE ? this.#in.float() : -1
    return this.#all.node(node, place)
  }

  #bigint(sign: string): Json {
    const count = this.#in.varint()
    const magnitude = this.#in.view(count)
    if (count > MAX_BIGINT_BYTES) return newObject({ $bigint: null, bytes: count, [TRUNCATED]: true })
    const digits = Buffer.from(magnitude.toReversed()).toString('hex')
    const text = String(BigInt(`0x${digits || '0'}`))
    this.#all.charge(text.length)
    return newObject({ $bigint: sign + text })
  }

  #regExp(): Json {
    const bits = this.#in.byte()
    const source = this.#string()
    return newObject({ $regexp: source, flags: [...REGEXP_FLAGS].filter((_, bit) => (bits & (1 << bit)) !== 0).join('') })
  }

  #properties(target: JsonObject, place: Place): JsonObject {
    while (this.#goesOn()) {
      const key = this.#key()
      this.#all.charge(key.length)
      target[key] = this.#value(below(place, key))
    }
    if (this.#all.full) target[TRUNCATED] = true
    return target
  }

  #key(): string {
    if (this.#in.peek() >= Tag.SMALL) {
      const known = this.#keys[this.#in.byte() - Tag.SMALL]
      if (known === undefined) throw new ValueError('a key that was not there')
      return known
    }
    const start = this.#in.pos
    const length = this.#in.skipString()
    this.#in.pos = start
    const text = this.#in.string(MAX_KEY).toWellFormed()
    const key = `${text.startsWith('$') ? '$' : ''}${text}${length > MAX_KEY ? `… (${length} characters)` : ''}`
    if (this.#keys.length < SMALLS) this.#keys.push(key)
    return key
  }

  #array(place: Place): Json {
    const length = this.#in.varint()
    const items: Json[] = []
    // Whether it has properties, and its items a place of their own, is known at its end only.
    const inside: Place = { parent: place, key: null, depth: place.depth }
    for (let left = length; left > 0; ) {
      if (this.#all.full) break
      if (this.#in.peek() === Tag.HOLES) {
        this.#in.byte()
        const count = this.#in.varint()
        if (count === 0 || count > left) throw new ValueError('too many holes')
        items.push(newObject({ $holes: count }))
        this.#all.charge(VALUE_CHARS)
        left -= count
      } else {
        items.push(this.#value(below(inside, items.length)))
        left--
      }
    }
    const properties = this.#properties(newObject(), below(place, 'properties'))
    if (this.#all.full) items.push(newObject({ [TRUNCATED]: true }))
    delete properties[TRUNCATED]
    if (Object.keys(properties).length === 0) return items
    inside.key = '$array'
    return newObject({ $array: items, properties })
  }

  #map(place: Place): Json {
    const list: Json[] = []
    const inside = below(place, '$map')
    while (this.#goesOn()) {
      const at = below(inside, list.length)
      list.push([this.#value(below(at, 0)), this.#all.full ? newObject({ [TRUNCATED]: true }) : this.#value(below(at, 1))])
    }
    return this.#list('$map', list)
  }

  #set(place: Place): Json {
    const list: Json[] = []
    const inside = below(place, '$set')
    while (this.#goesOn()) list.push(this.#value(below(inside, list.length)))
    return this.#list('$set', list)
  }

  #list(name: string, list: Json[]): Json {
    return newObject(this.#all.full ? { [name]: list, [TRUNCATED]: true } : { [name]: list })
  }

  #buffer(): JsonObject {
    const length = this.#in.varint()
    const bytes = this.#in.view(length)
    // A group of base64 is three bytes.
    const shown = Math.min(length, Math.floor(this.#all.room / 4) * 3)
    const $buffer = bytes.toString('base64', 0, shown)
    this.#all.charge($buffer.length)
    return newObject(shown < length ? { $buffer, length, [TRUNCATED]: true } : { $buffer, length })
  }

  #view(place: Place): Json {
    const $view = VIEW_NAMES[this.#in.byte()]
    if ($view === undefined) throw new ValueError('a view of an unknown kind')
    const offset = this.#in.varint()
    const length = this.#in.varint()
    const tag = this.#in.peek()
    if (tag !== Tag.BUFFER && tag !== Tag.SAME) throw new ValueError('a view without a buffer')
    const buffer = this.#value(below(place, 'buffer'))
    this.#objects.push(place)
    return newObject({ $view, offset, length, buffer })
  }

  #error(place: Place): Json {
    const $error = ERROR_NAMES[this.#in.byte()]
    if ($error === undefined) throw new ValueError('an error of an unknown kind')
    const parts = this.#in.byte()
    const error = newObject({ $error })
    if ((parts & ErrorPart.MESSAGE) !== 0) error['message'] = this.#string()
    if ((parts & ErrorPart.STACK) !== 0) error['stack'] = this.#string()
    if ((parts & ErrorPart.CAUSE) !== 0) error['cause'] = this.#value(below(place, 'cause'))
    return error
  }
}

function double(value: number): Json {
  if (Number.isFinite(value) && !Object.is(value, -0)) return value
  return newObject({ $number: Object.is(value, -0) ? '-0' : String(value) })
}

function isoTime(time: number): string | null {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}
