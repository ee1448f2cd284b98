/**
 * Node's Buffer: the one of npm `buffer` for the wide part (numbers, compare, search, swap), ours for what passes text and for allocation. That package
 * knows no base64url, takes 60 µs to read 4 KiB of ASCII, and changes the prototype of every buffer that it makes. It is changed in place, so that libraries
 * which import `buffer` (readable-stream, string_decoder) hold the same class.
 */
import * as npm from 'buffer/'
import { type Codec, codecOf, methodCodecs } from './encodings.ts'
import { coded, hide, invalidType, named } from './define.ts'
import { decodeUtf8, encodeUtf8, utf8Length } from './utf8.ts'
import { hexOf } from './hex.ts'
import {
  NativeArrayBuffer, NativeRangeError, NativeTypeError, NativeUint8Array, arrayBufferByteLength, arrayBufferIsView, mathMin, mathTrunc, reflectApply, symbolToPrimitive, toNumber, toText, typedArrayBuffer, typedArrayByteLength, typedArrayByteOffset,
  dataViewByteLength, typedArrayLength, typedArraySet, typedArrayTag
} from '../primordials.ts'

export type NodeBuffer = Uint8Array & Record<string, any>

/** The class with its statics, as loosely typed as what we do to it. */
interface BufferClass {
  (...args: unknown[]): NodeBuffer
  new (...args: unknown[]): NodeBuffer
  prototype: NodeBuffer
  from(value: unknown, encodingOrOffset?: unknown, length?: unknown): NodeBuffer
  alloc(size: number, fill?: unknown, encoding?: string): NodeBuffer
  allocUnsafe(size: number): NodeBuffer
  concat(list: Uint8Array[], length?: number): NodeBuffer
  isBuffer(value: unknown): value is NodeBuffer
  isEncoding(value: unknown): boolean
}

export const Buffer = npm.Buffer as unknown as BufferClass

/** What `new` makes of it is a Buffer from the start: changing a prototype afterwards costs more than the allocation. */
class FastBuffer extends Uint8Array {}
Object.defineProperties(FastBuffer.prototype, Object.getOwnPropertyDescriptors(Buffer.prototype))
Buffer.prototype = FastBuffer.prototype as NodeBuffer

const allocate = (size: number): NodeBuffer => new FastBuffer(size)

/** A Buffer on a part of this memory. */
export function bufferOn(bytes: ArrayBuffer, start: number, length: number): NodeBuffer {
  return new FastBuffer(bytes, start, length)
}

const fromOthers = Buffer.from

function codecFor(encoding: unknown): Codec {
  const codec = typeof encoding === 'string' && encoding !== '' ? codecOf(encoding) : codecOf('utf8')
  if (codec === undefined) throw coded(new NativeTypeError(`Unknown encoding: ${encoding as string}`), 'ERR_UNKNOWN_ENCODING')
  return codec
}

function fromText(text: string, encoding: unknown): NodeBuffer {
  const codec = encoding === undefined ? undefined : codecFor(encoding)
  if (codec === undefined || codec.name === 'utf8') return encodeUtf8(text, allocate)
  const room = codec.length(text)
  const bytes = allocate(room)
  const written = codec.write(text, bytes, 0, room)
  return written === room ? bytes : new FastBuffer(typedArrayBuffer(bytes), 0, written)
}

function checkSize(size: unknown): asserts size is number {
  if (typeof size !== 'number') throw invalidType('size', 'of type number', size)
  if (!(size >= 0 && size <= MAX_LENGTH)) {
    throw coded(new NativeRangeError(`The value of "size" is out of range. It must be >= 0 && <= ${MAX_LENGTH}. Received ${size}`), 'ERR_OUT_OF_RANGE')
  }
}

const MAX_LENGTH = 2 ** 53 - 1
const MAX_STRING_LENGTH = 2 ** 29 - 24

const isView = (value: unknown): value is Uint8Array => value instanceof NativeUint8Array

/** What an object says that it is as a text, if by `valueOf` it is a number, as a Date is. The package would make its Buffer of that. */
function textOf(value: object): string | null {
  const { [symbolToPrimitive]: toPrimitive, valueOf } = value as Record<PropertyKey, unknown>
  if (typeof toPrimitive !== 'function' || typeof valueOf !== 'function') return null
  const primitive: unknown = reflectApply(valueOf, value, [])
  if (typeof primitive === 'string' || typeof primitive === 'object') return null
  const text: unknown = reflectApply(toPrimitive, value, ['string'])
  return typeof text === 'string' ? text : null
}

