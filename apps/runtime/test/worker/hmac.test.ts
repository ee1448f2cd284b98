import { createHmac, randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { hmacSha256 } from '../../src/guest/hmac.ts'

const theirs = (key: Uint8Array, message: Uint8Array): string => createHmac('sha256', key).update(message).digest('hex')
const ours = (key: Uint8Array, message: Uint8Array): string => Buffer.from(hmacSha256(key, message)).toString('hex')

// Around the block of 64 bytes, in which the length stands as well.
it('is that of Node for messages and keys of every length up to three blocks', () => {
  for (let length = 0; length <= 192; length++) {
    const [some, one] = [randomBytes(length), randomBytes(32)]
    expect(ours(one, some), `message of ${length}`).toBe(theirs(one, some))
    expect(ours(some, one), `key of ${length}`).toBe(theirs(some, one))
  }
})

it('is that of Node for a message of megabytes, and for a part of other bytes', () => {
  const message = randomBytes(3_000_001)
  const key = randomBytes(100).subarray(7, 50)
  expect(ours(key, message)).toBe(theirs(key, message))
  expect(ours(key, message.subarray(5, 1_000))).toBe(theirs(key, message.subarray(5, 1_000)))
})
