import { coded } from './globals/define.ts'
import { NativeTypeError, charCodeAt, stringIndexOf, stringToLowerCase, toText } from './primordials.ts'

/** Header lines (RFC 9110, 5.1 and 5.5): what Node's HTTP could not write is refused where it is said. */
const TOKEN_EXTRA = "!#$%&'*+-.^_`|~"

export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = charCodeAt(text, i)
    const alphanumeric = (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
    if (!alphanumeric && stringIndexOf(TOKEN_EXTRA, text[i]!) < 0) return false
  }
  return text !== ''
}

export function isFieldValue(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = charCodeAt(text, i)
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false
  }
  return true
}

/** The name in lower case. @throws TypeError as Node's `validateHeaderName` */
export function fieldName(name: unknown): string {
  if (typeof name !== 'string' || !isToken(name)) throw coded(new NativeTypeError(`Header name must be a valid HTTP token ["${toText(name)}"]`), 'ERR_INVALID_HTTP_TOKEN')
  return stringToLowerCase(name)
}

/** The value as text. @throws TypeError as Node's `validateHeaderValue` */
export function fieldValue(name: string, value: unknown): string {
  if (value === undefined) throw coded(new NativeTypeError(`Invalid value "undefined" for header "${name}"`), 'ERR_HTTP_INVALID_HEADER_VALUE')
  const text = toText(value)
  if (!isFieldValue(text)) throw coded(new NativeTypeError(`Invalid character in header content ["${name}"]`), 'ERR_INVALID_CHAR')
  return text
}
