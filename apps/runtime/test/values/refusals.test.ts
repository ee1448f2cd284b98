import { describe, expect, it } from 'vitest'
import { decodeValue, encodeValue } from '../../src/guest/values.ts'

const MAX = 1024 * 1024

function thrownBy(run: () => unknown): any {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
const refusal = (value: unknown, name?: string): string => {
  const error = thrownBy(() => encodeValue(value, MAX, name === undefined ? undefined : { name }))
  expect([error.name, error.code]).toEqual(['DataCloneError', 25])
  return error.message
}
const f = (): void => {}

describe('what cannot be written', () => {
  it('is named by its path', () => {
    expect(refusal({ users: new Map([['a', { callback: f }]]) })).toBe('users.get("a").callback: a function could not be cloned.')
    expect(refusal([[1, f]], 'socket.data')).toBe('socket.data[0][1]: a function could not be cloned.')
    expect(refusal(f)).toBe('the value: a function could not be cloned.')
    expect(refusal(Symbol('s'), 'socket.data')).toBe('socket.data: a symbol could not be cloned.')
    expect(refusal({ 'a b': { c: new Set([1, f]) } })).toBe('["a b"].c.values()[1]: a function could not be cloned.')
    expect(refusal(new Map([[{ f }, 1]]), 'm')).toBe('m.keys()[0].f: a function could not be cloned.')
    expect(refusal({ a: new Error('x', { cause: f }) })).toBe('a.cause: a function could not be cloned.')
    expect(refusal(Object.assign([1, 2], { extra: f }), 'list')).toBe('list.extra: a function could not be cloned.')
    expect(refusal({ done: 1, first: { second: { done: 2 } }, third: new Map([[1, 2], [2, f as never]]) })).toBe('third.get(2): a function could not be cloned.')
    expect(refusal({ ['k'.repeat(1e6)]: f }).length).toBeLessThan(120)
  })

  it('of a very deep one only the end is shown', () => {
    let value: unknown = f
    for (let i = 0; i < 10_000; i++) value = { a: value }
    expect(refusal(value)).toMatch(/^…(\.a){24}: /)
  })

  it('is all that holds more than data', () => {
    const detached = new ArrayBuffer(8)
    const view = new Uint8Array(detached)
    structuredClone(detached, { transfer: [detached] })
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const hostile = new Proxy({}, {
      getPrototypeOf: () => {
        throw new Error('no')
      }
    })
    for (const value of [
      Promise.resolve(), new WeakMap(), new WeakSet(), new WeakRef({}), Object(Symbol('x')), [].values(), new Map().entries(), (function* () {})(), (async function* () {})(),
      new Intl.NumberFormat(), new SharedArrayBuffer(1), new Uint8Array(new SharedArrayBuffer(1)), detached, view, proxy, hostile, new FinalizationRegistry(f)
    ]) expect(refusal({ here: value })).toMatch(/^here: an? [\w ]+ could not be cloned\.$/)
    expect(refusal((globalThis as any).Temporal.Now.instant())).toContain('Instant')
  })

  it('an impostor is a plain object', () => {
    class Fake {
      get [Symbol.toStringTag](): string {
        return 'Map'
      }
      a = 1
    }
    expect(decodeValue(encodeValue([new Fake(), Object.create(Map.prototype), Object.create(Error.prototype), Object.create(Date.prototype)], MAX))).toEqual([{ a: 1 }, {}, {}, {}])
  })
})

describe('with onDropped', () => {
  it('it is left out and told', () => {
    const dropped: string[] = []
    const value = {
      a: f, b: 1, list: [1, f, 3], map: new Map<unknown, unknown>([['x', f], [f, 'y'], ['z', 1]]), set: new Set([f, 2]), error: new Error('e', { cause: f }), promise: Promise.resolve(), deep: { c: Symbol('s') }
    }
    const bytes = encodeValue(value, MAX, { name: 'key', onDropped: (path, kind) => void dropped.push(`${path} ${kind}`) })
    const back = decodeValue(bytes) as typeof value
    expect(Object.keys(back)).toEqual(['b', 'list', 'map', 'set', 'error', 'deep'])
    expect([back.list, back.map, back.set, back.deep, 'cause' in back.error]).toEqual([[1, undefined, 3], new Map([['z', 1]]), new Set([2]), {}, false])
    expect(dropped).toEqual([
      'key.a a function', 'key.list[1] a function', 'key.map.get("x") a function', 'key.map.keys()[1] a function', 'key.set.values()[0] a function', 'key.error.cause a function', 'key.promise a Promise', 'key.deep.c a symbol'
    ])
    expect(decodeValue(encodeValue(f, MAX, { onDropped: () => {} }))).toBe(undefined)
  })

  it('instances are told', () => {
    class Player {
      name = 'p'
    }
    class Players extends Map<string, Player> {}
    const told: string[] = []
    encodeValue({ players: new Players([['a', new Player()]]), plain: {}, none: Object.create(null), date: new Date(), bytes: Buffer.from('x'), list: [new Player()] }, MAX, { onInstance: path => void told.push(path) })
    expect(told).toEqual(['players', 'players.get("a")', 'list[0]'])
  })
})

describe('references', () => {
  it('stand for objects of the platform, with their identity', () => {
    const sockets = [{ send: f }, { send: f }]
    const bytes = encodeValue({ list: sockets, map: new Map([[sockets[1], sockets[0]]]), set: new Set(sockets), id: 'x', promise: 1 }, MAX, {
      replace: object => object === sockets[0] ? 'first' : object === sockets[1] ? 70_000 : null,
      onDropped: () => expect.unreachable()
    })
    const back = decodeValue(bytes, { revive: reference => sockets[reference === 'first' ? 0 : 1] }) as { list: unknown[], map: Map<unknown, unknown>, set: Set<unknown> }
    expect(back.list[0]).toBe(sockets[0])
    expect(back.map.get(sockets[1])).toBe(sockets[0])
    expect([...back.set]).toEqual(sockets)
    expect(() => decodeValue(bytes)).toThrow(RangeError)
  })

  it('stand for what could not be written otherwise', () => {
    const promise = Promise.resolve()
    const bytes = encodeValue({ promise }, MAX, { replace: object => object === promise ? 5 : null, onDropped: () => expect.unreachable() })
    expect(decodeValue(bytes, { revive: reference => reference })).toEqual({ promise: 5 })
  })
})

describe('the limit', () => {
  it('is exact', () => {
    for (const value of [{ a: 1, b: 'text' }, 'x'.repeat(1000), new Map([[1, '漢字']]), 2n ** 200n, [1.5, new Uint8Array(100)], new Error('x')]) {
      const { length } = encodeValue(value, MAX)
      expect(encodeValue(value, length).length).toBe(length)
      expect(thrownBy(() => encodeValue(value, length - 1, { name: 'socket.data' })).message).toBe(`socket.data is larger than ${length - 1} bytes`)
      expect(thrownBy(() => encodeValue(value, length - 1))).toBeInstanceOf(RangeError)
    }
  })

  it('is noticed before anything large is made', () => {
    let reached = 0
    const watched = { get read() { return reached++ } }
    const large = [
      'x'.repeat(2 ** 28), 'a' + '漢'.repeat(2 ** 27), new ArrayBuffer(2 ** 29), 1n << (2n ** 28n), new Map(Array.from({ length: 200_000 }, (_, i) => [i, watched])), new Set([watched, ...Array(200_000).keys()]),
      Array(3_000_000).fill(0)
    ]
    const started = process.memoryUsage()
    for (const value of large) {
      const before = performance.now()
      expect(() => encodeValue([value, watched], 16_384)).toThrow(RangeError)
      expect(performance.now() - before).toBeLessThan(200)
    }
    expect(reached).toBe(0)
    expect(process.memoryUsage().arrayBuffers - started.arrayBuffers).toBeLessThan(2 ** 22)
  })

  it('ends what has no end', () => {
    const endless = (): object => new Proxy({ a: 1 }, { get: () => endless() })
    expect(() => encodeValue(endless(), 16_384)).toThrow(RangeError)
    const long = new Proxy([], { get: (_, key) => key === 'length' ? 2 ** 32 - 1 : 1 })
    expect(() => encodeValue(long, 16_384)).toThrow(RangeError)
  })
})

describe('code of the tenant that runs meanwhile', () => {
  it('may change what is being written', () => {
    const map = new Map<unknown, unknown>([['a', 1]])
    const set = new Set<unknown>(['a'])
    const list: unknown[] = [1, 2, 3, 4]
    const value: Record<string, unknown> = {
      get first() {
        delete value['gone']
        value['new'] = 1
        return 1
      },
      gone: 1, map, set, list, last: 2
    }
    map.set('b', { get x() { map.clear(); for (let i = 0; i < 1000; i++) map.set(i, i); return 1 } }).set('c', 3)
    set.add({ get x() { set.clear(); return 1 } }).add('c')
    list[1] = { get x() { list.length = 2; return 1 } }
    const shortened = Object.assign(Array(4), [1, { x: 1 }])
    expect(decodeValue(encodeValue(value, MAX)))
      .toStrictEqual({ first: 1, map: new Map<unknown, unknown>([['a', 1], ['b', { x: 1 }], ['c', 3]]), set: new Set(['a', { x: 1 }, 'c']), list: shortened, last: 2 })
  })

  it('may throw, and write values of its own', () => {
    const plain = { a: [1, 2, { b: 'c' }], s: 'x'.repeat(2000) }
    const expected = encodeValue(plain, MAX)
    let inner: Uint8Array | undefined
    const nesting = { a: 'outer', get b() { inner = encodeValue(plain, MAX); return 'b' }, c: 'after'.repeat(500) }
    expect(decodeValue(encodeValue(nesting, MAX))).toEqual({ a: 'outer', b: 'b', c: 'after'.repeat(500) })
    expect(inner).toEqual(expected)
    const error = new Error('mine')
    expect(thrownBy(() => encodeValue({ a: 1, get b() { throw error } }, MAX))).toBe(error)
    expect(encodeValue(plain, MAX)).toEqual(expected)
  })

  it('gets nothing from what it puts on prototypes', () => {
    const stolen: unknown[] = []
    let back: unknown
    const Objects = Object.prototype as any
    const Arrays = Array.prototype as any
    try {
      Object.defineProperty(Objects, 'a', { set: v => stolen.push(v), configurable: true })
      for (const index of [0, 1, 2]) Object.defineProperty(Arrays, index, { set: v => stolen.push(v), configurable: true })
      for (const name of ['replace', 'onDropped', 'onInstance', 'name', 'revive']) Objects[name] = () => stolen.push(name)
      // The last, since no descriptor that inherits it is valid any more.
      Objects.get = f
      const bytes = encodeValue({ a: [1, 2, [3]], get: { replace: 1 } }, MAX, {})
      back = decodeValue(bytes, {})
    } finally {
      for (const name of ['a', 'get', 'replace', 'onDropped', 'onInstance', 'name', 'revive']) delete Objects[name]
      for (const index of [0, 1, 2]) delete Arrays[index]
    }
    expect(JSON.stringify(back)).toBe('{"a":[1,2,[3]],"get":{"replace":1}}')
    expect(stolen).toEqual([])
  })
})
