import { beforeAll, describe, expect, it } from 'vitest'
import { createIsolate, snapshotOf, type TestIsolate } from '../globals/isolate.ts'

/** As in the guest: in a snapshot, with the guest's globals around it. The codec stays in a closure; only its results come out. */
const ENTRY = `
  import { installGlobals } from './globals/index.ts'
  import { harden } from './harden.ts'
  installGlobals(globalThis, { randomBytes: count => new Uint8Array(globalThis.__host(count)) })
  Object.defineProperty(globalThis, '__socklet', { value: { harden, values: () => require('./values.ts') } })
`

describe('values in an isolate', () => {
  let isolate: TestIsolate
  beforeAll(async () => {
    isolate = await createIsolate(await snapshotOf(ENTRY))
    await isolate.run('globalThis.copy = value => __socklet.values().decodeValue(__socklet.values().encodeValue(value, 1 << 24)); 0')
  })
  const run = (expression: string): Promise<unknown> => isolate.run(expression)

  it('are what they were', async () => {
    expect(await run(`(() => {
      const shared = { n: -0 }
      const value = { text: 'é漢😀\\ud800', list: [1, , 3], map: new Map([[1, shared]]), set: new Set([shared]), date: new Date(5), re: /a/gi, big: 2n ** 200n, error: new TypeError('t', { cause: 1 }),
        dom: new DOMException('m', 'AbortError'), half: new Float16Array([1.5]), view: new DataView(new ArrayBuffer(4), 1, 2), boxed: Object('s') }
      value.self = value
      const back = copy(value)
      return [back.text === value.text, 1 in back.list, back.list.length, back.map.get(1) === [...back.set][0], Object.is(back.map.get(1).n, -0), back.date.getTime(), String(back.re), back.big === value.big,
        back.error instanceof TypeError, back.error.message, back.error.stack === value.error.stack, back.error.cause, back.dom instanceof DOMException, back.dom.name, back.dom.message, back.dom.code,
        back.half[0], back.half.constructor === Float16Array, back.view.byteLength, back.boxed instanceof String, back.self === back]
    })()`)).toEqual([true, false, 3, true, true, 5, '/a/gi', true, true, 't', true, 1, true, 'AbortError', 'm', 20, 1.5, true, 2, true, true])
  })

  it('a Buffer comes back as one', async () => {
    expect(await run(`(() => { const b = copy({ b: Buffer.from('xhellox').subarray(1, 6) }).b; return [Buffer.isBuffer(b), b instanceof Buffer, b.toString(), b.buffer.byteLength] })()`))
      .toEqual([true, true, 'hello', 5])
  })

  it('what V8 adds after the snapshot is refused too', async () => {
    expect(await run(`[Temporal.Now.instant(), new Intl.NumberFormat(), (function* () {})(), Promise.resolve()].map(value => {
      try { return copy({ a: value }) } catch (error) { return error instanceof DOMException && error.name + ' ' + error.message }
    })`)).toEqual([
      'DataCloneError a: an instance of Instant could not be cloned.', 'DataCloneError a: an instance of NumberFormat could not be cloned.', 'DataCloneError a: a generator could not be cloned.', 'DataCloneError a: a Promise could not be cloned.'
    ])
  })

  it('need no stack, and little memory for a length', async () => {
    expect(await run(`(() => {
      let value = 1
      for (let i = 0; i < 100_000; i++) value = i % 2 ? [value] : { a: value }
      let at = copy(value)
      let depth = 0
      for (; typeof at === 'object'; depth++) at = Array.isArray(at) ? at[0] : at.a
      const holes = copy(Array.from({ length: 1000 }, () => {
        const list = []
        list[4_000_000_000] = 1
        list.length = 30_000_000
        return list
      }))
      return [depth, holes.length, holes[999].length]
    })()`)).toEqual([100_000, 1000, 30_000_000])
  }, 60_000)

  it('are not touched by a tenant who has replaced all that can be replaced', async () => {
    const patched = await createIsolate(await snapshotOf(ENTRY))
    const VALUE = `{ a: [1, , 'text', 'x'.repeat(300), '漢'.repeat(300), 2n ** 90n, 1.5], m: new Map([['k', { a: 1 }], [1, 2]]), s: new Set([1, { a: 2 }]), d: new Date(5), r: /x/gi, e: Object.assign(new TypeError('t'), { stack: 't' }),
        u: new Uint8Array(200), v: new DataView(new ArrayBuffer(3)), b: Buffer.from('b'.repeat(300)), f: Object.assign(new Error('c', { cause: 3 }), { stack: 'f' }) }`
    const expected = await run(`__socklet.values().encodeValue(${VALUE}, 1 << 20)`) as Uint8Array
    await patched.context.evalClosure('globalThis.expected = $0', [new Uint8Array(expected)], { arguments: { copy: true } })
    const result = await patched.run(`(() => {
      const { values } = __socklet
      const define = Object.defineProperty, keys = Reflect.ownKeys, describe = Object.getOwnPropertyDescriptor, apply = Reflect.apply, stringify = JSON.stringify
      const bare = { Map, Set, Date, Buffer, Uint8Array, RegExp, Error, ArrayBuffer }
      const value = ${VALUE}
      let seen = ''
      const classes = [Object, Array, Map, Set, Date, RegExp, String, Number, Boolean, BigInt, Symbol, ArrayBuffer, DataView, Uint8Array, Object.getPrototypeOf(Uint8Array), Function, Error, TypeError, Reflect, JSON, Math, Promise]
      let armed = true
      const spy = (holder, name) => {
        const found = describe(holder, name)
        if (!found || !found.configurable || name === 'prototype' || name === Symbol.toStringTag && holder !== Object.prototype) return
        if (typeof found.value === 'function') define(holder, name, { value: function () { if (armed) seen += String(name) + ';'; return apply(found.value, this, arguments) } })
        else if (found.get) define(holder, name, { get() { if (armed) seen += 'get ' + String(name) + ';'; return apply(found.get, this, []) } })
      }
      armed = false
      for (const Class of classes) for (const holder of [Class, Class.prototype]) if (holder) for (const name of keys(holder)) if (name !== 'constructor' && name !== 'captureStackTrace') spy(holder, name)
      for (const iterator of [[].values(), new Map().values(), new Set().values(), 'x'[Symbol.iterator]()]) spy(Object.getPrototypeOf(iterator), 'next')
      for (const name of ['a', 'm', 'k', 'kind', 'keys', 'index', 'parent', 'step']) define(Object.prototype, name, { set(value) { if (armed) seen += 'set ' + name + ';' }, get() { if (armed) seen += 'read ' + name + ';' }, configurable: true })
      for (let i = 0; i < 20; i++) define(Array.prototype, i, { set(value) { if (armed) seen += 'set ' + i + ';' }, get() { if (armed) seen += 'read ' + i + ';' }, configurable: true })
      armed = true
      // Only now their code is evaluated.
      const { encodeValue, decodeValue } = values()
      const bytes = encodeValue(value, 1 << 20)
      const back = decodeValue(bytes)
      const again = encodeValue(back, 1 << 20)
      armed = false
      let same = bytes.length === expected.length && again.length === bytes.length
      for (let i = 0; same && i < bytes.length; i++) same = bytes[i] === expected[i]
      for (let i = 0; i < 20; i++) delete Array.prototype[i]
      return stringify([same, seen])
    })()`)
    // Item 1 is a hole: reading it asks the tenant's getter, as reading any property may.
    expect(result).toBe('[true,"read 1;read 1;"]')
  })
})
