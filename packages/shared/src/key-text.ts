/**
 * Keys of `cloud.shared` as text, for listings and paths, so that each text means one key:
 *
 *   a string            itself; one that begins with `$` has one `$` more
 *   $5, $-1.5, $NaN, $12n, $true, $false, $null, $undefined
 *   $socket:ID          a socket
 *   $bytes:BASE64URL    the bytes of any other key, such as an object, and of strings that a URL cannot hold
 */
import { ValueError, ValueReader, isString } from './value-reader.ts'
import { SHORT_STRINGS, SMALLS, Tag, VERSION } from './value-tags.ts'

const MAX_UNITS = 16 * 1024
/** As a part of a path these do not arrive: URLs are normalized on the way, and an empty part is none. */
const NO_PATH = new Set(['', '.', '..'])
const CONSTANTS: Record<string, number> = { $undefined: Tag.UNDEFINED, $null: Tag.NULL, $false: Tag.FALSE, $true: Tag.TRUE }

/** The text of the key that has these bytes, whatever they are. */
export function keyText(bytes: Uint8Array): string {
  const text = shortText(bytes)
  // What comes back is the same key: if it does not, only its bytes say which it is.
  if (text !== null) {
    const back = keyBytes(text)
    if (back !== null && Buffer.compare(back, bytes) === 0) return text
  }
  return `$bytes:${Buffer.from(bytes).toString('base64url')}`
}

function shortText(bytes: Uint8Array): string | null {
  const reader = new ValueReader(bytes)
  try {
    return reader.byte() === VERSION ? textOf(reader) : null
  } catch (error) {
    if (error instanceof ValueError) return null
    throw error
  }
}

function textOf(reader: ValueReader): string | null {
  const tag = reader.peek()
  if (isString(tag)) {
    const text = reader.string(MAX_UNITS)
    return NO_PATH.has(text) || !text.isWellFormed() ? null : `${text.startsWith('$') ? '$' : ''}${text}`
  }
  reader.byte()
  if (tag >= Tag.SMALL) return `$${tag - Tag.SMALL}`
  if (tag === Tag.INT) return `$${reader.int()}`
  if (tag === Tag.DOUBLE) return `$${reader.float()}`
  if (tag === Tag.BIGINT64) return `$${reader.bigint64()}n`
  if (tag === Tag.REF) return isString(reader.peek()) ? wellFormed(`$socket:${reader.string(MAX_UNITS)}`) : null
  return Object.keys(CONSTANTS).find((name) => CONSTANTS[name] === tag) ?? null
}

const wellFormed = (text: string): string | null => text.isWellFormed() ? text : null

/** The bytes of the key that has this text, as the guest writes them; null if no key has it. */
export function keyBytes(text: string): Uint8Array | null {
  if (!text.startsWith('$')) return Buffer.from([VERSION, ...stringBytes(text)])
  if (text.startsWith('$$')) return Buffer.from([VERSION, ...stringBytes(text.slice(1))])
  if (text.startsWith('$socket:')) return Buffer.from([VERSION, Tag.REF, ...stringBytes(text.slice('$socket:'.length))])
  if (text.startsWith('$bytes:')) return base64Bytes(text.slice('$bytes:'.length))
  const constant = Object.hasOwn(CONSTANTS, text) ? CONSTANTS[text] : undefined
  if (constant !== undefined) return Uint8Array.from([VERSION, constant])
  return numberKey(text.slice(1))
}

function base64Bytes(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : null
}

function numberKey(text: string): Uint8Array | null {
  if (/^-?\d{1,19}n$/.test(text)) {
    const value = BigInt(text.slice(0, -1))
    if (BigInt.asIntN(64, value) !== value || `${value}n` !== text) return null
    const bytes = Buffer.from([VERSION, Tag.BIGINT64, 0, 0, 0, 0, 0, 0, 0, 0])
    bytes.writeBigInt64LE(value, 2)
    return bytes
  }
  const value = Number(text)
  return String(value) === text ? Buffer.from([VERSION, ...numberBytes(value)]) : null
}

function numberBytes(value: number): Uint8Array {
  if ((value | 0) !== value) {
    const bytes = Buffer.from([Tag.DOUBLE, 0, 0, 0, 0, 0, 0, 0, 0])
    bytes.writeDoubleLE(value, 1)
    return bytes
  }
  return value >= 0 && value < SMALLS ? Uint8Array.from([Tag.SMALL + value]) : tagged(Tag.INT, ((value << 1) ^ (value >> 31)) >>> 0, Buffer.alloc(0))
}

function stringBytes(text: string): Uint8Array {
  // eslint-disable-next-line no-control-regex
  const wide = /[^\0-\xff]/.test(text)
  if (wide) return tagged(Tag.UTF16, text.length, Buffer.from(text, 'utf16le'))
  const bytes = Buffer.from(text, 'latin1')
  return bytes.length < SHORT_STRINGS ? Buffer.from([Tag.SHORT_STRING + bytes.length, ...bytes]) : tagged(Tag.LATIN1, bytes.length, bytes)
}

function tagged(tag: number, count: number, content: Buffer): Buffer {
  const head = [tag]
  let left = count
  for (; left >= 0x80; left >>>= 7) head.push((left & 0x7f) | 0x80)
  head.push(left)
  return Buffer.concat([Uint8Array.from(head), content])
}
