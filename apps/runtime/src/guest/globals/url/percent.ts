/** Percent-encoding (URL Standard, "percent-encoded bytes"). */
import { replaceMatches } from '../../patterns.ts'
import { numberToString, stringIncludes, stringToUpperCase, typedArrayLength } from '../../primordials.ts'
import { makeBytes, part } from '../bytes.ts'
import { decodeUtf8, encodeUtf8 } from '../utf8.ts'

/** The characters of a set are named by what ASCII it holds besides controls; all beyond ASCII is always encoded. */
// oxlint-disable-next-line no-control-regex
export const C0 = /[\0-\x1f\x7f-\u{10ffff}]/gu
export const FRAGMENT = /[^!#-;=?-_a-z{|}~]/gu
export const QUERY = /[^!$-;=?-~]/gu
export const SPECIAL_QUERY = /[^!$-&(-;=?-~]/gu
export const PATH = /[^!$-;=@-\]_a-z|~]/gu
export const USERINFO = /[^!$-.0-9A-Z_a-z~%&'()*+,]/gu

const escape = (byte: number): string => `%${byte < 16 ? '0' : ''}${stringToUpperCase(numberToString(byte, 16))}`

function escapeAll(character: string): string {
  const bytes = encodeUtf8(character, makeBytes)
  const length = typedArrayLength(bytes)
  let text = ''
  for (let i = 0; i < length; i++) text += escape(bytes[i]!)
  return text
}

/** `text` with what `set` matches escaped; a `%` that is there already stays. */
export const encode = (text: string, set: RegExp): string => replaceMatches(text, set, escapeAll)

export function percentDecode(text: string): Uint8Array {
  const input = encodeUtf8(text, makeBytes)
  const length = typedArrayLength(input)
  let out = 0
  for (let i = 0; i < length; i++) {
    const byte = input[i]!
    const value = byte === 0x25 && i + 2 < length ? hexValue(input[i + 1]!) * 16 + hexValue(input[i + 2]!) : NaN
    if (value >= 0) {
      input[out++] = value
      i += 2
    } else {
      input[out++] = byte
    }
  }
  return part(input, 0, out)
}

export const percentDecodeText = (text: string): string => stringIncludes(text, '%') ? decodeUtf8(percentDecode(text)) : text

/** NaN for what is no digit. */
function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : NaN
}
