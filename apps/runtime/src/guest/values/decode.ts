import { ErrorPart, REGEXP_FLAGS, SHORT_STRINGS, SMALLS, Tag, VERSION, VIEW_NAMES } from '@socklet/shared/value-tags'
import { addOwn, define } from '../globals/define.ts'
import { DOMException } from '../globals/dom-exception.ts'
import {
  NativeDate,
  NativeMap,
  NativeRegExp,
  NativeSet,
  NativeUint8Array,
  arrayBufferByteLength,
  arrayIsArray,
  bareArray,
  mapSet,
  objectDefine,
  objectGetOwnPropertyDescriptor,
  objectHasOwn,
  reflectConstruct,
  setAdd,
  toObject
} from '../primordials.ts'
import { BufferPrototype } from './kinds.ts'
import { Reader } from './reader.ts'

export interface DecodeOptions {
  /** The object that a reference stands for, see `replace`. It must not run code of the tenant. */
  revive?: (reference: number | string) => unknown
  /** What `emptyOf` has made of the same bytes, to become the value: whoever refers to it has it already. */
  into?: object
}

/** The object that these bytes will be, still empty; null if it can only be made whole. Those that can refer to others can be empty. */
export function emptyOf(bytes: Uint8Array): object | null {
  switch (bytes[1]) {
    case Tag.OBJECT: return {}
    case Tag.ARRAY: return []
    case Tag.ERROR: return emptyError(bytes[2]) ?? null
    default: return null
  }
}

/**
 * The value of what `encodeValue` wrote. The bytes may be anybody's: work and memory are bounded by how many they are.
 *
 * @throws RangeError if they are not a value
 */
export function decodeValue(bytes: Uint8Array, options?: DecodeOptions): unknown {
  return new Decoder(bytes, options).decode()
}

type Step = 'properties' | 'items' | 'entries' | 'members' | 'cause'

/** An object whose content is being read. It stands in its place already, so that what is inside can refer to it. */
class Frame {
  step: Step
  readonly target: object
  readonly parent: Frame | null
  /** Of a Map: the key that has no value yet. */
  key: unknown = undefined
  hasKey = false
  /** Of an array. */
  index = 0
  readonly length: number
  items = 0
  sparse = false

  constructor(step: Step, target: object, parent: Frame | null, length: number) {
    this.step = step
    this.target = target
    this.parent = parent
    this.length = length
  }
}

const ArrayPrototype = Array.prototype
const MAX_INDEX = 0xffff_fffe
/** More holes than this and twice the items, and the array becomes a dictionary, in which they cost nothing: a length is easily written. */
const FAST_HOLES = 32

const ERRORS = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError] as const
/** The last may come with the restoring of the snapshot only, and is looked up when it is needed. */
const VIEWS = [
  DataView, Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array
] as const
const ELEMENT_BYTES = [1, 1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 2] as const

/** For `new.target`: a Buffer from the start. Nobody can give it another prototype. */
const BufferTarget = function () {} as unknown as Uint8ArrayConstructor
objectDefine(BufferTarget, 'prototype', { __proto__: null, value: BufferPrototype, writable: false } as PropertyDescriptor)

class Decoder {
  readonly #in: Reader
  readonly #revive: DecodeOptions['revive']
  #into: object | undefined
  #top: Frame | null = null
  readonly #objects = bareArray<object>()
  #count = 0
  readonly #keys = bareArray<string>()
  /** Whether a plain assignment of the key makes a property: nothing that is inherited stands in its way. */
  readonly #plain = bareArray<boolean>()
  #keyCount = 0
  #keyIsPlain = false

  constructor(bytes: Uint8Array, options: DecodeOptions | undefined) {
    this.#in = new Reader(bytes)
    this.#revive = options !== undefined && objectHasOwn(options, 'revive') ? options.revive : undefined
    this.#into = options !== undefined && objectHasOwn(options, 'into') ? options.into : undefined
  }

  decode(): unknown {
    if (this.#in.byte() !== VERSION) throw this.#in.malformed('another version')
    const value = this.#value()
    for (let frame = this.#top; frame !== null; frame = this.#top) this.#go(frame)
    if (this.#in.pos !== this.#in.end) throw this.#in.malformed('more bytes')
    return value
  }

  #go(frame: Frame): void {
    switch (frame.step) {
      case 'properties': return this.#properties(frame)
      case 'items': return this.#items(frame)
      case 'entries': return this.#entries(frame)
      case 'members': return this.#members(frame)
      case 'cause': return this.#cause(frame)
    }
  }

  #push<T extends object>(step: Step, target: T, length = 0): T {
    this.#remember(target)
    this.#top = new Frame(step, target, this.#top, length)
    return target
  }

  /** The object that was given for the whole value. */
  #made(): object | undefined {
    const made = this.#into
    this.#into = undefined
    return made
  }

