/** TextEncoder and TextDecoder (Encoding Standard) for UTF-8, UTF-16 and windows-1252: the tables of the other encodings are not worth their memory in each isolate. */
import { bytesIn, copyOf, joinAll, makeBytes } from './bytes.ts'
import { coded, invalidType, webInterface } from './define.ts'
import { readUtf16 } from './encodings.ts'
import { decodeUtf8, encodeUtf8, incompleteTail, writeUtf8 } from './utf8.ts'
import { trimUnits } from '../patterns.ts'
import { NativeRangeError, NativeTypeError, charCodeAt, fromCharCode, stringIncludes, stringIsWellFormed, stringToLowerCase, stringToWellFormed, substring, toText, typedArrayLength, typedArrayTag } from '../primordials.ts'

export const encodeText = (text: string): Uint8Array<ArrayBuffer> => encodeUtf8(text, makeBytes)

export class TextEncoder {
  get encoding(): 'utf-8' {
    return 'utf-8'
  }

  encode(text: unknown = ''): Uint8Array {
    return encodeText(toText(text))
  }

  encodeInto(text: unknown, target: Uint8Array): { read: number, written: number } {
    if (typedArrayTag(target) !== 'Uint8Array') throw invalidType('dest', 'an instance of Uint8Array', target)
    return writeUtf8(toText(text), target)
  }
}

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252'

/** Encoding Standard, "names and labels". */
const LABELS: Record<Encoding, string> = {
  'utf-8': 'unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8',
  'utf-16le': 'csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le',
  'utf-16be': 'unicodefffe utf-16be',
  'windows-1252': 'ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252'
}

/** What windows-1252 has between 0x80 and 0x9f, where Latin-1 has controls. */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ'

const ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252'] as const

function encodingOf(label: string): Encoding {
  const wanted = stringToLowerCase(trimUnits(label, unit => unit === ' ' || unit === '\t' || unit === '\n' || unit === '\f' || unit === '\r'))
  for (let i = 0; i < ENCODINGS.length; i++) {
    const encoding = ENCODINGS[i]!
    if (wanted !== '' && !stringIncludes(wanted, ' ') && stringIncludes(` ${LABELS[encoding]} `, ` ${wanted} `)) return encoding
  }
  throw coded(new NativeRangeError(`The "${label}" encoding is not supported`), 'ERR_ENCODING_NOT_SUPPORTED')
}

const EMPTY = makeBytes(0)

function bytesOf(input: unknown): Uint8Array {
  if (input === undefined) return EMPTY
  const bytes = bytesIn(input)
  if (bytes !== null) return bytes
  throw coded(new NativeTypeError('The "list" argument must be an instance of SharedArrayBuffer, ArrayBuffer or ArrayBufferView.'), 'ERR_INVALID_ARG_TYPE')
}

export class TextDecoder {
  #encoding: Encoding
  #fatal: boolean
  #ignoreBOM: boolean
  /** Bytes of a character that the next chunk completes. */
  #kept = EMPTY
  /** Something of the present stream came out already, so a byte order mark is a character. */
  #begun = false
  #streaming = false

  constructor(label: unknown = 'utf-8', options: { fatal?: boolean, ignoreBOM?: boolean } | null = {}) {
    this.#encoding = encodingOf(toText(label))
    this.#fatal = !!options?.fatal
    this.#ignoreBOM = !!options?.ignoreBOM
  }

  get encoding(): string {
    return this.#encoding
  }

  get fatal(): boolean {
    return this.#fatal
  }

  get ignoreBOM(): boolean {
    return this.#ignoreBOM
  }

  decode(input?: unknown, options?: { stream?: boolean }): string {
    const stream = !!options?.stream
    const given = bytesOf(input)
    const bytes = this.#streaming && typedArrayLength(this.#kept) > 0 ? joinAll([this.#kept, given]) : given
    const length = typedArrayLength(bytes)
    if (!this.#streaming) this.#begun = false
    this.#kept = EMPTY
    this.#streaming = stream
    const tail = stream ? this.#incomplete(bytes) : 0
    if (tail > 0) this.#kept = copyOf(bytes, length - tail)
    const text = this.#text(bytes, length - tail)
    if (text === '') return text
    const marked = !this.#begun && !this.#ignoreBOM && this.#encoding !== 'windows-1252' && charCodeAt(text, 0) === 0xfeff
    this.#begun = true
    return marked ? substring(text, 1, text.length) : text
  }

  #incomplete(bytes: Uint8Array): number {
    if (this.#encoding === 'utf-8') return incompleteTail(bytes)
    if (this.#encoding === 'windows-1252') return 0
    const length = typedArrayLength(bytes)
    const odd = length % 2
    const high = length < 2 ? undefined : bytes[length - odd - (this.#encoding === 'utf-16le' ? 1 : 2)]
    return high !== undefined && high >= 0xd8 && high < 0xdc ? odd + 2 : odd
  }

  #text(bytes: Uint8Array, end: number): string {
    if (this.#encoding === 'windows-1252') return windows1252(bytes, end)
    if (this.#encoding !== 'utf-8') return this.#utf16(bytes, end)
    try {
      return decodeUtf8(bytes, 0, end, this.#fatal)
    } catch {
      throw this.#invalid()
    }
  }

  #utf16(bytes: Uint8Array, end: number): string {
    const ordered = this.#encoding === 'utf-16le' ? bytes : swapped(bytes)
    const text = readUtf16(ordered, 0, end)
    const whole = end % 2 === 0 ? text : `${text}\ufffd`
    if (this.#fatal && (end % 2 !== 0 || !stringIsWellFormed(text))) throw this.#invalid()
    // A high surrogate that is cut short takes the odd byte with it: one replacement, not two.
    return end % 2 !== 0 && text !== '' && isHigh(charCodeAt(text, text.length - 1)) ? `${stringToWellFormed(substring(text, 0, text.length - 1))}\ufffd` : stringToWellFormed(whole)
  }

  #invalid(): TypeError {
    this.#kept = EMPTY
    this.#streaming = false
    return coded(new NativeTypeError(`The encoded data was not valid for encoding ${this.#encoding}`), 'ERR_ENCODING_INVALID_ENCODED_DATA')
  }
}

/** Encoding Standard, "UTF-8 decode": without the byte order mark. */
export function decodeText(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes)
  return text !== '' && charCodeAt(text, 0) === 0xfeff ? substring(text, 1, text.length) : text
}

function swapped(bytes: Uint8Array): Uint8Array {
  const copy = copyOf(bytes)
  const length = typedArrayLength(bytes)
  for (let i = 0; i + 1 < length; i += 2) {
    copy[i] = bytes[i + 1]!
    copy[i + 1] = bytes[i]!
  }
  return copy
}

const isHigh = (code: number): boolean => code >= 0xd800 && code < 0xdc00

function windows1252(bytes: Uint8Array, end: number): string {
  let text = ''
  for (let i = 0; i < end; i++) {
    const byte = bytes[i]!
    text += byte >= 0x80 && byte < 0xa0 ? WINDOWS_1252[byte - 0x80]! : fromCharCode(byte)
  }
  return text
}

webInterface(TextEncoder, 'TextEncoder', ['encoding', 'encode', 'encodeInto'])
webInterface(TextDecoder, 'TextDecoder', ['encoding', 'fatal', 'ignoreBOM', 'decode'])
