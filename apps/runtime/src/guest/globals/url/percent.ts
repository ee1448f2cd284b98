/** Percent-encoding (URL Standard, "percent-encoded bytes"). */
import { decodeUtf8, encodeUtf8 } from '../utf8.ts'

/** The characters of a set are named by what ASCII it holds besides controls; all beyond ASCII is always encoded. */
// oxlint-disable-next-line no-control-regex
export const C0 = /[\0-\x1f\x7f-\u{10ffff}]/gu
export const FRAGMENT = /[^!#-;=?-_a-z{|}~]/gu
export const QUERY = /[^!$-;=?-~]/gu
export const SPECIAL_QUERY = /[^!$-&(-;=?-~]/gu
export const PATH = /[^!$-;=@-\]_a-z|~]/gu
export const USERINFO = /[^!$-.0-9A-Z_a-z~%&'()*+,]/gu

const bytes = (length: number): Uint8Array => new Uint8Array(length)
const escape = (byte: number): string => `%${byte < 16 ? '0' : ''}${byte.toString(16).toUpperCase()}`
const escapeAll = (character: string): string => Array.from(encodeUtf8(character, bytes), escape).join('')

/** `text` with what `set` matches escaped; a `%` that is there already stays. */
export const encode = (text: string, set: RegExp): string => text.replace(set, escapeAll)

export function percentDecode(text: string): Uint8Array {
  const input = encodeUtf8(text, bytes)
  let out = 0
  for (let i = 0; i < input.length; i++) {
    const byte = input[i]!
    const value = byte === 0x25 && i + 2 < input.length ? hexValue(input[i + 1]!) * 16 + hexValue(input[i + 2]!) : NaN
    if (Number.isNaN(value)) {
      input[out++] = byte
    } else {
      input[out++] = value
      i += 2
    }
  }
  return input.subarray(0, out)
}

export const percentDecodeText = (text: string): string => text.includes('%') ? decodeUtf8(percentDecode(text)) : text

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : NaN
}
