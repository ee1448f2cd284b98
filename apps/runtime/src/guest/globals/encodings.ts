/** The encodings of Node's Buffer: name by name, how long, how written, how read. Base64 and hex are V8's own (`Uint8Array.prototype.toBase64`, …). */
import { part, copyOf } from './bytes.ts'
import { decodeUtf8, utf8Length, writeUtf8 } from './utf8.ts'
import { replaceAll } from '../lists.ts'
import { match, replaceMatches } from '../patterns.ts'
import {
  NativeUint16Array,
  base64Functions,
  charCodeAt,
  fromCharCode,
  mathMin,
  stringEndsWith,
  stringIndexOf,
  stringToLowerCase,
  substring,
  typedArrayBuffer,
  typedArrayByteOffset,
  typedArrayLength,
  typedArraySet
} from '../primordials.ts'

export interface Codec {
  name: string
  /** Bytes for `text`; an upper bound for base64 and hex with characters that do not belong. */
  length(text: string): number
  /** Writes what fits, gives the number of bytes written. */
  write(text: string, target: Uint8Array, at: number, limit: number): number
  read(bytes: Uint8Array, start: number, end: number): string
}

/** One character for each element: Latin-1 from bytes, UTF-16 from units. Without `apply` on the array, which asks it for its length (see utf8.ts). */
function readUnits(units: Uint8Array | Uint16Array, start: number, end: number): string {
  let text = ''
  let i = start
  for (; i + 16 <= end; i += 16) {
    text += fromCharCode(
      units[i]!, units[i + 1]!, units[i + 2]!, units[i + 3]!, units[i + 4]!, units[i + 5]!, units[i + 6]!, units[i + 7]!,
      units[i + 8]!, units[i + 9]!, units[i + 10]!, units[i + 11]!, units[i + 12]!, units[i + 13]!, units[i + 14]!, units[i + 15]!
    )
  }
  for (; i < end; i++) text += fromCharCode(units[i]!)
  return text
}

function writeCodes(text: string, target: Uint8Array, at: number, limit: number): number {
  const count = mathMin(text.length, limit - at)
  for (let i = 0; i < count; i++) target[at + i] = charCodeAt(text, i)
  return count
}

function copyInto(bytes: Uint8Array, target: Uint8Array, at: number, limit: number): number {
  const count = mathMin(typedArrayLength(bytes), limit - at)
  typedArraySet(target, part(bytes, 0, count), at)
  return count
}

const utf8: Codec = {
  name: 'utf8',
  length: utf8Length,
  write: (text, target, at, limit) => writeUtf8(text, target, at, limit).written,
  read: decodeUtf8
}

const latin1: Codec = { name: 'latin1', length: text => text.length, write: writeCodes, read: readUnits }

const ascii: Codec = {
  ...latin1,
  name: 'ascii',
  read(bytes, start, end) {
    // Reading ASCII drops the highest bit, writing it keeps it: as in Node.
    const copy = copyOf(bytes, start, end)
    const length = end - start
    for (let i = 0; i < length; i++) copy[i] = copy[i]! & 0x7f
    return readUnits(copy, 0, length)
  }
}

const utf16le: Codec = {
  name: 'utf16le',
  length: text => text.length * 2,
  write(text, target, at, limit) {
    const count = mathMin(text.length, (limit - at) >> 1)
    for (let i = 0; i < count; i++) {
      const code = charCodeAt(text, i)
      target[at + 2 * i] = code
      target[at + 2 * i + 1] = code >> 8
    }
    return count * 2
  },
  read: readUtf16
}

export function readUtf16(bytes: Uint8Array, start: number, end: number): string {
  const count = (end - start) >> 1
  if (count <= 0) return ''
  // A view of 16-bit units must begin at an even address.
  const at = typedArrayByteOffset(bytes) + start
  const isEven = at % 2 === 0
  return readUnits(new NativeUint16Array(typedArrayBuffer(isEven ? bytes : copyOf(bytes, start, end)), isEven ? at : 0, count), 0, count)
}

const hex: Codec = {
  name: 'hex',
  length: text => text.length >>> 1,
  write: (text, target, at, limit) => copyInto(hexBytes(text, limit - at), target, at, limit),
  read: (bytes, start, end) => base64Functions().toHex(part(bytes, start, end))
}

const NOT_HEX = /[^0-9a-f]/i

/** Node reads hex up to the first pair that is none. */
function hexBytes(text: string, most: number): Uint8Array {
  const pairs = substring(text, 0, mathMin(most, text.length >>> 1) * 2)
  try {
    return base64Functions().fromHex(pairs)
  } catch {
    const bad = match(NOT_HEX, pairs)!.index
    return base64Functions().fromHex(substring(pairs, 0, bad & ~1))
  }
}

const NOT_BASE64 = /[^A-Za-z0-9+/]+/g

/** Node takes both alphabets at once, passes over what belongs to neither, and stops at `=`. */
export function base64Bytes(text: string): Uint8Array {
  try {
    return base64Functions().fromBase64(text)
  } catch {
    const end = stringIndexOf(text, '=')
    const whole = end < 0 ? text : substring(text, 0, end)
    const clean = replaceMatches(replaceAll(replaceAll(whole, '-', '+'), '_', '/'), NOT_BASE64, () => '')
    return base64Functions().fromBase64(clean.length % 4 === 1 ? substring(clean, 0, clean.length - 1) : clean)
  }
}

const base64Length = (text: string): number => {
  const padding = stringEndsWith(text, '==') ? 2 : stringEndsWith(text, '=') ? 1 : 0
  return ((text.length - padding) * 3) >>> 2
}

const base64: Codec = {
  name: 'base64',
  length: base64Length,
  write: (text, target, at, limit) => copyInto(base64Bytes(text), target, at, limit),
  read: (bytes, start, end) => base64Functions().toBase64(part(bytes, start, end))
}

const URL_SAFE = { __proto__: null as never, alphabet: 'base64url' as const, omitPadding: true }
const base64url: Codec = { ...base64, name: 'base64url', read: (bytes, start, end) => base64Functions().toBase64(part(bytes, start, end), URL_SAFE) }

const CODECS: Record<string, Codec> = {
  __proto__: null as never,
  'utf8': utf8, 'utf-8': utf8,
  'ucs2': utf16le, 'ucs-2': utf16le, 'utf16le': utf16le, 'utf-16le': utf16le,
  'latin1': latin1, 'binary': latin1,
  ascii, hex, base64, base64url
}

/** The names that get methods of their own: `utf8Slice`, `hexWrite`… */
export const methodCodecs: Record<string, Codec> = { utf8, ucs2: utf16le, utf16le, latin1, ascii, hex, base64, base64url }

export const codecOf = (name: string): Codec | undefined => CODECS[name] ?? CODECS[stringToLowerCase(name)]
