/**
 * The bytes of a value, as `encodeValue` writes and `decodeValue` reads them. The first byte is the version, then comes one value. All numbers are
 * little-endian; `n` is a varint of up to 32 bits, seven to a byte, lowest first. A value is a tag and what the tag says:
 *
 *   UNDEFINED NULL FALSE TRUE     nothing
 *   INT           n, zigzag: a whole number of 32 bits
 *   DOUBLE        f64: every other number, -0 and NaN among them
 *   BIGINT64      i64
 *   BIGINT_PLUS, BIGINT_MINUS     n, then n bytes of the magnitude
 *   LATIN1        n, then n bytes, one for each UTF-16 unit
 *   UTF16         n, then n units of 2 bytes: any string, lone surrogates too
 *   DATE          f64 milliseconds, NaN for an invalid one
 *   REGEXP        u8 flags (dgimsuvy, the first is the lowest bit), string source
 *   BOXED         a boolean, number, bigint or string, of which it is the object
 *   OBJECT        key, value, key, value … END
 *   ARRAY         n length, then the items; HOLES n in place of n that are missing; then, for what else the array has, key, value … END
 *   MAP           key value, value … END, where a key is any value
 *   SET           value … END
 *   BUFFER        n, then n bytes: an ArrayBuffer
 *   VIEW          u8 kind (VIEW_NAMES), n byte offset, n byte length, value: a BUFFER, or an object that was one
 *   NODE_BUFFER   n, then n bytes: a Buffer with memory of its own
 *   ERROR         u8 kind (ERROR_NAMES), u8 parts (ErrorPart), string message, string stack, value cause, as far as they are there
 *   DOM_EXCEPTION string name, string message, string stack
 *   SAME          n: the object that was begun as the n-th (from 0); a view counts after its buffer, strings and REF do not count
 *   REF           string or number that stands for an object of the platform, see `replace` and `revive`
 *   0x40…0x7f     a LATIN1 string of 0…63 units
 *   0x80…0xff     the numbers 0…127
 *
 * A key is a string, or 0x80…0xff for one of the first 128 keys that were written out.
 */
export const VERSION = 1

export const Tag = {
  END: 0x00,
  UNDEFINED: 0x01,
  NULL: 0x02,
  FALSE: 0x03,
  TRUE: 0x04,
  INT: 0x05,
  DOUBLE: 0x06,
  BIGINT64: 0x07,
  BIGINT_PLUS: 0x08,
  BIGINT_MINUS: 0x09,
  LATIN1: 0x0a,
  UTF16: 0x0b,
  DATE: 0x0c,
  REGEXP: 0x0d,
  BOXED: 0x0e,
  OBJECT: 0x10,
  ARRAY: 0x11,
  HOLES: 0x12,
  MAP: 0x13,
  SET: 0x14,
  BUFFER: 0x15,
  VIEW: 0x16,
  NODE_BUFFER: 0x17,
  ERROR: 0x18,
  DOM_EXCEPTION: 0x19,
  SAME: 0x1a,
  REF: 0x1b,
  SHORT_STRING: 0x40,
  SMALL: 0x80
} as const

/** In Tag.SHORT_STRING: strings below this length. */
export const SHORT_STRINGS = 64
/** In Tag.SMALL: numbers below this, and as many keys. */
export const SMALLS = 128

export const REGEXP_FLAGS = 'dgimsuvy'

export const ErrorPart = { MESSAGE: 1, STACK: 2, CAUSE: 4 } as const

/** Only ever appended to. */
export const ERROR_NAMES = ['Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError'] as const

/** Only ever appended to. */
export const VIEW_NAMES = [
  'DataView', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
  'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array', 'Float16Array'
] as const
