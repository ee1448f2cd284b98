import {
  NativeArrayBuffer,
  NativeRangeError,
  NativeUint8Array,
  bareArray,
  charCodeAt,
  fromCharCode,
  mathMin,
  reflectApply,
  toBigInt,
  typedArrayBuffer,
  typedArrayByteLength,
  typedArrayByteOffset,
  typedArraySet
} from '../primordials.ts'

const float = new Float64Array(1)
const floatBytes = new NativeUint8Array(typedArrayBuffer(float as never))
const big = new BigInt64Array(1)
const bigBytes = new NativeUint8Array(typedArrayBuffer(big as never))

/** Few enough arguments for one call, whatever the stack. */
const UNITS_AT_ONCE = 2048
/** Characters. A text that is put together of small pieces takes several times its size, until somebody looks at it. */
const PIECE = 16_384

/** Reads bytes that anybody may have written: nothing is made that is larger than what there is to read. */
export class Reader {
  pos = 0
  readonly end: number
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.end = typedArrayByteLength(bytes)
  }

  malformed(what: string): RangeError {
    return new NativeRangeError(`these bytes are not a value: ${what} at byte ${this.pos}`)
  }

  #take(count: number): number {
    const at = this.pos
    if (count > this.end - at) throw this.malformed('unexpected end')
    this.pos = at + count
    return at
  }

  byte(): number {
    return this.#bytes[this.#take(1)]!
  }

  /** The next byte, which stays; -1 at the end. */
  peek(): number {
    return this.pos < this.end ? this.#bytes[this.pos]! : -1
  }

  varint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      if (shift === 28 && byte > 0x0f) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw this.malformed('a number of more than 32 bits')
  }

  int(): number {
    const value = this.varint()
    return (value >>> 1) ^ -(value & 1)
  }

  float(): number {
    this.#eight(floatBytes)
    return float[0]!
  }

  bigint64(): bigint {
    this.#eight(bigBytes)
    return big[0]!
  }

  #eight(target: Uint8Array): void {
    const at = this.#take(8)
    for (let i = 0; i < 8; i++) target[i] = this.#bytes[at + i]!
  }

  /** Of `count` bytes. By way of hexadecimal text: the one way to make a long BigInt in linear time. */
  bigint(count: number): bigint {
    const at = this.#take(count)
    if (count === 0) return 0n
    let text = '0x'
    let units = bareArray<number>()
    let used = 0
    for (let i = count - 1; i >= 0; i--) {
      const byte = this.#bytes[at + i]!
      units[used++] = hexUnit(byte >> 4)
      units[used++] = hexUnit(byte & 15)
      if (used >= UNITS_AT_ONCE) {
        text += reflectApply(fromCharCode, undefined, units)
        units = bareArray()
        used = 0
      }
    }
    try {
      return toBigInt(text + (reflectApply(fromCharCode, undefined, units) as string))
    } catch {
      throw this.malformed('a BigInt that is too large')
    }
  }

  latin1(count: number): string {
    const start = this.#take(count)
    if (count <= PIECE) return this.#piece(start, start + count)
    let text = ''
    for (let at = start; at < start + count; at += PIECE) {
      const piece = this.#piece(at, mathMin(at + PIECE, start + count))
      charCodeAt(piece, 0)
      text += piece
    }
    return text
  }

  #piece(start: number, end: number): string {
    const bytes = this.#bytes
    let text = ''
    let i = start
    for (; i + 16 <= end; i += 16) {
      text += fromCharCode(
        bytes[i]!, bytes[i + 1]!, bytes[i + 2]!, bytes[i + 3]!, bytes[i + 4]!, bytes[i + 5]!, bytes[i + 6]!, bytes[i + 7]!,
        bytes[i + 8]!, bytes[i + 9]!, bytes[i + 10]!, bytes[i + 11]!, bytes[i + 12]!, bytes[i + 13]!, bytes[i + 14]!, bytes[i + 15]!
      )
    }
    return i === end ? text : text + lastUnits(bytes, i, end)
  }

  utf16(count: number): string {
    if (count > (this.end - this.pos) >> 1) throw this.malformed('unexpected end')
    const bytes = this.#bytes
    const start = this.#take(count * 2)
    const end = start + count * 2
    let text = ''
    let units = bareArray<number>()
    let used = 0
    for (let i = start; i < end; i += 2) {
      units[used++] = bytes[i]! | (bytes[i + 1]! << 8)
      if (used === UNITS_AT_ONCE) {
        text += reflectApply(fromCharCode, undefined, units)
        units = bareArray()
        used = 0
      }
    }
    return text + (reflectApply(fromCharCode, undefined, units) as string)
  }

  /** The next `count` bytes in a buffer of their own. */
  buffer(count: number): ArrayBuffer {
    const at = this.#take(count)
    const buffer = new NativeArrayBuffer(count)
    typedArraySet(new NativeUint8Array(buffer), new NativeUint8Array(typedArrayBuffer(this.#bytes), typedArrayByteOffset(this.#bytes) + at, count))
    return buffer
  }
}

/** Fewer than sixteen. Measured: four at a time and then one by one beats `apply` on a list. */
function lastUnits(bytes: Uint8Array, from: number, end: number): string {
  let text = ''
  let i = from
  for (; i + 4 <= end; i += 4) text += fromCharCode(bytes[i]!, bytes[i + 1]!, bytes[i + 2]!, bytes[i + 3]!)
  for (; i < end; i++) text += fromCharCode(bytes[i]!)
  return text
}

const hexUnit = (digit: number): number => digit < 10 ? 48 + digit : 87 + digit
