/** What `require('crypto')` gives: what is random, and what signs and identifies (hashing.ts). */
import { Buffer } from '../buffer.ts'
import { crypto, fill, randomUUID, randomValues } from '../crypto.ts'
import { coded, invalidType } from '../define.ts'
import { hashing } from './hashing.ts'

const MOST_RANGE = 2 ** 48 - 1

type Done<T> = (error: Error | null, value: T) => void

/** Node's randomInt: every value of the range equally likely, by drawing again what falls into the uneven rest. */
function randomInt(min: number, max: number): number {
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

function randomBytes(size: number): Uint8Array {
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

export const cryptoModule = (): Record<string, unknown> => ({
  randomUUID: () => randomUUID(),
  getRandomValues: randomValues,
  randomBytes: (size: number, done?: Done<Uint8Array>) => answer(randomBytes(size), done),
  pseudoRandomBytes: (size: number, done?: Done<Uint8Array>) => answer(randomBytes(size), done),
  randomFillSync(view: Uint8Array, offset = 0, size = view.length - offset) {
    fill(new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset + offset, size))
    return view
  },
  randomInt(min: number, max?: number | Done<number>, done?: Done<number>) {
    const [from, to, then] = typeof max === 'number' ? [min, max, done] : [0, min, max]
    return answer(randomInt(from, to), then)
  },
  ...hashing,
  webcrypto: crypto
})
