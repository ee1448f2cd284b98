/** The part of Node's `crypto` that signs and identifies: createHash, createHmac, timingSafeEqual. The algorithms are those of @noble/hashes. */
import { hmac } from '@noble/hashes/hmac.js'
import { md5, ripemd160, sha1 } from '@noble/hashes/legacy.js'
import { sha224, sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { Buffer } from '../buffer.ts'
import { coded, invalidType, named } from '../define.ts'

const ALGORITHMS = { md5, ripemd160, sha1, sha224, sha256, sha384, sha512 }
type Algorithm = (typeof ALGORITHMS)[keyof typeof ALGORITHMS]
interface Running {
  update(bytes: Uint8Array): unknown
  digest(): Uint8Array
  clone(): Running
}

/** Node takes the names as OpenSSL does: in any case, with or without the first dash. */
function algorithmOf(name: unknown): Algorithm {
  if (typeof name !== 'string') throw invalidType('algorithm', 'of type string', name)
  const plain = name.toLowerCase().replace(/^(?:rsa-)?(sha|md)-?/, '$1')
  if (!Object.hasOwn(ALGORITHMS, plain)) throw coded(new Error(`Digest method not supported: ${name}`), 'ERR_OSSL_EVP_UNSUPPORTED')
  return ALGORITHMS[plain as keyof typeof ALGORITHMS]
}

function bytesOf(name: string, data: unknown, encoding?: string): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, encoding ?? 'utf8')
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
  throw invalidType(name, 'of type string or an instance of Buffer, TypedArray, or DataView', data)
}

/** What createHash and createHmac return: `update` as often as you like, `digest` once. */
class Digest {
  #running: Running
  #done = false

  constructor(running: Running) {
    this.#running = running
  }

  update(data: unknown, encoding?: string): this {
    if (this.#done) throw coded(new Error('Digest already called'), 'ERR_CRYPTO_HASH_FINALIZED')
    this.#running.update(bytesOf('data', data, encoding))
    return this
  }

  digest(encoding?: string): unknown {
    if (this.#done) throw coded(new Error('Digest already called'), 'ERR_CRYPTO_HASH_FINALIZED')
    this.#done = true
    const bytes = Buffer.from(this.#running.digest())
    return encoding === undefined || encoding === 'buffer' ? bytes : (bytes as { toString(encoding: string): string }).toString(encoding)
  }

  copy(): Digest {
    if (this.#done) throw coded(new Error('Digest already called'), 'ERR_CRYPTO_HASH_FINALIZED')
    return new Digest(this.#running.clone())
  }
}

function createHash(algorithm: unknown): Digest {
  return new Digest(algorithmOf(algorithm).create() as Running)
}

function createHmac(algorithm: unknown, key: unknown): Digest {
  return new Digest(hmac.create(algorithmOf(algorithm) as typeof sha256, bytesOf('key', key)) as unknown as Running)
}

function timingSafeEqual(a: unknown, b: unknown): boolean {
  const left = bytesOf('buf1', a)
  const right = bytesOf('buf2', b)
  if (left.byteLength !== right.byteLength) throw coded(new RangeError('Input buffers must have the same byte length'), 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH')
  let difference = 0
  for (let i = 0; i < left.byteLength; i++) difference |= left[i]! ^ right[i]!
  return difference === 0
}

export const hashing = {
  createHash: named(createHash, 'createHash'),
  createHmac: named(createHmac, 'createHmac'),
  timingSafeEqual: named(timingSafeEqual, 'timingSafeEqual'),
  getHashes: () => Object.keys(ALGORITHMS)
}