const statics = {
  from(value: unknown, encodingOrOffset?: unknown, length?: unknown) {
    if (typeof value === 'string') return fromText(value, encodingOrOffset)
    if (typeof value !== 'object' || value === null) throw invalidFirst(value)
    if (isView(value)) {
      const copy = allocate(typedArrayLength(value))
      typedArraySet(copy, value)
      return copy
    }
    const text = textOf(value)
    return text === null ? withCode(() => fromOthers(value, encodingOrOffset, length)) : fromText(text, undefined)
  },
  alloc(size: number, fill?: unknown, encoding?: string) {
    checkSize(size)
    const bytes = allocate(size)
    return fill === undefined || fill === 0 || size === 0 ? bytes : bytes.fill(fill as never, encoding as never)
  },
  allocUnsafe(size: number) {
    checkSize(size)
    return allocate(size)
  },
  allocUnsafeSlow(size: number) {
    checkSize(size)
    return allocate(size)
  },
  isEncoding: (value: unknown) => typeof value === 'string' && value !== '' && codecOf(value) !== undefined,
  byteLength(value: unknown, encoding?: unknown) {
    if (typeof value === 'string') {
      const codec = typeof encoding === 'string' ? codecOf(encoding) : undefined
      return codec === undefined ? utf8Length(value) : codec.length(value)
    }
    if (arrayBufferIsView(value)) return typedArrayTag(value) === undefined ? dataViewByteLength(value as DataView) : typedArrayByteLength(value as Uint8Array)
    if (value instanceof NativeArrayBuffer) return arrayBufferByteLength(value)
    throw invalidType('string', 'of type string or an instance of Buffer or ArrayBuffer', value)
  },
  concat(list: Uint8Array[], length?: number) {
    if (!Array.isArray(list)) throw invalidType('list', 'an instance of Array', list)
    const total = length ?? list.reduce((sum, part) => sum + part.length, 0)
    checkSize(total)
    const whole = allocate(Math.trunc(total))
    let at = 0
    for (const [index, part] of list.entries()) {
      if (!isView(part)) throw invalidType(`list[${index}]`, 'an instance of Buffer or Uint8Array', part)
      const room = whole.length - at
      whole.set(part.length > room ? part.subarray(0, room) : part, at)
      at += Math.min(part.length, room)
    }
    return whole
  },
  copyBytesFrom(view: Uint8Array, offset = 0, length = view.length - offset) {
    const part = view.subarray(offset, offset + length)
    return fromOthers(part.buffer.slice(part.byteOffset, part.byteOffset + part.byteLength))
  },
  of: (...items: number[]) => {
    const bytes = allocate(items.length)
    bytes.set(items)
    return bytes
  }
}

const invalidFirst = (value: unknown): TypeError =>
  invalidType('first argument', 'of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object', value)

/** `start` and `end` as `toString` takes them: whatever is no number counts as the whole. */
const clamp = (value: unknown, otherwise: number, most: number): number => {
  if (value === undefined) return otherwise
  const number = mathTrunc(toNumber(value)) || 0
  return number < 0 ? 0 : number > most ? most : number
}

function checkOffset(value: unknown, name: string, most: number): number {
  if (value === undefined) return 0
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value)
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw coded(new RangeError(`The value of "${name}" is out of range. It must be >= 0 && <= ${most}. Received ${value}`), 'ERR_OUT_OF_RANGE')
  }
  return value
}

const methods = {
  toString(this: NodeBuffer, encoding?: unknown, start?: unknown, end?: unknown) {
    const size = typedArrayLength(this)
    if (arguments.length === 0) return decodeUtf8(this, 0, size)
    const from = clamp(start, 0, size)
    const to = clamp(end, size, size)
    if (to <= from) return ''
    return (encoding === undefined ? codecFor('utf8') : codecFor(toText(encoding))).read(this, from, to)
  },
  write(this: NodeBuffer, text: unknown, offset?: unknown, length?: unknown, encoding?: unknown) {
    if (typeof text !== 'string') throw invalidType('argument', 'of type string', text)
    // write(text, encoding) and write(text, offset, encoding)
    if (typeof offset === 'string') [offset, length, encoding] = [undefined, undefined, offset]
    else if (typeof length === 'string') [length, encoding] = [undefined, length]
    const at = checkOffset(offset, 'offset', this.length)
    const room = this.length - at
    const count = length === undefined ? room : Math.min(checkOffset(length, 'length', this.length), room)
    return codecFor(encoding).write(text, this, at, at + count)
  },
  /** A view, as in Node (and unlike in Uint8Array). */
  slice(this: NodeBuffer, start?: number, end?: number) {
    return this.subarray(start, end)
  },
  subarray(this: NodeBuffer, start?: number, end?: number) {
    const size = typedArrayLength(this)
    const from = relative(start, 0, size)
    const to = relative(end, size, size)
    return new FastBuffer(typedArrayBuffer(this), typedArrayByteOffset(this) + from, to > from ? to - from : 0)
  },
  equals(this: NodeBuffer, other: unknown) {
    if (!isView(other)) throw invalidType('otherBuffer', 'an instance of Buffer or Uint8Array', other)
    if (this === other) return true
    if (this.length !== other.length) return false
    for (let i = 0; i < other.length; i++) if (this[i] !== other[i]) return false
    return true
  },
  toJSON(this: NodeBuffer) {
    return { type: 'Buffer', data: Array.from(this) }
  },
  /** `<Buffer 68 69>`, at most fifty bytes (lib/buffer.js, `INSPECT_MAX_BYTES`). */
  inspect(this: NodeBuffer) {
    const size = typedArrayLength(this)
    const shown = hexOf(this, mathMin(50, size))
    const rest = size - 50
    const name = this.constructor === Buffer || typeof this.constructor?.name !== 'string' ? 'Buffer' : this.constructor.name
    return `<${name} ${shown}${rest > 0 ? ` ... ${rest} more byte${rest > 1 ? 's' : ''}` : ''}>`
  }
}

