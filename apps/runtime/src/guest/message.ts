import { NativeUint8Array, charCodeAt, reflectApply, reflectConstruct, substring, typedArrayByteLength } from './primordials.ts'

/**
 * The `data` of a message: a Buffer, as in laf. Nearly every function asks a text message for its text, and
 * decoding UTF-8 in the isolate is the dearest step on the way of a message. So the Buffer knows where its text
 * stands among the strings that came with the turn, and `toString()` gives it, once it has seen that the bytes are
 * still those: a function may have changed them.
 */
interface TextSource {
  /** Bytes of the turn as a string of their values, or the decoded text itself. */
  readonly text: string
  readonly start: number
  readonly decoded: boolean
}

type BufferConstructor = { prototype: object } & (new (...args: never[]) => Uint8Array)

// A constructor that returns what it is given: the private field of a class that extends it is put on a Buffer,
// where no tenant can see it.
const Given = function (target: object) {
  return target
} as unknown as new (target: object) => object

class TextOf extends Given {
  #source: TextSource
  constructor(bytes: object, source: TextSource) {
    super(bytes)
    this.#source = source
  }
  static of(bytes: object): TextSource | null {
    return #source in bytes ? (bytes as TextOf).#source : null
  }
}

export function messageBuffer(Buffer: BufferConstructor, bytes: ArrayBuffer, start: number, length: number, source: TextSource | null): Uint8Array {
  const data = reflectConstruct(NativeUint8Array, [bytes, start, length], Buffer) as Uint8Array
  if (source !== null) void new TextOf(data, source)
  return data
}

/** Lets `toString()` without arguments, or with 'utf8', take the short way. */
export function shortenToString(prototype: { toString: (...args: unknown[]) => string }): void {
  const original = prototype.toString
  const toString = function (this: Uint8Array, encoding?: unknown, start?: unknown, end?: unknown): string {
    if (start === undefined && end === undefined && (encoding === undefined || encoding === 'utf8' || encoding === 'utf-8')) {
      const text = textOf(this)
      if (text !== null) return text
    }
    return reflectApply(original, this, [encoding, start, end]) as string
  }
  Reflect.defineProperty(prototype, 'toString', { value: toString, writable: true, configurable: true, enumerable: false })
}

function textOf(bytes: Uint8Array): string | null {
  const source = typeof bytes === 'object' && bytes !== null ? TextOf.of(bytes) : null
  if (source === null) return null
  const length = typedArrayByteLength(bytes)
  if (source.decoded) return matchesUtf8(bytes, length, source.text) ? source.text : null
  const { text, start } = source
  for (let i = 0; i < length; i++) {
    const byte = bytes[i]!
    if (byte >= 0x80 || byte !== charCodeAt(text, start + i)) return null
  }
  return substring(text, start, start + length)
}

/** Whether the bytes are still the UTF-8 of the text. Comparing makes nothing, so it is far cheaper than decoding. */
function matchesUtf8(bytes: Uint8Array, length: number, text: string): boolean {
  let at = 0
  for (let i = 0; i < text.length; i++) {
    const code = charCodeAt(text, i)
    if (code < 0x80) {
      if (bytes[at++] !== code) return false
    } else if (code < 0x800) {
      if (bytes[at++] !== (0xc0 | (code >> 6)) || bytes[at++] !== (0x80 | (code & 0x3f))) return false
    } else if (code >= 0xd800 && code < 0xe000) {
      const point = 0x10000 + ((code - 0xd800) << 10) + (charCodeAt(text, ++i) - 0xdc00)
      if (bytes[at++] !== (0xf0 | (point >> 18)) || bytes[at++] !== (0x80 | ((point >> 12) & 0x3f))) return false
      if (bytes[at++] !== (0x80 | ((point >> 6) & 0x3f)) || bytes[at++] !== (0x80 | (point & 0x3f))) return false
    } else {
      if (bytes[at++] !== (0xe0 | (code >> 12)) || bytes[at++] !== (0x80 | ((code >> 6) & 0x3f)) || bytes[at++] !== (0x80 | (code & 0x3f))) return false
    }
  }
  return at === length
}
