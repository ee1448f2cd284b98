import { bareArray, charCodeAt, fromCharCode, reflectApply } from './primordials.ts'

/**
 * Writes `text` as UTF-8 and returns the offset behind it. The caller has made room for three bytes a unit.
 * Lone surrogates become U+FFFD, as in the Encoding standard.
 */
export function writeUtf8(bytes: Uint8Array, offset: number, text: string): number {
  const length = text.length
  for (let i = 0; i < length; i++) {
    let code = charCodeAt(text, i)
    if (code < 0x80) {
      bytes[offset++] = code
      continue
    }
    if (code < 0x800) {
      bytes[offset++] = 0xc0 | (code >> 6)
      bytes[offset++] = 0x80 | (code & 0x3f)
      continue
    }
    if (code >= 0xd800 && code < 0xe000) {
      const low = code < 0xdc00 && i + 1 < length ? charCodeAt(text, i + 1) : 0
      if (low >= 0xdc00 && low < 0xe000) {
        i++
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
        bytes[offset++] = 0xf0 | (code >> 18)
        bytes[offset++] = 0x80 | ((code >> 12) & 0x3f)
        bytes[offset++] = 0x80 | ((code >> 6) & 0x3f)
        bytes[offset++] = 0x80 | (code & 0x3f)
        continue
      }
      code = 0xfffd
    }
    bytes[offset++] = 0xe0 | (code >> 12)
    bytes[offset++] = 0x80 | ((code >> 6) & 0x3f)
    bytes[offset++] = 0x80 | (code & 0x3f)
  }
  return offset
}

/** How many bytes `writeUtf8` writes. */
export function utf8Bytes(text: string): number {
  const length = text.length
  let bytes = length
  for (let i = 0; i < length; i++) {
    const code = charCodeAt(text, i)
    if (code < 0x80) continue
    bytes += code < 0x800 ? 1 : 2
    if (code < 0xd800 || code >= 0xdc00 || i + 1 === length) continue
    const low = charCodeAt(text, i + 1)
    // A pair is four bytes in all.
    if (low >= 0xdc00 && low < 0xe000) i++
  }
  return bytes
}

const UNITS_AT_ONCE = 4096

/** Valid UTF-8 to a string: what comes over a link as text was checked by the gateway. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  let units = bareArray<number>()
  let count = 0
  for (let i = start; i < end; ) {
    const byte = bytes[i]!
    if (byte < 0x80) {
      units[count++] = byte
      i += 1
    } else if (byte < 0xe0) {
      units[count++] = ((byte & 0x1f) << 6) | (bytes[i + 1]! & 0x3f)
      i += 2
    } else if (byte < 0xf0) {
      units[count++] = ((byte & 0x0f) << 12) | ((bytes[i + 1]! & 0x3f) << 6) | (bytes[i + 2]! & 0x3f)
      i += 3
    } else {
      const code = (((byte & 0x07) << 18) | ((bytes[i + 1]! & 0x3f) << 12) | ((bytes[i + 2]! & 0x3f) << 6) | (bytes[i + 3]! & 0x3f)) - 0x10000
      units[count++] = 0xd800 + (code >> 10)
      units[count++] = 0xdc00 + (code & 0x3ff)
      i += 4
    }
    if (count >= UNITS_AT_ONCE) {
      text += reflectApply(fromCharCode, undefined, units)
      units = bareArray()
      count = 0
    }
  }
  return text + reflectApply(fromCharCode, undefined, units)
}

