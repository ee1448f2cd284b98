/**
 * UTF-8 to text and back in plain JavaScript: a bare isolate has no TextDecoder. Every message that a tenant reads with `data.toString()`
 * passes here, so the shape is chosen by measurement: sixteen bytes to a call of `String.fromCharCode` while all is ASCII (it beats `apply` on a
 * view by a third and a concatenation of single characters by four times), from a scratch Uint16Array for everything else. Nothing is looked up
 * on a prototype, which a tenant may have replaced: hence no `subarray`, and no `apply` on a view, which asks it for its `length`.
 */
import { NativeError, NativeUint8Array, charCodeAt, fromCharCode, mathMin, typedArrayBuffer, typedArrayLength, typedArraySet } from '../primordials.ts'

const NativeUint16Array = Uint16Array

/** Far below the number of arguments a call may have, and small enough to stay in the cache. */
const CHUNK = 1024
const REPLACEMENT = 0xfffd

/** Made on first use, so that the snapshot does not carry it. */
let scratch: Uint16Array | undefined
let scratchBytes: Uint8Array | undefined

export class Utf8Error extends NativeError {}

/** Broken sequences become U+FFFD, one for each maximal part (Encoding Standard, "UTF-8 decoder"), or throw when `fatal`. */
export function decodeUtf8(bytes: Uint8Array, start = 0, end = typedArrayLength(bytes), fatal = false): string {
  let text = ''
  let i = start
  for (; i + 16 <= end; i += 16) {
    const a = bytes[i]!, b = bytes[i + 1]!, c = bytes[i + 2]!, d = bytes[i + 3]!
    const e = bytes[i + 4]!, f = bytes[i + 5]!, g = bytes[i + 6]!, h = bytes[i + 7]!
    const k = bytes[i + 8]!, l = bytes[i + 9]!, m = bytes[i + 10]!, n = bytes[i + 11]!
    const o = bytes[i + 12]!, p = bytes[i + 13]!, q = bytes[i + 14]!, r = bytes[i + 15]!
    if ((a | b | c | d | e | f | g | h | k | l | m | n | o | p | q | r) > 0x7f) break
    text += fromCharCode(a, b, c, d, e, f, g, h, k, l, m, n, o, p, q, r)
  }
  return i < end ? text + decodeMixed(bytes, i, end, fatal) : text
}

function decodeMixed(bytes: Uint8Array, start: number, end: number, fatal: boolean): string {
  const units = scratch ??= new NativeUint16Array(CHUNK + 1)
  let text = ''
  let used = 0
  let i = start
  while (i < end) {
    if (used >= CHUNK) {
      text += unitsToText(units, used)
      used = 0
    }
    const lead = bytes[i++]!
    if (lead < 0x80) {
      units[used++] = lead
      continue
    }
    // The usual characters of two and three bytes, without the questions below.
    if (lead < 0xe0) {
      if (lead >= 0xc2 && i < end && (bytes[i]! & 0xc0) === 0x80) {
        units[used++] = ((lead & 0x1f) << 6) | (bytes[i++]! & 0x3f)
        continue
      }
    } else if (lead > 0xe0 && lead < 0xf0 && lead !== 0xed && i + 1 < end && (bytes[i]! & 0xc0) === 0x80 && (bytes[i + 1]! & 0xc0) === 0x80) {
      units[used++] = ((lead & 0x0f) << 12) | ((bytes[i]! & 0x3f) << 6) | (bytes[i + 1]! & 0x3f)
      i += 2
      continue
    }
    // How many bytes follow, and what the first of them may be: overlong forms, surrogates and what lies beyond U+10FFFF end there.
    const follow = lead < 0xc2 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : 0
    let lower = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    let upper = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    let point = follow === 1 ? lead & 0x1f : follow === 2 ? lead & 0x0f : lead & 0x07
    let left = follow
    while (left > 0 && i < end) {
      const next = bytes[i]!
      if (next < lower || next > upper) break
      point = (point << 6) | (next & 0x3f)
      lower = 0x80
      upper = 0xbf
      left--
      i++
    }
    if (follow === 0 || left > 0) {
      if (fatal) throw new Utf8Error('The encoded data was not valid UTF-8')
      units[used++] = REPLACEMENT
    } else if (point < 0x10000) {
      units[used++] = point
    } else {
      units[used++] = 0xd7c0 + (point >> 10)
      units[used++] = 0xdc00 | (point & 0x3ff)
    }
  }
  return text + unitsToText(units, used)
}

function unitsToText(units: Uint16Array, count: number): string {
  let text = ''
  let i = 0
  for (; i + 16 <= count; i += 16) {
    text += fromCharCode(
      units[i]!, units[i + 1]!, units[i + 2]!, units[i + 3]!, units[i + 4]!, units[i + 5]!, units[i + 6]!, units[i + 7]!,
      units[i + 8]!, units[i + 9]!, units[i + 10]!, units[i + 11]!, units[i + 12]!, units[i + 13]!, units[i + 14]!, units[i + 15]!
    )
  }
  for (; i < count; i++) text += fromCharCode(units[i]!)
  return text
}

