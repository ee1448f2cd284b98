/** Reads the bytes of values, which may be anybody's, and makes nothing of them but numbers and strings. */
import { SHORT_STRINGS, Tag } from './value-tags.ts'

/** The bytes are no value. */
export class ValueError extends Error {
  override readonly name = 'ValueError'
}

export class ValueReader {
  pos: number
  readonly end: number
  readonly #bytes: Buffer

  /** Reads from `start` to `end`. */
  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.pos = start
    this.end = end
  }

  /** Where the next `count` bytes begin; they are passed over. */
  skip(count: number): number {
    const at = this.pos
    if (count > this.end - at) throw new ValueError('unexpected end')
    this.pos = at + count
    return at
  }

  byte(): number {
    return this.#bytes[this.skip(1)]!
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
    throw new ValueError('a number of more than 32 bits')
  }

  int(): number {
    const value = this.varint()
    return (value >>> 1) ^ -(value & 1)
  }

  float(): number {
    return this.#bytes.readDoubleLE(this.skip(8))
  }

  bigint64(): bigint {
    return this.#bytes.readBigInt64LE(this.skip(8))
  }

  /** The next `count` bytes, where they are. */
  view(count: number): Buffer {
    const at = this.skip(count)
    return this.#bytes.subarray(at, at + count)
  }

  /** A string without its tag. At most `most` units of it are made. */
  string(most: number): string {
    const tag = this.byte()
    if (tag === Tag.UTF16) {
      const units = this.varint()
      return this.view(units * 2).toString('utf16le', 0, Math.min(units, most) * 2)
    }
    return this.view(this.#latin1Units(tag)).toString('latin1', 0, most)
  }

  /** Passes over a string, and tells how many units it has. */
  skipString(): number {
    const tag = this.byte()
    const units = tag === Tag.UTF16 ? this.varint() : this.#latin1Units(tag)
    this.skip(tag === Tag.UTF16 ? units * 2 : units)
    return units
  }

  #latin1Units(tag: number): number {
    if (tag >= Tag.SHORT_STRING && tag < Tag.SHORT_STRING + SHORT_STRINGS) return tag - Tag.SHORT_STRING
    if (tag === Tag.LATIN1) return this.varint()
    throw new ValueError('no string')
  }
}

export const isString = (tag: number): boolean => tag === Tag.LATIN1 || tag === Tag.UTF16 || (tag >= Tag.SHORT_STRING && tag < Tag.SHORT_STRING + SHORT_STRINGS)
