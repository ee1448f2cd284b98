import { beforeAll, describe, expect, it } from 'vitest'
import { createIsolate, snapshotOf, type TestIsolate } from './isolate.ts'

const NAMES = [
  'AbortController', 'AbortSignal', 'Buffer', 'CustomEvent', 'DOMException', 'Event', 'EventTarget', 'TextDecoder', 'TextEncoder', 'URL', 'URLSearchParams', 'atob', 'btoa', 'crypto', 'global', 'performance',
  'queueMicrotask', 'structuredClone'
]

describe('globals in a snapshot', () => {
  let isolate: TestIsolate
  beforeAll(async () => {
    isolate = await createIsolate()
  })

  it('are all there, writable, configurable, not enumerable, and have their names', async () => {
    const wrong = await isolate.run(`${JSON.stringify(NAMES)}.filter(name => {
      const before = Object.getOwnPropertyDescriptor(globalThis, name)
      // Some are accessors until they are used, as in Node.
      if (!before || before.enumerable || !before.configurable || globalThis[name] === undefined) return true
      const d = Object.getOwnPropertyDescriptor(globalThis, name)
      return !d || d.enumerable || !d.writable || !d.configurable || (typeof d.value === 'function' && d.value.name !== name)
    })`)
    expect(wrong).toEqual([])
    expect(await isolate.run('Object.keys(globalThis).filter(name => name !== "__host")')).toEqual([])
  })

  it('can be installed after restoring as well', async () => {
    const later = await createIsolate(await snapshotOf(`
      import { installGlobals } from './globals/index.ts'
      globalThis.install = () => installGlobals(globalThis, { randomBytes: count => new Uint8Array(globalThis.__host(count)) })
    `))
    expect(await later.run(`install(); Buffer.from('hi').toString('hex') + crypto.randomUUID().length`)).toBe('686936')
  })

  it('give each isolate of one snapshot randomness and a clock of its own', async () => {
    const other = await createIsolate()
    const draw = '[crypto.randomUUID(), __socklet.require("crypto").randomBytes(16).toString("hex"), String(Math.random())]'
    const [first, second] = [await isolate.run(draw), await other.run(draw)] as [string[], string[]]
    for (const [index, value] of first.entries()) expect(value).not.toBe(second[index])
    const origin = await other.run('performance.timeOrigin') as number
    expect(Math.abs(origin - Date.now())).toBeLessThan(60_000)
  })

  it('ask the host for 4 KiB of randomness at a time, and never for more than 64 KiB', async () => {
    const counting = await createIsolate()
    await counting.run('const host = __host; globalThis.asked = []; globalThis.__host = count => { asked.push(count); return host(count) }; 0')
    await counting.run('for (let i = 0; i < 100; i++) crypto.randomUUID(); __socklet.require("crypto").randomBytes(100_000); 0')
    expect(await counting.run('asked')).toEqual([4096, 65_536, 100_000 - 65_536])
  })

  it('hold every module that is promised, and no stub', async () => {
    const names = await isolate.run('Object.keys(__socklet.nodeModules).sort()')
    expect(names).toEqual([
      'assert', 'assert/strict', 'buffer', 'crypto', 'events', 'path', 'path/posix', 'perf_hooks', 'process', 'punycode', 'querystring', 'string_decoder', 'timers', 'timers/promises', 'url', 'util', 'util/types'
    ])
    const missing = await isolate.run('Object.keys(__socklet.nodeModules).filter(name => name !== "process" && !["object", "function"].includes(typeof __socklet.require(name)))')
    expect(missing).toEqual([])
  })
})

describe('what a tenant may do to them', () => {
  // A log line was built from an object of a million keys: Node's inspect has no bound for the whole.
  it('output of inspect and format is bounded', async () => {
    const { run } = await createIsolate()
    const sizes = await run(`(() => {
      const { inspect, format } = __socklet
      const wide = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => ['key' + i, i]))
      const deep = n => n === 0 ? 'x'.repeat(1000) : Array.from({ length: 60 }, () => deep(n - 1))
      const shared = 'y'.repeat(10_000)
      return [inspect(wide), inspect(deep(3), { depth: 9 }), format('%s', 'z'.repeat(5e6)), format('z'.repeat(5e6)), inspect('z'.repeat(5e6), { maxStringLength: null }),
        inspect(Array(100).fill(Array(100).fill(shared))), format(...Array(100).fill(wide)), format('%o'.repeat(50), ...Array(50).fill(wide)), inspect(new Error('m'.repeat(5e6)))].map(text => text.length)
    })()`) as number[]
    for (const size of sizes) expect(size).toBeLessThan(600_000)
  })

  it('an array of a thousand million holes is shown at once', async () => {
    const { run } = await createIsolate()
    expect(await run('__socklet.inspect(new Array(1e9))')).toBe('[ <1000000000 empty items> ]')
    expect(await run('__socklet.inspect(Object.assign(new Array(1e9), { 5e8: 1 }))')).toContain('<500000000 empty items>')
  })

  it('hostile values only throw', async () => {
    const { run } = await createIsolate()
    const hostile = ['new Proxy({}, { ownKeys() { throw new Error("trap") } })', '{ get [Symbol.toStringTag]() { throw new Error("trap") } }', '{ [Symbol.for("nodejs.util.inspect.custom")]() { throw new Error("trap") } }', '{ toString() { throw new Error("trap") } }']
    for (const value of hostile) {
      expect(await run(`(() => { try { __socklet.format('%s', ${value}); return 'shown' } catch (error) { return error.message } })()`)).toMatch(/^(?:trap|shown)$/)
    }
  })

  it('an error in a microtask or a listener becomes an unhandled rejection', async () => {
    for (const code of ['queueMicrotask(() => { throw new Error("lost?") })', 'const t = new EventTarget(); t.addEventListener("a", () => { throw new Error("lost?") }); t.dispatchEvent(new Event("a"))']) {
      const { context } = await createIsolate()
      await expect(context.eval(`${code}; undefined`)).rejects.toThrow('lost?')
    }
  })

  it('replaced built-ins reach neither the host nor its bytes', async () => {
    const { run } = await createIsolate()
    const seen = await run(`(async () => {
      const seen = []
      const spy = (object, name) => { const plain = object[name]; object[name] = function (...args) { seen.push(this, ...args); return Reflect.apply(plain, this, args) } }
      for (const name of ['set', 'subarray', 'fill', 'slice']) spy(Object.getPrototypeOf(Uint8Array.prototype), name)
      for (const name of ['call', 'apply', 'bind']) spy(Function.prototype, name)
      const before = crypto.randomUUID()
      const mine = new Uint8Array(16)
      crypto.getRandomValues(mine)
      return [before.length, seen.filter(item => typeof item === 'function' || (ArrayBuffer.isView(item) && item.length >= 4096)).length]
    })()`)
    expect(seen).toEqual([36, 0])
  })

  it('bytes that were handed out are no longer in the pool', async () => {
    const { run } = await createIsolate()
    const text = await run(`(() => { const a = crypto.getRandomValues(new Uint8Array(32)); const b = crypto.getRandomValues(new Uint8Array(32)); return [a.buffer !== b.buffer, a.buffer.byteLength] })()`)
    expect(text).toEqual([true, 32])
  })
})
