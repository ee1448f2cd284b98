import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeValue, encodeValue } from '../../src/guest/values.ts'
import { Tag, VERSION } from '@socklet/shared/value-tags'

const MAX = 1024 * 1024

/** Whatever it is: a value or a RangeError, soon. */
function decodes(bytes: Uint8Array): boolean {
  try {
    decodeValue(bytes, { revive: reference => reference })
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError)
    return false
  }
}

const sample = encodeValue({
  a: [1, -5, Object.assign(Array(3), { 1: 'x' }), 1.5, 2n ** 80n, -(2n ** 90n), 'text', '漢字', new Date(1), /x/gi, Object('s')], m: new Map([[{ k: 1 }, new Set([1, 'b'])]]), e: new TypeError('t', { cause: [1] }),
  v: new Float64Array(2), d: new DataView(new ArrayBuffer(3)), b: Buffer.from('buffer'), r: [{ k: 1 }, { k: 2 }]
}, MAX)

describe('bytes that nobody encoded', () => {
  it('are refused with a RangeError, or are a value', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), bytes => void decodes(bytes)), { numRuns: 5000 })
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), bytes => void decodes(new Uint8Array([VERSION, ...bytes]))), { numRuns: 20_000 })
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 0x42 }), { maxLength: 100 }), tags => void decodes(new Uint8Array([VERSION, ...tags]))), { numRuns: 20_000 })
  }, 60_000)

  it('each change of a byte of a good value, and each part of it', () => {
    for (let at = 0; at < sample.length; at++) {
      expect(decodes(sample.subarray(0, at))).toBe(false)
      for (const value of [0, 1, 0x7f, 0x80, 0xff, sample[at]! ^ 1, sample[at]! ^ 0x10]) decodes(sample.with(at, value))
    }
    expect(decodes(new Uint8Array([...sample, 0]))).toBe(false)
    expect(decodes(sample)).toBe(true)
  })

  it('that promise much take nothing', () => {
    const huge = [0xff, 0xff, 0xff, 0xff, 0x0f]
    const before = process.memoryUsage()
    const started = performance.now()
    for (const tag of [Tag.LATIN1, Tag.UTF16, Tag.BUFFER, Tag.NODE_BUFFER, Tag.BIGINT_PLUS, Tag.BIGINT_MINUS, Tag.ARRAY, Tag.SAME]) {
      expect(decodes(new Uint8Array([VERSION, tag, ...huge]))).toBe(false)
    }
    // 20,000 arrays, each of thirty million holes in one run or in many.
    const one = [Tag.ARRAY, 0x80, 0x8e, 0xce, 0x0e, Tag.HOLES, 0x80, 0x8e, 0xce, 0x0e, Tag.END]
    expect(decodes(new Uint8Array([VERSION, Tag.SET, ...Array.from({ length: 20_000 }, () => one).flat(), Tag.END]))).toBe(true)
    const many = [Tag.ARRAY, 0xa0, 0x9c, 0x01, ...Array.from({ length: 625 }, () => [Tag.HOLES, 0x20]).flat(), Tag.END]
    expect(decodes(new Uint8Array([VERSION, Tag.SET, ...Array.from({ length: 200 }, () => many).flat(), Tag.END]))).toBe(true)
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    expect(heapUsed + arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(100 * 2 ** 20)
    expect(performance.now() - started).toBeLessThan(5000)
  })

  it('nest as deep as they are long', () => {
    for (const tag of [[Tag.OBJECT, 0x41, 0x61], [Tag.ARRAY, 1], [Tag.MAP], [Tag.SET], [Tag.ERROR, 0, 4], [Tag.BOXED], [Tag.VIEW, 1, 0, 0], [Tag.REF]]) {
      decodes(new Uint8Array([VERSION, ...Array.from({ length: 200_000 }, () => tag).flat()]))
    }
  })

  it('say what is wrong with them', () => {
    const message = (...bytes: number[]): string => {
      try {
        return String(decodeValue(new Uint8Array(bytes)))
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(message()).toContain('unexpected end')
    expect(message(99)).toContain('another version')
    expect(message(VERSION, 0x3f)).toContain('tag 63')
    expect(message(VERSION, Tag.ARRAY, 0, 0x46, ...Buffer.from('length'), Tag.OBJECT, Tag.END, Tag.END)).toContain('a length')
    expect(message(VERSION, Tag.OBJECT, 0x80, 0x80)).toContain('a key that was not there')
    expect(message(VERSION, Tag.VIEW, 9, 0, 8, Tag.BUFFER, 4, 0, 0, 0, 0)).toContain('beyond its buffer')
    expect(message(VERSION, Tag.REGEXP, 0, 0x41, 0x28)).toContain('RegExp')
    expect(message(VERSION, Tag.INT, 0xff, 0xff, 0xff, 0xff, 0x1f)).toContain('32 bits')
  })

  it('stay what they are when what was decoded is changed', () => {
    const bytes = encodeValue({ b: Buffer.from('abc'), u: new Uint8Array([1]) }, MAX)
    const before = bytes.slice()
    const back = decodeValue(bytes) as { b: Buffer, u: Uint8Array }
    back.b.fill(0)
    back.u[0] = 9
    expect(bytes).toEqual(before)
  })

  it('may be a part of a larger buffer', () => {
    const around = new Uint8Array(sample.length + 20)
    around.set(sample, 7)
    expect(decodes(around.subarray(7, 7 + sample.length))).toBe(true)
  })
})
