import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { unmask } from '../src/unmask.ts'

test('each octet loses that of the mask (RFC 6455, 5.3), wherever the payload stands in memory and with whatever octet it goes on', () => {
  const anything = fc.record({
    payload: fc.uint8Array({ maxLength: 300 }),
    mask: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    first: fc.nat(1_000),
    before: fc.nat(20)
  })
  fc.assert(
    fc.property(anything, ({ payload, mask, first, before }) => {
      const memory = Buffer.alloc(before + payload.length + 20, 0xee)
      memory.set(payload, before)
      unmask(memory.subarray(before, before + payload.length), mask, first)
      const expected = Buffer.alloc(memory.length, 0xee)
      for (const [index, octet] of payload.entries()) expected[before + index] = octet ^ mask[(first + index) % 4]!
      expect(memory).toEqual(expected)
    })
  )
})
