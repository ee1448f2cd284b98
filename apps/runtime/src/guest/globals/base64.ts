/** atob and btoa (HTML Standard, "base64 utility methods"). */
import { DOMException } from './dom-exception.ts'
import { codecOf } from './encodings.ts'
import { missingArgument } from './define.ts'

const latin1 = codecOf('latin1')!
const base64 = codecOf('base64')!

export function btoa(input: unknown): string {
  if (arguments.length === 0) throw missingArgument('input')
  const text = String(input)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0xff) throw new DOMException('Invalid character', 'InvalidCharacterError')
    bytes[i] = code
  }
  return base64.read(bytes, 0, bytes.length)
}

export function atob(input: unknown): string {
  if (arguments.length === 0) throw missingArgument('input')
  const text = String(input).replace(/[\t\n\f\r ]+/g, '')
  const bare = text.length % 4 === 0 ? text.replace(/={1,2}$/, '') : text
  if (bare.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(bare)) throw new DOMException('Invalid character', 'InvalidCharacterError')
  const bytes = new Uint8Array((bare.length * 3) >>> 2)
  base64.write(bare, bytes, 0, bytes.length)
  return latin1.read(bytes, 0, bytes.length)
}
