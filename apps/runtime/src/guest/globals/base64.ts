/** atob and btoa (HTML Standard, "base64 utility methods"). */
import { makeBytes } from './bytes.ts'
import { DOMException } from './dom-exception.ts'
import { codecOf } from './encodings.ts'
import { missingArgument, named } from './define.ts'
import { matches, replaceMatches } from '../patterns.ts'
import { charCodeAt, stringEndsWith, substring, toText } from '../primordials.ts'

const latin1 = codecOf('latin1')!
const base64 = codecOf('base64')!
const SPACE = /[\t\n\f\r ]+/g
const NOT_BASE64 = /[^A-Za-z0-9+/]/

export function btoa(input: unknown): string {
  if (arguments.length === 0) throw missingArgument('input')
  const text = toText(input)
  const bytes = makeBytes(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = charCodeAt(text, i)
    if (code > 0xff) throw invalid()
    bytes[i] = code
  }
  return base64.read(bytes, 0, text.length)
}

export function atob(input: unknown): string {
  if (arguments.length === 0) throw missingArgument('input')
  const text = replaceMatches(toText(input), SPACE, () => '')
  const padding = text.length % 4 !== 0 ? 0 : stringEndsWith(text, '==') ? 2 : stringEndsWith(text, '=') ? 1 : 0
  const bare = substring(text, 0, text.length - padding)
  if (bare.length % 4 === 1 || matches(NOT_BASE64, bare)) throw invalid()
  const length = (bare.length * 3) >>> 2
  const bytes = makeBytes(length)
  base64.write(bare, bytes, 0, length)
  return latin1.read(bytes, 0, length)
}

const invalid = (): DOMException => new DOMException('Invalid character', 'InvalidCharacterError')

// The bundler calls them something else.
named(atob, 'atob')
named(btoa, 'btoa')
