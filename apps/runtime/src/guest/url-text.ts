import { charCodeAt, encodeComponent, fromCharCode, numberToString, stringIndexOf, stringToUpperCase, stringToWellFormed, substring } from './primordials.ts'

const HEX = '0123456789abcdefABCDEF'
/** What else a URL has none of as it is (npm encodeurl). */
const NOT_IN_URLS = '"<>`{}'

/** As express encodes Location, by npm encodeurl: what is no character of a URL is encoded, and what is encoded already stays as it is. */
export function encodeUrl(url: string): string {
  const text = stringToWellFormed(url)
  let encoded = ''
  let from = 0
  for (let i = 0; i < text.length; i++) {
    if (isUrlUnit(text, i)) continue
    const end = i + (isPair(text, i) ? 2 : 1)
    encoded += substring(text, from, i) + encodeComponent(substring(text, i, end))
    from = end
    i = end - 1
  }
  return encoded + substring(text, from, text.length)
}

/** RFC 8187: `encodeURIComponent` leaves some that have a meaning there. */
export function encodeUrlPart(text: string): string {
  const encoded = encodeComponent(stringToWellFormed(text))
  let strict = ''
  for (let i = 0; i < encoded.length; i++) strict += stringIndexOf("'()*", encoded[i]!) < 0 ? encoded[i]! : percent(charCodeAt(encoded, i))
  return strict
}

function isUrlUnit(text: string, at: number): boolean {
  const code = charCodeAt(text, at)
  if (code === 0x25) return isHex(text, at + 1) && isHex(text, at + 2)
  return code > 0x20 && code < 0x7f && stringIndexOf(NOT_IN_URLS, fromCharCode(code)) < 0
}

function isHex(text: string, at: number): boolean {
  return at < text.length && stringIndexOf(HEX, text[at]!) >= 0
}

function isPair(text: string, at: number): boolean {
  const code = charCodeAt(text, at)
  return code >= 0xd800 && code <= 0xdbff
}

function percent(code: number): string {
  return `%${stringToUpperCase(numberToString(code, 16))}`
}
