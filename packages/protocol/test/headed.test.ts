import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FrameError, splitHead, withHead, writeU32 } from '../src/index.ts'

it('a head and what follows it come out as they went in, also from the middle of other bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 100 }), fc.nat({ max: 9 }), (head, rest, before) => {
      const around = Buffer.concat([Buffer.alloc(before, 255), withHead(head, rest), Buffer.alloc(9, 255)])
      const got = splitHead(new Uint8Array(around).subarray(before, around.byteLength - 9))
      expect(got.head.toString()).toBe(Buffer.from(head).toString())
      expect(got.rest).toEqual(rest)
    })
  )
})

it('the bytes are those that the guest reads and writes', () => {
  expect([...withHead('é{}', Buffer.of(7, 8))]).toEqual([4, 0, 0, 0, 0xc3, 0xa9, 0x7b, 0x7d, 7, 8])
  expect([...withHead('')]).toEqual([0, 0, 0, 0])
})

it('any bytes are split within them, or refused with a FrameError', () => {
  const length = fc.oneof(fc.nat({ max: 50 }), fc.constantFrom(0x7fffffff, 0x80000000, 0xfffffffb, 0xfffffffc, 0xffffffff))
  let refused = 0
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), length, (bytes, announced) => {
      if (bytes.byteLength >= 4) writeU32(bytes, 0, announced)
      try {
        const { head, rest } = splitHead(bytes)
        expect(head.byteLength).toBe(announced)
        expect(Buffer.concat([bytes.subarray(0, 4), head, rest]).equals(bytes)).toBe(true)
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError)
        expect(bytes.byteLength).toBeLessThan(4 + announced)
        refused++
      }
    }),
    { numRuns: 2_000 }
  )
  expect(refused).toBeGreaterThan(100)
})
