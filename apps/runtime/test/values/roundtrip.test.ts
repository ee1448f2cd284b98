import fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { decodeValue, encodeValue } from '../../src/guest/values.ts'

const MAX = 16 * 1024 * 1024
const copy = (value: unknown): any => decodeValue(encodeValue(value, MAX))

/** What Node's structuredClone makes of it is what we make of it. */
function expectAsNode(value: unknown): void {
  const ours = copy(value)
  const nodes = structuredClone(value)
  if (!isDeepStrictEqual(ours, nodes)) expect(ours).toStrictEqual(nodes)
  expect(isDeepStrictEqual(ours, nodes)).toBe(true)
}

class Point {
  x = 1
  y = [2]
  get sum(): number {
    return this.x
  }
}

const circular: Record<string, unknown> = { name: 'me', list: [] }
circular['self'] = circular
;(circular['list'] as unknown[]).push(circular, circular['list'])

/** Arrays with nothing where null stands. */
const holey = (...items: unknown[]): unknown[] => Object.assign(Array(items.length), Object.fromEntries(Object.entries(items).filter(([, item]) => item !== null)))
const named = Object.assign(holey(1, null, 3), { index: 2, input: 'x', '-1': 'y', '01': 'z', '4294967295': 'w' })
const shared = { deep: { value: 1 } }

const VALUES: Record<string, unknown> = {
  undefined: undefined, null: null, true: true, false: false, zero: 0, minusZero: -0, nan: NaN, infinity: [Infinity, -Infinity], max: Number.MAX_VALUE, min: 5e-324,
  ints: [1, -1, 127, 128, -128, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 32, 2 ** 53 - 1, -(2 ** 53)],
  bigints: [0n, -1n, 1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, -(2n ** 63n) - 1n, 2n ** 64n, 10n ** 500n, -(10n ** 500n), 0xabcn ** 31n],
  strings: ['', 'a', 'é\xff', 'Ā', '漢字', '😀', 'x'.repeat(63), 'x'.repeat(64), 'x'.repeat(70_000), '漢'.repeat(5000), 'x'.repeat(5000) + '😀'],
  surrogates: ['\ud800', '\udc00x', 'a\udfff\ud800'],
  dates: [new Date(0), new Date(NaN), new Date(8.64e15), new Date(-1.5)],
  regExps: [/a/, /[/]\/\n/gi, new RegExp(''), /./dgimsuy, /[\p{L}--a]/v, new RegExp('漢')],
  boxed: [Object(1), Object(-0), Object('text'), Object(true), Object(false), Object(12n), Object(2n ** 70n)],
  maps: [new Map(), new Map<unknown, unknown>([[1, 2], ['a', new Map([[{}, []]])], [NaN, -0], [undefined, null]])],
  sets: [new Set(), new Set<unknown>(['b', 'a', 1, new Set([[]])])],
  instance: new Point(), nullPrototype: Object.assign(Object.create(null), { a: 1 }),
  arrays: [[], [[]], holey(null), holey(1, null, 2, null, null), named, Array(5), Array(2000), Object.assign(Array(300), { 100: 1, 299: 2 }), Object.assign([], { 5000: 'far', 70_000: 'farther' })],
  errors: [new Error('a'), new TypeError('b', { cause: { c: 1 } }), new RangeError(), Object.assign(new SyntaxError('s'), { extra: 1 }), new URIError('u'), new EvalError('e'), new ReferenceError('r')],
  buffers: [new ArrayBuffer(0), new Uint8Array([1, 2, 3]).buffer, new ArrayBuffer(1000)],
  views: [
    new Uint8Array([1, 2]), new Int16Array([1, -2]).subarray(1), new Float64Array([1.5, NaN]), new BigInt64Array([1n, -1n]), new Uint8ClampedArray([255]), new DataView(new ArrayBuffer(9), 3, 4),
    new Float32Array(3), new Int8Array(0), new Uint16Array(1), new Int32Array([7]), new Uint32Array([8]), new BigUint64Array(2)
  ],
  circular, shared: [shared, shared, { again: shared.deep }], proto: JSON.parse('{"__proto__": 1, "toString": 2, "constructor": 3, "hasOwnProperty": {}}'),
  integerKeys: { 2: 'b', 1: 'a', z: 1, 100_000: 'c' }, symbolKeys: { [Symbol('x')]: 1, a: 1 }, hidden: Object.defineProperty({ a: 1 }, 'b', { value: 1 }),
  records: Array.from({ length: 50 }, (_, i) => ({ id: i, name: `n${i}`, tags: ['a'], ['k' + i]: { id: 1 } })),
  manyKeys: Object.fromEntries(Array.from({ length: 400 }, (_, i) => ['key' + i, { key1: i, ['key' + i]: 1, other: i }]))
}