function relative(value: unknown, otherwise: number, size: number): number {
  if (value === undefined) return otherwise
  const number = Math.trunc(Number(value)) || 0
  return number < 0 ? Math.max(0, size + number) : Math.min(number, size)
}

/** The package throws the right errors without Node's codes. */
function withCode<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof Error && !('code' in error)) {
      const size = error.message.startsWith('Buffer size must be')
      const bounds = error.message.includes('outside of buffer bounds')
      coded(error, error instanceof TypeError ? 'ERR_INVALID_ARG_TYPE' : size ? 'ERR_INVALID_BUFFER_SIZE' : bounds ? 'ERR_BUFFER_OUT_OF_BOUNDS' : 'ERR_OUT_OF_RANGE')
    }
    throw error
  }
}

function wrapMethods(): void {
  const prototype = Buffer.prototype
  for (const name of Object.getOwnPropertyNames(prototype)) {
    if (!/^(?:read|write)(?=[A-Z])|^swap/.test(name)) continue
    const plain: Function = prototype[name]
    const wrapped = named(function (this: NodeBuffer, a?: unknown, b?: unknown, c?: unknown) {
      try {
        return Reflect.apply(plain, this, [a, b, c])
      } catch (error) {
        return withCode(() => {
          throw error
        })
      }
    }, name)
    // readUInt8, readUint8 and readBigUInt64LE, readBigUint64LE
    hide(prototype, { [name]: wrapped, [name.replace('UInt', 'Uint')]: wrapped })
  }
  const plainIndexOf: Function = prototype['indexOf']
  // Nothing is found everywhere.
  const indexOf = function (this: NodeBuffer, value: unknown, offset?: unknown, encoding?: unknown): number {
    if (value === '' || (isView(value) && value.length === 0)) return relative(typeof offset === 'number' ? offset : undefined, 0, this.length)
    return Reflect.apply(plainIndexOf, this, [value, offset, encoding]) as number
  }
  hide(prototype, { indexOf, includes: named(function (this: NodeBuffer, value: unknown, offset?: unknown, encoding?: unknown) {
    return Reflect.apply(indexOf, this, [value, offset, encoding]) !== -1
  }, 'includes') })
}

wrapMethods()
named(Buffer, 'Buffer')
hide(Buffer, { ...statics, poolSize: 8192 })
hide(Buffer.prototype, { ...methods, toLocaleString: methods.toString, constructor: Buffer })
Object.defineProperty(Buffer.prototype, Symbol.for('nodejs.util.inspect.custom'), { value: methods.inspect, writable: true, configurable: true })
for (const [name, codec] of Object.entries(methodCodecs)) hide(Buffer.prototype, codecMethods(name, codec))

/** Node's `utf8Slice`, `hexWrite`…: undocumented, and used by libraries that look for speed (protobufjs among them). */
function codecMethods(name: string, codec: Codec): Record<string, unknown> {
  return {
    [`${name}Slice`](this: NodeBuffer, start?: number, end?: number) {
      return codec.read(this, clamp(start, 0, this.length), clamp(end, this.length, this.length))
    },
    [`${name}Write`](this: NodeBuffer, text: string, offset?: number, length?: number) {
      return methods.write.call(this, text, offset, length, codec.name)
    }
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    decodeUtf8(bytes, 0, bytes.length, true)
    return true
  } catch {
    return false
  }
}

/** What `require('buffer')` gives, but for atob, btoa and Blob, which are globals. */
export const bufferModule = {
  Buffer,
  SlowBuffer: (size: number) => Buffer.alloc(size),
  kMaxLength: MAX_LENGTH,
  kStringMaxLength: MAX_STRING_LENGTH,
  constants: { MAX_LENGTH, MAX_STRING_LENGTH },
  INSPECT_MAX_BYTES: 50,
  isAscii: (bytes: Uint8Array) => bytes.every(byte => byte < 0x80),
  isUtf8,
  transcode: (bytes: Uint8Array, from: string, to: string) => Buffer.from(codecFor(from).read(bytes, 0, bytes.length), to)
}

/** Node's own where there is one (tests); the guest's globals are not installed yet when this file is loaded. */
export const firstBuffer = (globalThis as unknown as { Buffer?: typeof Buffer }).Buffer ?? Buffer
