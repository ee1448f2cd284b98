/** `crypto` of the web, as far as it is only random, and what `require('crypto')` gives. */
import { Buffer } from './buffer.ts'
import { coded, illegalConstructor, invalidType, webInterface } from './define.ts'
import { DOMException } from './dom-exception.ts'
import { codecOf } from './encodings.ts'
import { rareModules } from './node-modules.ts'
import { type RandomSource, randomPool } from './random.ts'

const hex = codecOf('hex')!
const tagOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!
const INTEGERS = /^(?:Big)?(?:Int|Uint)\d+(?:Clamped)?Array$/
const MOST_BYTES = 65_536
const MOST_RANGE = 2 ** 48 - 1

type Fill = (target: Uint8Array) => void
type Done<T> = (error: Error | null, value: T) => void
type Integers = Uint8Array | Int32Array

function uuid(fill: Fill): string {
  const bytes = new Uint8Array(16)
  fill(bytes)
  // RFC 9562, 5.4: version 4, variant 10.
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const text = hex.read(bytes, 0, 16)
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`
}

function randomValues<T extends Integers>(fill: Fill, view: T): T {
  const tag = typeof view === 'object' && view !== null ? Reflect.apply(tagOf, view, []) as string | undefined : undefined
  if (tag === undefined || !INTEGERS.test(tag)) throw new DOMException('The data argument must be an integer-type TypedArray', 'TypeMismatchError')
  if (view.byteLength > MOST_BYTES) {
    throw new DOMException(`The requested length exceeds ${MOST_BYTES} bytes`, 'QuotaExceededError')
  }
  fill(new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength))
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

export function createCrypto(host: RandomSource): { crypto: object, module: () => Record<string, unknown> } {
  const fill = randomPool(host)

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
