import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FrameError, FrameSplitter, HEADER_BYTES, decodeLogLine, encodeLogLine, writeU32 } from '../src/index.ts'

const SEED = 20_261_124

it('chunks whose lengths are nearly right are cut into frames within them, or refused', () => {
  const length = fc.oneof(fc.nat({ max: 100 }), fc.constantFrom(0, 23, 24, 25, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff))
  const piece = fc.record({ length, bytes: fc.uint8Array({ minLength: 4, maxLength: 100 }) })
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const splitter = new FrameSplitter((bytes, start, end) => {
        expect(end - start).toBeGreaterThanOrEqual(HEADER_BYTES)
        expect(end).toBeLessThanOrEqual(bytes.byteLength)
      })
      try {
        for (const one of pieces) {
          writeU32(one.bytes, 0, one.length)
          splitter.push(one.bytes)
        }
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError)
      }
    }),
    { seed: SEED, numRuns: 2_000 }
  )
})

it('log lines are read or refused with a RangeError, whatever their bytes', () => {
  const good = encodeLogLine({ time: 1, level: 'info', function: 'f', requestId: 'r', connection: 'c', version: 1, message: 'm' })
  const changed = fc.record({ at: fc.nat({ max: good.byteLength - 1 }), to: fc.nat({ max: 255 }) })
  const read = (bytes: Uint8Array): void => {
    try {
      const line = decodeLogLine(bytes)
      expect(line.function.length + line.requestId.length + line.connection.length + line.message.length).toBeLessThanOrEqual(bytes.byteLength)
      expect(Number.isFinite(line.time)).toBe(true)
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError)
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), read), { seed: SEED, numRuns: 2_000 })
  fc.assert(
    fc.property(fc.array(changed, { maxLength: 5 }), (changes) => {
      const bytes = Buffer.from(good)
      for (const { at, to } of changes) bytes[at] = to
      read(bytes)
    }),
    { seed: SEED, numRuns: 2_000 }
  )
})
