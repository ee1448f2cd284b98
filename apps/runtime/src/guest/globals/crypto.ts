/** `crypto` of the web, as far as it is only random, and what `require('crypto')` gives. */
import { Buffer } from './buffer.ts'
import { makeBytes, viewBytes } from './bytes.ts'
import { coded, illegalConstructor, invalidType, webInterface } from './define.ts'
import { DOMException } from './dom-exception.ts'
import { codecOf } from './encodings.ts'
import { rareModules } from './node-modules.ts'
import { type RandomSource, randomPool } from './random.ts'
import { matches } from '../patterns.ts'
import { arrayBufferIsView, substring, typedArrayByteLength, typedArrayTag } from '../primordials.ts'

const hex = codecOf('hex')!
const INTEGERS = /^(?:Big)?(?:Int|Uint)\d+(?:Clamped)?Array$/
const MOST_BYTES = 65_536
const MOST_RANGE = 2 ** 48 - 1

type Fill = (target: Uint8Array) => void
type Done<T> = (error: Error | null, value: T) => void
type Integers = Uint8Array | Int32Array

function uuid(fill: Fill): string {
  const bytes = makeBytes(16)
  fill(bytes)
  // RFC 9562, 5.4: version 4, variant 10.
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const text = hex.read(bytes, 0, 16)
  return `${substring(text, 0, 8)}-${substring(text, 8, 12)}-${substring(text, 12, 16)}-${substring(text, 16, 20)}-${substring(text, 20, 32)}`
}

function randomValues<T extends Integers>(fill: Fill, view: T): T {
  const tag = arrayBufferIsView(view) ? typedArrayTag(view) : undefined
  if (tag === undefined || !matches(INTEGERS, tag)) throw new DOMException('The data argument must be an integer-type TypedArray', 'TypeMismatchError')
  if (typedArrayByteLength(view as Uint8Array) > MOST_BYTES) {
    throw new DOMException(`The requested length exceeds ${MOST_BYTES} bytes`, 'QuotaExceededError')
  }
  fill(viewBytes(view))
  return view
}

/** Node's randomInt: every value of the range equally likely, by drawing again what falls into the uneven rest. */
function randomInt(fill: Fill, min: number, max: number): number {
  for (const [name, value] of [['min', min], ['max', max]] as const) {
    if (!Number.isSafeInteger(value)) throw invalidType(name, 'a safe integer', value)
  }
  const range = max - min
  if (range <= 0) throw outOfRange('max', `greater than the value of "min" (${min})`, max)
  if (range > MOST_RANGE) throw outOfRange('max - min', `<= ${MOST_RANGE}`, range)
  const even = 2 ** 48 - 2 ** 48 % range
  const bytes = Buffer.alloc(6)
  for (;;) {
    fill(bytes)
    const drawn: number = bytes.readUIntBE(0, 6)
    if (drawn < even) return min + drawn % range
  }
}

const outOfRange = (name: string, range: string, value: number): RangeError =>
  coded(new RangeError(`The value of "${name}" is out of range. It must be ${range}. Received ${value}`), 'ERR_OUT_OF_RANGE')

function randomBytes(fill: Fill, size: number): Uint8Array {
  if (typeof size !== 'number') throw invalidType('size', 'of type number', size)
  if (!(size >= 0 && size <= 2 ** 31 - 1)) throw outOfRange('size', '>= 0 && <= 2147483647', size)
  const bytes = Buffer.alloc(size)
  fill(bytes)
  return bytes
}

/** Node's functions answer at once, or to a callback a little later. */
function answer<T>(value: T, done: Done<T> | undefined): T | undefined {
  if (done === undefined) return value
  void Promise.resolve().then(() => done(null, value))
  return undefined
}

/** For the guest itself: there once the globals are. */
export let randomUUID: () => string

export function createCrypto(host: RandomSource): { crypto: object, module: () => Record<string, unknown> } {
  const fill = randomPool(host)
  randomUUID = () => uuid(fill)

  class Crypto {
    constructor(key?: Fill) {
      if (key !== fill) throw illegalConstructor()
    }

    getRandomValues<T extends Integers>(view: T): T {
      return randomValues(fill, view)
    }

    randomUUID(): string {
      return uuid(fill)
    }
  }
  webInterface(Crypto, 'Crypto', ['getRandomValues', 'randomUUID'])
  const crypto = new Crypto(fill)

  const module = (): Record<string, unknown> => ({
    randomUUID: () => uuid(fill),
    getRandomValues: <T extends Integers>(view: T) => randomValues(fill, view),
    randomBytes: (size: number, done?: Done<Uint8Array>) => answer(randomBytes(fill, size), done),
    pseudoRandomBytes: (size: number, done?: Done<Uint8Array>) => answer(randomBytes(fill, size), done),
    randomFillSync(view: Uint8Array, offset = 0, size = view.length - offset) {
      fill(new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset + offset, size))
      return view
    },
    randomInt(min: number, max?: number | Done<number>, done?: Done<number>) {
      const [from, to, then] = typeof max === 'number' ? [min, max, done] : [0, min, max]
      return answer(randomInt(fill, from, to), then)
    },
    ...rareModules().hashing,
    webcrypto: crypto
  })
  return { crypto, module }
}
