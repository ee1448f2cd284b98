/** `crypto` of the web, as far as it is only random. What `require('crypto')` gives is in node/crypto.ts. */
import { makeBytes, viewBytes } from './bytes.ts'
import { illegalConstructor, webInterface } from './define.ts'
import { DOMException } from './dom-exception.ts'
import { codecOf } from './encodings.ts'
import { randomPool } from './random.ts'
import { matches } from '../patterns.ts'
import { arrayBufferIsView, substring, typedArrayByteLength, typedArrayTag } from '../primordials.ts'

const hex = codecOf('hex')!
const INTEGERS = /^(?:Big)?(?:Int|Uint)\d+(?:Clamped)?Array$/
const MOST_BYTES = 65_536

type Integers = Uint8Array | Int32Array

/** Fills the bytes that it is given with random ones. */
export const fill = randomPool()

export function randomUUID(): string {
  const bytes = makeBytes(16)
  fill(bytes)
  // RFC 9562, 5.4: version 4, variant 10.
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const text = hex.read(bytes, 0, 16)
  return `${substring(text, 0, 8)}-${substring(text, 8, 12)}-${substring(text, 12, 16)}-${substring(text, 16, 20)}-${substring(text, 20, 32)}`
}

export function randomValues<T extends Integers>(view: T): T {
  const tag = arrayBufferIsView(view) ? typedArrayTag(view) : undefined
  if (tag === undefined || !matches(INTEGERS, tag)) throw new DOMException('The data argument must be an integer-type TypedArray', 'TypeMismatchError')
  if (typedArrayByteLength(view as Uint8Array) > MOST_BYTES) {
    throw new DOMException(`The requested length exceeds ${MOST_BYTES} bytes`, 'QuotaExceededError')
  }
  fill(viewBytes(view))
  return view
}

class Crypto {
  constructor(key?: typeof fill) {
    if (key !== fill) throw illegalConstructor()
  }

  getRandomValues<T extends Integers>(view: T): T {
    return randomValues(view)
  }

  randomUUID(): string {
    return randomUUID()
  }
}
webInterface(Crypto, 'Crypto', ['getRandomValues', 'randomUUID'])

export const crypto = new Crypto(fill)
