/** The encodings of Node's Buffer: name by name, how long, how written, how read. Base64 and hex are V8's own (`Uint8Array.prototype.toBase64`, …). */
import { decodeUtf8, utf8Length, writeUtf8 } from './utf8.ts'
import { stringToLowerCase } from '../primordials.ts'

export interface Codec {
  name: string
  /** Bytes for `text`; an upper bound for base64 and hex with characters that do not belong. */
  length(text: string): number
  /** Writes what fits, gives the number of bytes written. */
  write(text: string, target: Uint8Array, at: number, limit: number): number
  read(bytes: Uint8Array, start: number, end: number): string
}

interface Base64Options { alphabet?: 'base64' | 'base64url', omitPadding?: boolean, lastChunkHandling?: 'loose' }
interface WithBase64 { toBase64(options?: Base64Options): string, toHex(): string }
interface FromBase64 { fromBase64(text: string, options?: Base64Options): Uint8Array, fromHex(text: string): Uint8Array }

// Kept before a tenant can replace them: Buffer's own speed and sense depend on them.
const { fromCharCode } = String
const { apply } = Reflect
const { subarray, slice, set } = Uint8Array.prototype

/**
 * V8 adds its newest functions only when a snapshot is restored, so they are looked up on first use: while the snapshot is built there are none
 * (nor Temporal, `Error.isError`, `Promise.try`, `RegExp.escape`, `Map.prototype.getOrInsert`, DisposableStack, SharedArrayBuffer, WebAssembly).
 */
let found: (WithBase64 & FromBase64) | undefined
function native(): WithBase64 & FromBase64 {
  if (found === undefined) {
    const { toBase64, toHex } = Uint8Array.prototype as unknown as WithBase64
    const { fromBase64, fromHex } = Uint8Array as unknown as FromBase64
    found = { toBase64, toHex, fromBase64, fromHex }
  }
  return found
}

/** Few enough arguments for one call, whatever the stack. */
const CHUNK = 4096

/** One character for each element: Latin-1 from bytes, UTF-16 from units. */
function readUnits(units: Uint8Array | Uint16Array, start: number, end: number): string {
  let text = ''
  for (let i = start; i < end; i += CHUNK) {
    text += apply(fromCharCode, null, units.subarray(i, Math.min(i + CHUNK, end)))
  }
  return text
}

function writeCodes(text: string, target: Uint8Array, at: number, limit: number): number {
  const count = Math.min(text.length, limit - at)
  for (let i = 0; i < count; i++) target[at + i] = text.charCodeAt(i)
  return count
}

function copyInto(bytes: Uint8Array, target: Uint8Array, at: number, limit: number): number {
  const count = Math.min(bytes.length, limit - at)
  apply(set, target, [apply(subarray, bytes, [0, count]), at])
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
    const copy: Uint8Array = apply(slice, bytes, [start, end])
    for (let i = 0; i < copy.length; i++) copy[i] = copy[i]! & 0x7f
    return readUnits(copy, 0, copy.length)
  }
}

const utf16le: Codec = {
  name: 'utf16le',
  length: text => text.length * 2,
  write(text, target, at, limit) {
    const count = Math.min(text.length, (limit - at) >> 1)
    for (let i = 0; i < count; i++) {
      const code = text.charCodeAt(i)
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
  const even = (bytes.byteOffset + start) % 2 === 0 ? bytes : Uint8Array.from(bytes.subarray(start, end))
  const from = even === bytes ? bytes.byteOffset + start : even.byteOffset
  return readUnits(new Uint16Array(even.buffer, from, count), 0, count)
}

const hex: Codec = {
  name: 'hex',
  length: text => text.length >>> 1,
  write: (text, target, at, limit) => copyInto(hexBytes(text, limit - at), target, at, limit),
  read: (bytes, start, end) => apply(native().toHex, apply(subarray, bytes, [start, end]), [])
}

/** Node reads hex up to the first pair that is none. */
function hexBytes(text: string, most: number): Uint8Array {
  const pairs = text.slice(0, Math.min(most, text.length >>> 1) * 2)
  try {
    return apply(native().fromHex, Uint8Array, [pairs])
  } catch {
    const bad = /[^0-9a-f]/i.exec(pairs)!.index
    return apply(native().fromHex, Uint8Array, [pairs.slice(0, bad & ~1)])
  }
}

/** Node takes both alphabets at once, passes over what belongs to neither, and stops at `=`. */
export function base64Bytes(text: string): Uint8Array {
  try {
    return apply(native().fromBase64, Uint8Array, [text])
  } catch {
    const end = text.indexOf('=')
    const clean = (end < 0 ? text : text.slice(0, end)).replaceAll('-', '+').replaceAll('_', '/').replace(/[^A-Za-z0-9+/]/g, '')
    const whole = clean.length % 4 === 1 ? clean.slice(0, -1) : clean
    return apply(native().fromBase64, Uint8Array, [whole])
  }
}

const base64Length = (text: string): number => {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  return ((text.length - padding) * 3) >>> 2
}

const base64: Codec = {
  name: 'base64',
  length: base64Length,
  write: (text, target, at, limit) => copyInto(base64Bytes(text), target, at, limit),
  read: (bytes, start, end) => apply(native().toBase64, apply(subarray, bytes, [start, end]), [])
}

const URL_SAFE: Base64Options = { alphabet: 'base64url', omitPadding: true }
const base64url: Codec = { ...base64, name: 'base64url', read: (bytes, start, end) => apply(native().toBase64, apply(subarray, bytes, [start, end]), [URL_SAFE]) }

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
