/** What the shared store makes of the bytes that the guest writes: packages/shared reads them with code of its own. */
import { keyBytes, keyText, readable, type Json } from '@socklet/shared'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeValue } from '../../src/guest/values.ts'

const MAX = 1024 * 1024
const shown = (value: unknown): Json => JSON.parse(JSON.stringify(readable(encodeValue(value, MAX)))) as Json

const circular: Record<string, unknown> = { list: [] }
circular['self'] = circular
;(circular['list'] as unknown[]).push(circular, circular['list'])
const one = { a: 1 }
const error = Object.assign(new TypeError('no'), { stack: 'at x' })
const buffer = new Uint8Array([1, 2, 3, 4]).buffer

const CASES: Record<string, [value: unknown, shown: unknown]> = {
  plain: [{ a: [1, 'x', null, true, false, -5, 1.5, 2 ** 40, 'é', '漢字'] }, { a: [1, 'x', null, true, false, -5, 1.5, 2 ** 40, 'é', '漢字'] }],
  undefined: [[undefined], [{ $undefined: true }]],
  numbers: [[NaN, Infinity, -Infinity, -0], ['NaN', 'Infinity', '-Infinity', '-0'].map(($number) => ({ $number }))],
  bigints: [[1n, -(2n ** 63n), 2n ** 64n, -(10n ** 30n)], ['1', String(-(2n ** 63n)), String(2n ** 64n), `-1${'0'.repeat(30)}`].map(($bigint) => ({ $bigint }))],
  hugeBigint: [2n ** 100_000n, { $bigint: null, bytes: 12_501, $truncated: true }],
  dates: [[new Date(0), new Date(NaN)], [{ $date: '1970-01-01T00:00:00.000Z' }, { $date: null }]],
  regExp: [/a\/b/gi, { $regexp: 'a\\/b', flags: 'gi' }],
  boxed: [Object('text'), { $boxed: 'text' }],
  map: [new Map<unknown, unknown>([['k', new Set([1])], [{}, 2]]), { $map: [['k', { $set: [1] }], [{}, 2]] }],
  holes: [Object.assign(Array(5), { 2: 'x' }), [{ $holes: 2 }, 'x', { $holes: 2 }]],
  named: [Object.assign([one, 2], { index: one }), { $array: [{ a: 1 }, 2], properties: { index: { $same: '/$array/0' } } }],
  circular: [circular, { list: [{ $same: '' }, { $same: '/list' }], self: { $same: '' } }],
  shared: [{ 'a/b~c': one, d: [one] }, { 'a/b~c': { a: 1 }, d: [{ $same: '/a~1b~0c' }] }],
  dollars: [{ $date: 1, $$x: 2, __proto__2: 3 }, { $$date: 1, $$$x: 2, __proto__2: 3 }],
  buffer: [buffer, { $buffer: 'AQIDBA==', length: 4 }],
  views: [[new Uint8Array(buffer), new Uint16Array(buffer, 2, 1)], [
    { $view: 'Uint8Array', offset: 0, length: 4, buffer: { $buffer: 'AQIDBA==', length: 4 } }, { $view: 'Uint16Array', offset: 2, length: 2, buffer: { $same: '/0/buffer' } }
  ]],
  error: [[error, error], [{ $error: 'TypeError', message: 'no', stack: 'at x' }, { $same: '/0' }]],
  viewCount: [[new Uint8Array(1), one, one], [{ $view: 'Uint8Array', offset: 0, length: 1, buffer: { $buffer: 'AA==', length: 1 } }, { a: 1 }, { $same: '/1' }]],
  surrogates: ['\ud800x', '\ufffdx']
}

describe('readable values', () => {
  for (const [name, [value, expected]] of Object.entries(CASES)) {
    it(`of what the guest writes: ${name}`, () => {
      expect(shown(value)).toEqual(expected)
    })
  }

  it('have __proto__ as a key like others', () => {
    expect(JSON.stringify(readable(encodeValue(JSON.parse('{"__proto__":{"x":1},"a":2}'), MAX)))).toBe('{"__proto__":{"x":1},"a":2}')
  })

  it('are the value itself if JSON has it', () => {
    // Once through JSON, which has no -0.
    const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as Json)
    const plain = json.filter((value) => !/"\$/.test(JSON.stringify(value)))
    fc.assert(fc.property(plain, (value) => isDeepStrictEqual(shown(value), value)), { numRuns: 500 })
  })

  it('cut off below a depth, and go on beside it with the right objects', () => {
    const deep = { x: { y: [new Date(0), new Map([[1, new Uint8Array(2)]]), { z: new Error('e', { cause: [{}] }) }] } }
    const bytes = encodeValue([deep, one, one], MAX)
    expect(readable(bytes, { maxDepth: 2 })).toEqual([{ x: { $truncated: true } }, { a: 1 }, { $same: '/1' }])
  })
})

describe('keys as text', () => {
  const primitives = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.double(), fc.integer(), fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }), fc.boolean(), fc.constantFrom(null, undefined))

  it('lead back to the bytes that the guest writes', () => {
    fc.assert(
      fc.property(primitives, (key) => {
        const bytes = encodeValue(key, MAX)
        const text = keyText(bytes)
        expect(Buffer.from(keyBytes(text)!).equals(bytes)).toBe(true)
        expect(encodeURIComponent(text.toWellFormed())).toBe(encodeURIComponent(text))
      }),
      { numRuns: 2_000 }
    )
  })

  it('are short for what is no object', () => {
    const keys = ['users', 'größe', '漢字', 'x'.repeat(100), '$a', 5, -5, 200, 2 ** 40, 1.5, NaN, 12n, -12n, true, null, undefined]
    expect(keys.map((key) => keyText(encodeValue(key, MAX)))).toEqual(
      ['users', 'größe', '漢字', 'x'.repeat(100), '$$a', '$5', '$-5', '$200', '$1099511627776', '$1.5', '$NaN', '$12n', '$-12n', '$true', '$null', '$undefined']
    )
    expect(keyText(encodeValue('\ud800', MAX))).toMatch(/^\$bytes:/)
  })
})
