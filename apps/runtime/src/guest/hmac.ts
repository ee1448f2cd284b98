/**
 * HMAC-SHA256 (RFC 2104, FIPS 180-4) for what the guest signs itself. The library behind `require('crypto')` is not asked: it calls methods that a function
 * can replace, and is evaluated only when a function asks for it, which may have replaced them by then.
 */
import { makeBytes } from './globals/bytes.ts'
import { NativeUint32Array, mathCbrt, mathFloor, mathSqrt, typedArrayByteLength, typedArraySet } from './primordials.ts'

const BLOCK_BYTES = 64
const HASH_BYTES = 32
const INNER = 0x36
const OUTER = 0x5c

/** The 32 bytes that authenticate `message`. */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array<ArrayBuffer> {
  const short = typedArrayByteLength(key) > BLOCK_BYTES ? sha256(makeBytes(0), key) : key
  return sha256(padded(short, OUTER), sha256(padded(short, INNER), message))
}

function padded(key: Uint8Array, by: number): Uint8Array<ArrayBuffer> {
  const block = makeBytes(BLOCK_BYTES)
  typedArraySet(block, key)
  for (let i = 0; i < BLOCK_BYTES; i++) block[i] = block[i]! ^ by
  return block
}

/** Of both, one behind the other. */
function sha256(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = wholeBlocks(first, second)
  const state = fractions(8, mathSqrt)
  rounds ??= fractions(64, mathCbrt)
  words ??= new NativeUint32Array(64)
  const end = typedArrayByteLength(bytes)
  for (let at = 0; at < end; at += BLOCK_BYTES) compress(state, rounds, words, bytes, at)
  const hash = makeBytes(HASH_BYTES)
  for (let i = 0; i < HASH_BYTES; i++) hash[i] = state[i >> 2]! >>> (24 - (i & 3) * 8)
  return hash
}

/** Made when they are first needed: most apps sign nothing. */
let rounds: Uint32Array | undefined
let words: Uint32Array | undefined

/** With the bit 1 and the length in bits behind it (FIPS 180-4, 5.1.1). */
function wholeBlocks(first: Uint8Array, second: Uint8Array): Uint8Array {
  const before = typedArrayByteLength(first)
  const length = before + typedArrayByteLength(second)
  const total = (mathFloor((length + 8) / BLOCK_BYTES) + 1) * BLOCK_BYTES
  const bytes = makeBytes(total)
  typedArraySet(bytes, first)
  typedArraySet(bytes, second, before)
  bytes[length] = 0x80
  const high = mathFloor(length / 2 ** 29)
  const low = length << 3
  for (let i = 0; i < 4; i++) {
    bytes[total - 1 - i] = low >>> (i * 8)
    bytes[total - 5 - i] = high >>> (i * 8)
  }
  return bytes
}

/** The first 32 bits of the fractions of the roots of the first primes, which the constants are (FIPS 180-4, 4.2.2 and 5.3.3). */
function fractions(count: number, root: (prime: number) => number): Uint32Array {
  const found = new NativeUint32Array(count)
  for (let n = 0, candidate = 2; n < count; candidate++) {
    if (!isPrime(candidate)) continue
    const value = root(candidate)
    found[n++] = (value - mathFloor(value)) * 2 ** 32
  }
  return found
}

function isPrime(candidate: number): boolean {
  for (let i = 2; i * i <= candidate; i++) if (candidate % i === 0) return false
  return true
}

const turned = (word: number, by: number): number => (word >>> by) | (word << (32 - by))

/** FIPS 180-4, 6.2.2, with its names. */
function compress(state: Uint32Array, k: Uint32Array, w: Uint32Array, bytes: Uint8Array, at: number): void {
  for (let t = 0; t < 16; t++) {
    const i = at + t * 4
    w[t] = (bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!
  }
  for (let t = 16; t < 64; t++) {
    const x = w[t - 15]!
    const y = w[t - 2]!
    w[t] = (turned(y, 17) ^ turned(y, 19) ^ (y >>> 10)) + w[t - 7]! + (turned(x, 7) ^ turned(x, 18) ^ (x >>> 3)) + w[t - 16]!
  }
  let a = state[0]! | 0, b = state[1]! | 0, c = state[2]! | 0, d = state[3]! | 0
  let e = state[4]! | 0, f = state[5]! | 0, g = state[6]! | 0, h = state[7]! | 0
  for (let t = 0; t < 64; t++) {
    const t1 = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + k[t]! + w[t]!) | 0
    const t2 = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  state[0] = state[0]! + a
  state[1] = state[1]! + b
  state[2] = state[2]! + c
  state[3] = state[3]! + d
  state[4] = state[4]! + e
  state[5] = state[5]! + f
  state[6] = state[6]! + g
  state[7] = state[7]! + h
}
