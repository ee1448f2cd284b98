import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LOG_LEVELS, addCounts, countsSince, decodeCounts, decodeLogLine, encodeCounts, encodeLogLine } from '../src/index.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 50 })
const line = fc.record({
  time: fc.nat(),
  level: fc.constantFrom(...LOG_LEVELS),
  function: text,
  requestId: text,
  connection: text,
  version: fc.nat({ max: 0xffffffff }),
  message: text
})

it('a log line comes out as it went in', () => {
  fc.assert(
    fc.property(line, (one) => {
      expect(decodeLogLine(encodeLogLine(one))).toEqual(one)
    })
  )
})

it('bytes that are no log line are refused, and nothing else happens', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        decodeLogLine(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
    })
  )
})

it('counts come through as they are, and what is none is refused', () => {
  const counts = { turns: 3, errors: 1, cpuMs: 12.5, logLinesDropped: 7 }
  expect(decodeCounts(encodeCounts(counts))).toEqual(counts)
  expect(countsSince(counts, addCounts(counts, counts))).toEqual(counts)
  expect(() => decodeCounts(new Uint8Array(31))).toThrow(RangeError)
  for (const wrong of [NaN, Infinity, -1]) expect(() => decodeCounts(encodeCounts({ ...counts, errors: wrong }))).toThrow(RangeError)
})