/** How many bytes at the end begin a character that is not complete yet: what a stream keeps back for the next chunk. */
export function incompleteTail(bytes: Uint8Array, end = typedArrayLength(bytes)): number {
  for (let back = 1; back <= 3 && back <= end; back++) {
    const byte = bytes[end - back]!
    if (byte < 0x80) return 0
    if (byte < 0xc0) continue
    const size = byte < 0xc2 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf5 ? 4 : 1
    if (size <= back) return 0
    const second = bytes[end - back + 1]
    if (back > 1 && !secondFits(byte, second!)) return 0
    return back
  }
  return 0
}

const secondFits = (lead: number, second: number): boolean =>
  second >= (lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80) && second <= (lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf)

/** Bytes that `text` takes; a surrogate without its other half takes the three of U+FFFD. */
export function utf8Length(text: string, from = 0): number {
  let size = 0
  for (let i = from; i < text.length; i++) {
    const code = charCodeAt(text, i)
    if (code < 0x80) size += 1
    else if (code < 0x800) size += 2
    else if (code >= 0xd800 && code < 0xdc00 && isLow(text, i + 1)) {
      size += 4
      i++
    } else size += 3
  }
  return size
}

function isLow(text: string, index: number): boolean {
  if (index >= text.length) return false
  const code = charCodeAt(text, index)
  return code >= 0xdc00 && code < 0xe000
}

export interface Written {
  /** UTF-16 units of the text that were used. */
  read: number
  written: number
}

/** Writes as many whole characters as fit between `at` and `limit`. */
export function writeUtf8(text: string, target: Uint8Array, at = 0, limit = typedArrayLength(target)): Written {
  const { length } = text
  let i = writeAscii(text, target, at, limit)
  let out = at + i
  for (; i < length; i++) {
    let code = charCodeAt(text, i)
    if (code < 0x80) {
      if (out >= limit) break
      target[out++] = code
      continue
    }
    if (code < 0x800) {
      if (out + 2 > limit) break
      target[out++] = 0xc0 | (code >> 6)
      target[out++] = 0x80 | (code & 0x3f)
      continue
    }
    if (code >= 0xd800 && code < 0xe000) {
      if (code < 0xdc00 && isLow(text, i + 1)) {
        if (out + 4 > limit) break
        const point = 0x10000 + ((code & 0x3ff) << 10) + (charCodeAt(text, ++i) & 0x3ff)
        target[out++] = 0xf0 | (point >> 18)
        target[out++] = 0x80 | ((point >> 12) & 0x3f)
        target[out++] = 0x80 | ((point >> 6) & 0x3f)
        target[out++] = 0x80 | (point & 0x3f)
        continue
      }
      code = REPLACEMENT
    }
    if (out + 3 > limit) break
    target[out++] = 0xe0 | (code >> 12)
    target[out++] = 0x80 | ((code >> 6) & 0x3f)
    target[out++] = 0x80 | (code & 0x3f)
  }
  return { read: i, written: out - at }
}

/** The ASCII at the beginning of `text`, as far as it fits; gives its length. */
export function writeAscii(text: string, target: Uint8Array, at: number, limit: number): number {
  const end = mathMin(text.length, limit - at)
  let i = 0
  for (; i + 4 <= end; i += 4) {
    const a = charCodeAt(text, i), b = charCodeAt(text, i + 1), c = charCodeAt(text, i + 2), d = charCodeAt(text, i + 3)
    if ((a | b | c | d) > 0x7f) break
    target[at + i] = a
    target[at + i + 1] = b
    target[at + i + 2] = c
    target[at + i + 3] = d
  }
  for (; i < end; i++) {
    const code = charCodeAt(text, i)
    if (code > 0x7f) break
    target[at + i] = code
  }
  return i
}

/** The bytes of `text` in an array that `make` makes: exactly as long as needed, so that nothing keeps a larger one alive. */
export function encodeUtf8<T extends Uint8Array>(text: string, make: (length: number) => T): T {
  const { length } = text
  const bytes = make(length)
  const ascii = writeAscii(text, bytes, 0, length)
  if (ascii === length) return bytes
  // Written where there is room for the worst and copied: cheaper than counting first.
  const wide = length <= CHUNK ? scratchBytes ??= new NativeUint8Array(CHUNK * 3) : new NativeUint8Array(length * 3)
  const { written } = writeUtf8(text, wide)
  const whole = make(written)
  typedArraySet(whole, new NativeUint8Array(typedArrayBuffer(wide), 0, written))
  return whole
}