  #remember<T extends object>(object: T): T {
    this.#objects[this.#count++] = object
    return object
  }

  /** Whether the content ends here. */
  #ends(frame: Frame): boolean {
    if (this.#in.peek() !== Tag.END) return false
    this.#in.pos++
    this.#top = frame.parent
    return true
  }

  #properties(frame: Frame): void {
    const target = frame.target as Record<string, unknown>
    while (!this.#ends(frame)) {
      const key = this.#key()
      const plain = this.#keyIsPlain
      const value = this.#value()
      if (plain) target[key] = value
      // No encoder writes the length of an array as a property, and to set it could run code.
      else if (key === 'length' && arrayIsArray(target)) throw this.#in.malformed('a length')
      else addOwn(target, key, value)
      if (this.#top !== frame) return
    }
  }

  #key(): string {
    const tag = this.#in.peek()
    if (tag >= Tag.SMALL) {
      const index = this.#in.byte() - Tag.SMALL
      if (index >= this.#keyCount) throw this.#in.malformed('a key that was not there')
      this.#keyIsPlain = this.#plain[index]!
      return this.#keys[index]!
    }
    const key = this.#string()
    this.#keyIsPlain = !(key in ArrayPrototype)
    if (this.#keyCount < SMALLS) {
      this.#keys[this.#keyCount] = key
      this.#plain[this.#keyCount++] = this.#keyIsPlain
    }
    return key
  }

  #items(frame: Frame): void {
    const target = frame.target as unknown[]
    while (frame.index < frame.length) {
      if (this.#in.peek() === Tag.HOLES) {
        this.#holes(frame)
        continue
      }
      const index = frame.index++
      frame.items++
      const value = this.#value()
      if (index in ArrayPrototype) addOwn(target, index, value)
      else target[index] = value
      if (this.#top !== frame) return
    }
    if (target.length < frame.length) target.length = frame.length
    frame.step = 'properties'
  }

  #holes(frame: Frame): void {
    this.#in.pos++
    const count = this.#in.varint()
    if (count === 0 || count > frame.length - frame.index) throw this.#in.malformed('too many holes')
    frame.index += count
    if (frame.sparse || frame.index - frame.items <= FAST_HOLES + 2 * frame.items) return
    frame.sparse = true
    const target = frame.target as unknown[]
    const { length } = target
    addOwn(target, MAX_INDEX, undefined)
    target.length = length
  }

  #entries(frame: Frame): void {
    const target = frame.target as Map<unknown, unknown>
    for (;;) {
      if (!frame.hasKey) {
        if (this.#ends(frame)) return
        frame.key = this.#value()
        frame.hasKey = true
      } else {
        frame.hasKey = false
        mapSet(target, frame.key, this.#value())
      }
      if (this.#top !== frame) return
    }
  }

  #members(frame: Frame): void {
    while (!this.#ends(frame)) {
      setAdd(frame.target as Set<unknown>, this.#value())
      if (this.#top !== frame) return
    }
  }

  #cause(frame: Frame): void {
    // Its frame has done its work before the cause's own begins.
    this.#top = frame.parent
    define(frame.target, 'cause', this.#value())
  }

  #value(): unknown {
    const tag = this.#in.byte()
    if (tag >= Tag.SMALL) return tag - Tag.SMALL
    if (tag >= Tag.SHORT_STRING) return this.#in.latin1(tag - Tag.SHORT_STRING)
    switch (tag) {
      case Tag.UNDEFINED: return undefined
      case Tag.NULL: return null
      case Tag.FALSE: return false
      case Tag.TRUE: return true
      case Tag.INT: return this.#in.int()
      case Tag.DOUBLE: return this.#in.float()
      case Tag.BIGINT64: return this.#in.bigint64()
      case Tag.BIGINT_PLUS: return this.#in.bigint(this.#in.varint())
      case Tag.BIGINT_MINUS: return -this.#in.bigint(this.#in.varint())
      case Tag.LATIN1: return this.#in.latin1(this.#in.varint())
      case Tag.UTF16: return this.#in.utf16(this.#in.varint())
      case Tag.SAME: return this.#same()
      case Tag.REF: return this.#reference()
      default: return this.#object(tag)
    }
  }

  #object(tag: number): object {
    switch (tag) {
      case Tag.OBJECT: return this.#push('properties', this.#made() ?? {})
      case Tag.ARRAY: return this.#push('items', this.#made() ?? [], this.#in.varint())
      case Tag.MAP: return this.#push('entries', new NativeMap())
      case Tag.SET: return this.#push('members', new NativeSet())
      case Tag.DATE: return this.#remember(new NativeDate(this.#in.float()))
      case Tag.REGEXP: return this.#remember(this.#regExp())
      case Tag.BOXED: return this.#boxed()
      case Tag.BUFFER: return this.#remember(this.#in.buffer(this.#in.varint()))
      case Tag.VIEW: return this.#view()
      case Tag.NODE_BUFFER: return this.#nodeBuffer()
      case Tag.ERROR: return this.#error()
      case Tag.DOM_EXCEPTION: return this.#domException()
      default: throw this.#in.malformed(`tag ${tag}`)
    }
  }

  #string(): string {
    const tag = this.#in.byte()
    if (tag >= Tag.SHORT_STRING && tag < Tag.SHORT_STRING + SHORT_STRINGS) return this.#in.latin1(tag - Tag.SHORT_STRING)
    if (tag === Tag.LATIN1) return this.#in.latin1(this.#in.varint())
    if (tag === Tag.UTF16) return this.#in.utf16(this.#in.varint())
    throw this.#in.malformed('no string')
  }

  #same(): object {
    const index = this.#in.varint()
    if (index >= this.#count) throw this.#in.malformed('an object that was not there')
    return this.#objects[index]!
  }

  #reference(): unknown {
    const tag = this.#in.peek()
    const isNumber = tag >= Tag.SMALL || tag === Tag.INT || tag === Tag.DOUBLE
    const reference = isNumber ? this.#value() as number : this.#string()
    if (this.#revive === undefined) throw this.#in.malformed('a reference that nobody resolves')
    return this.#revive(reference)
  }

  #regExp(): RegExp {
    const bits = this.#in.byte()
    const source = this.#string()
    let flags = ''
    for (let i = 0; i < 8; i++) if ((bits & (1 << i)) !== 0) flags += REGEXP_FLAGS[i]!
    try {
      return new NativeRegExp(source, flags)
    } catch {
      throw this.#in.malformed('a RegExp with an error')
    }
  }

  #boxed(): object {
    const value = this.#primitive()
    return this.#remember(toObject(value) as object)
  }

  #primitive(): unknown {
    const tag = this.#in.peek()
    if (tag >= Tag.SHORT_STRING || (tag >= Tag.FALSE && tag <= Tag.UTF16)) return this.#value()
    throw this.#in.malformed('no primitive in a box')
  }

  #view(): object {
    const kind = this.#in.byte()
    if (kind >= VIEW_NAMES.length) throw this.#in.malformed('a view of an unknown kind')
    const offset = this.#in.varint()
    const length = this.#in.varint()
    const tag = this.#in.peek()
    if (tag !== Tag.BUFFER && tag !== Tag.SAME) throw this.#in.malformed('a view without a buffer')
    const buffer = this.#value() as ArrayBuffer
    const size = ELEMENT_BYTES[kind]!
    if (offset % size !== 0 || length % size !== 0 || offset + length > byteLength(buffer)) throw this.#in.malformed('a view beyond its buffer')
    return this.#remember(reflectConstruct(this.#viewClass(kind), [buffer, offset, length / size]) as object)
  }

  #viewClass(kind: number): Function {
    if (kind < VIEWS.length) return VIEWS[kind]!
    const late: unknown = objectGetOwnPropertyDescriptor(globalThis, VIEW_NAMES[kind]!)?.value
    if (typeof late === 'function') return late
    throw this.#in.malformed('a view of an unknown kind')
  }

  #nodeBuffer(): object {
    const buffer = this.#in.buffer(this.#in.varint())
    return this.#remember(reflectConstruct(NativeUint8Array, [buffer, 0, arrayBufferByteLength(buffer)], BufferTarget) as object)
  }

  #error(): object {
    const kind = this.#in.byte()
    const error = (this.#made() ?? emptyError(kind)) as Error | undefined
    if (error === undefined) throw this.#in.malformed('an error of an unknown kind')
    const parts = this.#in.byte()
    // First, since it may be its own cause.
    this.#remember(error)
    if ((parts & ErrorPart.MESSAGE) !== 0) define(error, 'message', this.#string())
    define(error, 'stack', (parts & ErrorPart.STACK) !== 0 ? this.#string() : undefined)
    if ((parts & ErrorPart.CAUSE) !== 0) this.#top = new Frame('cause', error, this.#top, 1)
    return error
  }

  #domException(): object {
    const name = this.#string()
    const error = this.#remember(new DOMException(this.#string(), name))
    define(error, 'stack', this.#string())
    return error
  }
}

function emptyError(kind: number | undefined): Error | undefined {
  return kind === undefined || kind >= ERRORS.length ? undefined : reflectConstruct(ERRORS[kind]!, []) as Error
}

/** Of what may be any object. */
function byteLength(buffer: object): number {
  try {
    return arrayBufferByteLength(buffer as ArrayBuffer)
  } catch {
    return -1
  }
}