describe('what structuredClone keeps', () => {
  for (const [name, value] of Object.entries(VALUES)) {
    it(name, () => {
      if (Array.isArray(value)) for (const item of value) expectAsNode(item)
      expectAsNode(value)
    })
  }

  it('lets an error keep class, message, stack and cause, and nothing else', () => {
    class HttpError extends Error {
      override name = 'HttpError'
      status = 404
    }
    const error: any = new TypeError('top', { cause: new HttpError('below') })
    const back = copy(error)
    expect(back).toBeInstanceOf(TypeError)
    expect([back.message, back.stack, back.cause.message, back.cause.name, back.cause.status]).toEqual(['top', error.stack, 'below', 'Error', undefined])
    expect(Object.keys(back)).toEqual([])
    expect(Object.hasOwn(copy(new Error()), 'message')).toBe(false)
    error.cause = error
    const own = copy({ error })
    expect(own.error.cause).toBe(own.error)
  })

  it('keeps who shares a buffer with whom', () => {
    const buffer = new ArrayBuffer(16)
    const back = copy({ a: new Uint8Array(buffer, 4, 4), b: new DataView(buffer), buffer, c: new Uint16Array(buffer, 2, 1) })
    back.a[0] = 9
    expect(back.b.getUint8(4)).toBe(9)
    expect([back.buffer === back.a.buffer, back.c.buffer === back.buffer, back.a.byteOffset, back.c.length]).toEqual([true, true, 4, 1])
    const twice = copy([back.a, back.a])
    expect(twice[0]).toBe(twice[1])
  })

  it('gives a Buffer back as a Buffer with its own bytes and none of its neighbours', () => {
    const pool = Buffer.from('secret hello secret')
    const bytes = encodeValue({ data: pool.subarray(7, 12) }, MAX)
    expect(Buffer.from(bytes).includes('secret')).toBe(false)
    const { data } = decodeValue(bytes) as { data: Buffer }
    expect(Buffer.isBuffer(data)).toBe(true)
    expect([data.toString(), data.buffer.byteLength]).toEqual(['hello', 5])
    expect(copy(Buffer.from('漢'.repeat(500))).toString()).toBe('漢'.repeat(500))
  })

  it('keeps the identity of keys and members', () => {
    const key = { k: 1 }
    const back = copy({ map: new Map([[key, [key]]]), set: new Set([key]), key })
    expect(back.map.get(back.key)[0]).toBe(back.key)
    expect(back.set.has(back.key)).toBe(true)
  })

  it('gives objects of no prototype and of classes the ordinary one', () => {
    expect(Object.getPrototypeOf(copy(Object.create(null)))).toBe(Object.prototype)
    expect(Object.getPrototypeOf(copy(new Point()))).toBe(Object.prototype)
    expect(Object.getPrototypeOf(copy(new (class extends Map {})()))).toBe(Map.prototype)
  })

  // An object of a large index, or an array that was made too long, would otherwise take the memory of its length.
  it('writes an array of four thousand million holes in a few bytes', () => {
    const array: unknown[] = [1]
    array[4_000_000_000] = 2
    array[4_000_000_001] = 3
    array.length = 4_294_967_295
    const bytes = encodeValue(array, 100)
    const back = decodeValue(bytes) as unknown[]
    expect([back.length, Object.keys(back), back[4_000_000_001]]).toEqual([4_294_967_295, ['0', '4000000000', '4000000001'], 3])
  })

  it('needs no stack, however deep', () => {
    let value: any = 'bottom'
    for (let i = 0; i < 100_000; i++) value = [{ a: [value] }, new Map([['k', [value]]]), new Map([[[value], 1]]), new Set([value]), new Error('e', { cause: value })][i % 5]
    let at: any = copy(value)
    for (let i = 99_999; i >= 0; i--) at = [() => at.a[0], () => at.get('k')[0], () => [...at.keys()][0][0], () => [...at][0], () => at.cause][i % 5]!()
    expect(at).toBe('bottom')
  }, 60_000)

  it('any JSON-like and any wild value', () => {
    fc.assert(fc.property(fc.anything({
      withBigInt: true, withBoxedValues: true, withDate: true, withMap: true, withSet: true, withNullPrototype: true, withSparseArray: true, withTypedArray: true, withUnicodeString: true
    } as never), expectAsNode), { numRuns: 2000 })
    fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.bigInt(), fc.double(), (...value) => expectAsNode(value)), { numRuns: 1000 })
  }, 60_000)

  it('equal values have equal bytes', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      expect(encodeValue(structuredClone(value), MAX)).toEqual(encodeValue(value, MAX))
    }))
  })
})
