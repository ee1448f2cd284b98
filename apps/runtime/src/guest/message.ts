import { noteAsked } from './asked-text.ts'
import { wordOf, type Mailbox } from './mailbox.ts'
import { bufferOn } from './globals/buffer.ts'
import { decodeUtf8 } from './globals/utf8.ts'
import { reflectApply, substring, typedArrayByteLength } from './primordials.ts'

/**
 * The `data` of a message: a Buffer, as in laf. Nearly every function asks a text message for its text, and
 * decoding UTF-8 in the isolate is the dearest step on the way of a message. So the Buffer knows where its text
 * stands among the strings that came with the turn, and `toString()` gives it, once it has seen that the bytes are
 * still those that came: a function may have changed them.
 */
export interface TextSource {
  readonly mailbox: Mailbox
  /** Its bytes in the mailbox. Frames are aligned to words, and so are their payloads. */
  readonly start: number
  readonly length: number
  /** The text, if the host has decoded it. Else it is ASCII or has to be decoded here. */
  readonly decoded: string | null
}

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

export function messageBuffer(bytes: ArrayBuffer, start: number, length: number, source: TextSource | null): Uint8Array {
  const data = bufferOn(bytes, start, length)
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
  if (source === null || typedArrayByteLength(bytes) !== source.length) return null
  const { mailbox, start, length, decoded } = source
  const seen = unchangedBits(mailbox, start, length)
  if (seen === CHANGED) return null
  if (decoded !== null) return decoded
  if ((seen & NOT_ASCII) !== 0) return null
  const text = substring(mailbox.latin1!, start, start + length)
  noteAsked(text, mailbox, start)
  return text
}

/** No bits of words, but a number of its own. */
const CHANGED = -1.5
const NOT_ASCII = 0x80808080

/**
 * So many words at a time. A loop over a whole message of a MiB is optimized while it runs, and in three of eight starts V8 (14.6) lost that and never tried again:
 * 7 ms in place of 1.4. A function that is called again and again it optimizes between two calls.
 */
const PIECE_WORDS = 1024

/** All bits that are set in some word of these bytes, if they are what they were; four bytes at a time, which is many times faster than one by one. */
function unchangedBits(mailbox: Mailbox, start: number, length: number): number {
  const { words, before, latin1 } = mailbox
  const end = (start + length) >> 2
  let seen = 0
  for (let from = start >> 2; from < end; from += PIECE_WORDS) {
    const bits = unchangedWords(mailbox, from, from + PIECE_WORDS < end ? from + PIECE_WORDS : end)
    if (bits === CHANGED) return CHANGED
    seen |= bits
  }
  const rest = (1 << ((length & 3) * 8)) - 1
  if (rest === 0) return seen
  return ((words[end]! ^ (before === null ? wordOf(latin1!, end) : before[end]!)) & rest) === 0 ? seen | (words[end]! & rest) : CHANGED
}

/** As `unchangedBits`, of whole words. */
function unchangedWords({ words, before, latin1 }: Mailbox, from: number, end: number): number {
  let seen = 0
  for (let i = from; i < end; i++) {
    const word = words[i]!
    if (word !== (before === null ? wordOf(latin1!, i) : before[i])) return CHANGED
    seen |= word
  }
  return seen
}

/** The UTF-8 text of bytes, whatever functions have made of `toString`. */
export function bufferText(bytes: Uint8Array): string {
  return decodeUtf8(bytes, 0, typedArrayByteLength(bytes))
}
