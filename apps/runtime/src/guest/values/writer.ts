import { SHORT_STRINGS, SMALLS, Tag } from '@socklet/shared/value-tags'
import {
  NativeRangeError,
  NativeUint8Array,
  bigintAsIntN,
  bigintToString,
  charCodeAt,
  mathMax,
  mathMin,
  typedArrayBuffer,
  typedArrayByteLength,
  typedArraySet
} from '../primordials.ts'

const FIRST_BYTES = 1024
const MAX_SPARE_BYTES = 64 * 1024
/** Below this, a loop beats the making of a view. */
const SMALL_COPY = 128

/** The bytes of the last value, for the next: memory outside the heap is dear to get. Away while a value is being written, since a getter may write another. */
let spare: Uint8Array | null = null

const float = new Float64Array(1)
const floatBytes = new NativeUint8Array(typedArrayBuffer(float as never))
const big = new BigInt64Array(1)
const bigBytes = new NativeUint8Array(typedArrayBuffer(big as never))

let tooLarge: RangeError | null = null

/** Whether a writer threw this for want of room. A getter of the tenant may throw RangeErrors of its own. */
export function isTooLarge(error: unknown): boolean {
  return error !== null && error === tooLarge
}

/** Bytes that grow up to a limit, and not a byte beyond it. */
export class Writer {
  pos = 0
  readonly limit: number
  #bytes: Uint8Array
  readonly #what: string

  constructor(limit: number, what: string) {
    this.limit = limit
    this.#what = what
    this.#bytes = spare ?? new NativeUint8Array(FIRST_BYTES)
    spare = null
  }

  /** @throws RangeError if `count` bytes more are too many: asked before anything of that size is made */
  need(count: number): void {
    if (this.pos + count <= this.limit) return
    tooLarge = new NativeRangeError(`${this.#what} is larger than ${this.limit} bytes`)
    throw tooLarge
  }

  /** Room for `count` bytes; gives their offset. */
  #take(count: number): number {
    const at = this.pos
    this.need(count)
    const end = at + count
    if (end > typedArrayByteLength(this.#bytes)) this.#grow(end)
    this.pos = end
    return at
  }

  #grow(end: number): void {
    const grown = new NativeUint8Array(mathMax(end, mathMin(this.limit, 2 * typedArrayByteLength(this.#bytes))))
    typedArraySet(grown, this.#bytes)
    this.#bytes = grown
  }

  byte(value: number): void {
    const at = this.#take(1)
    this.#bytes[at] = value
  }

  varint(value: number): void {
    const at = this.#take(varintBytes(value))
    writeVarint(this.#bytes, at, value)
  }

  /** The tag with a number behind it. */
  tagged(tag: number, value: number): void {
    const at = this.#take(1 + varintBytes(value))
    this.#bytes[at] = tag
    writeVarint(this.#bytes, at + 1, value)
  }

  number(value: number): void {
    if ((value | 0) !== value || (value === 0 && 1 / value < 0)) {
      this.byte(Tag.DOUBLE)
      this.float(value)
    } else if (value >= 0 && value < SMALLS) {
      this.byte(Tag.SMALL + value)
    } else {
      this.tagged(Tag.INT, ((value << 1) ^ (value >> 31)) >>> 0)
    }
  }

  float(value: number): void {
    // One NaN, whatever its bits were: equal values have equal bytes.
    float[0] = value === value ? value : NaN
    this.#eight(floatBytes)
  }

  #eight(source: Uint8Array): void {
    const at = this.#take(8)
    const bytes = this.#bytes
    for (let i = 0; i < 8; i++) bytes[at + i] = source[i]!
  }

  bigint(value: bigint): void {
    if (bigintAsIntN(64, value) === value) {
      this.byte(Tag.BIGINT64)
      big[0] = value
      this.#eight(bigBytes)
      return
    }
    // Looked at before its digits are made: it may have a thousand million of them.
    const most = (this.limit - this.pos) * 8
    if (most < 64 || bigintAsIntN(most, value) !== value) this.need(this.limit)
    const negative = value < 0n
    // Only to a base that is a power of two are the digits made in linear time.
    const digits = bigintToString(negative ? -value : value, 16)
    const count = (digits.length + 1) >> 1
    this.tagged(negative ? Tag.BIGINT_MINUS : Tag.BIGINT_PLUS, count)
    const at = this.#take(count)
    const bytes = this.#bytes
    for (let i = 0, from = digits.length - 1; i < count; i++, from -= 2) {
      bytes[at + i] = hexDigit(charCodeAt(digits, from)) | (from > 0 ? hexDigit(charCodeAt(digits, from - 1)) << 4 : 0)
    }
  }

  string(text: string): void {
    const { length } = text
    const start = this.pos
    // First as if every unit fits in a byte, which is nearly always so.
    if (length < SHORT_STRINGS) this.byte(Tag.SHORT_STRING + length)
    else this.tagged(Tag.LATIN1, length)
    const at = this.#take(length)
    const bytes = this.#bytes
    for (let i = 0; i < length; i++) {
      const code = charCodeAt(text, i)
      if (code > 0xff) {
        this.pos = start
        this.#wide(text)
        return
      }
      bytes[at + i] = code
    }
  }

  #wide(text: string): void {
    const { length } = text
    this.tagged(Tag.UTF16, length)
    const at = this.#take(length * 2)
    const bytes = this.#bytes
    for (let i = 0; i < length; i++) {
      const code = charCodeAt(text, i)
      bytes[at + 2 * i] = code & 0xff
      bytes[at + 2 * i + 1] = code >> 8
    }
  }

  bytes(source: Uint8Array): void {
    const length = typedArrayByteLength(source)
    const at = this.#take(length)
    copy(source, this.#bytes, at, length)
  }

  /** What was written, in an array of its own. The writer is of no use after that. */
  finish(): Uint8Array {
    const length = this.pos
    const result = new NativeUint8Array(length)
    copy(length < SMALL_COPY ? this.#bytes : new NativeUint8Array(typedArrayBuffer(this.#bytes), 0, length), result, 0, length)
    if (typedArrayByteLength(this.#bytes) <= MAX_SPARE_BYTES) spare = this.#bytes
    return result
  }
}

function copy(source: Uint8Array, target: Uint8Array, at: number, length: number): void {
  if (length < SMALL_COPY) for (let i = 0; i < length; i++) target[at + i] = source[i]!
  else typedArraySet(target, source, at)
}

const hexDigit = (code: number): number => code < 58 ? code - 48 : code - 87

const varintBytes = (value: number): number => value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5

function writeVarint(bytes: Uint8Array, at: number, value: number): void {
  while (value >= 0x80) {
    bytes[at++] = (value & 0x7f) | 0x80
    value >>>= 7
  }
  bytes[at] = value
}
