import { FrameType, Link } from '@socklet/protocol'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ResultError, sendResult } from '../../src/worker/result.ts'
import { acknowledged, makeHarness, type Harness } from './harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

/** Replaces what tenant code can replace, by functions that keep every receiver and argument that they see. */
const SPY = `
  const seen = [null]
  const { apply } = Reflect
  const see = (value) => { seen[seen.length] = value }
  const wrap = (owner, name) => {
    const d = Object.getOwnPropertyDescriptor(owner, name)
    if (!d || !d.configurable) return
    for (const kind of ['value', 'get', 'set']) {
      const original = d[kind]
      if (typeof original !== 'function') continue
      d[kind] = function (...args) { if (!inside) { see(this); for (let i = 0; i < args.length; i++) see(args[i]) } return apply(original, this, args) }
    }
    try { Object.defineProperty(owner, name, d) } catch {}
  }
  let inside = false
  const TypedArray = Object.getPrototypeOf(Uint8Array)
  for (const owner of [Array, Map, Set, WeakMap, Promise, String, Number, RegExp, ArrayBuffer, TypedArray, DataView, Error, Function, Object, Date].map((c) => c.prototype).concat([JSON, Reflect, Math]))
    for (const name of Reflect.ownKeys(owner)) if (name !== 'constructor' && name !== 'apply' && name !== 'call' && name !== '__proto__') wrap(owner, name)
  Object.defineProperty(Array.prototype, '0', { set(v) { if (!inside) see(this) }, get() { return undefined }, configurable: true })
`

describe('tenant code that replaces the built-ins', () => {
  it('sees nothing of the guest: no frames, no internal arrays, no buffers of a turn', async () => {
    const test = await harness.start(`
      ${SPY}
      exports.main = async (ctx) => {
        inside = true
        const text = ctx.params?.data ? String.fromCharCode(...ctx.params.data) : ''
        if (text === 'report') {
          const suspicious = seen.filter((one) => one instanceof ArrayBuffer || (ArrayBuffer.isView(one) && one !== ctx.params.data) || (Array.isArray(one) && one.some((x) => x instanceof ArrayBuffer)) || (typeof one === 'object' && one !== null && ('sequence' in one || 'gateway' in one)))
          ctx.socket.send('suspicious: ' + suspicious.length)
        } else ctx.socket.send('ok ' + ctx.requestId)
        inside = false
        await null
      }`)
    test.open(1)
    for (let i = 0; i < 5; i++) test.event(FrameType.MESSAGE, 1, 'x')
    const last = test.event(FrameType.MESSAGE, 1, 'report')
    await test.until((frames) => acknowledged(frames).includes(last))
    expect(test.texts().at(-1), JSON.stringify(test.logs())).toBe('suspicious: 0')
    expect(test.texts().slice(0, -1)).toHaveLength(6)
  })

  it('finds no isolated-vm, no Reference and no way to the function that starts the guest', async () => {
    const test = await harness.start(`
      exports.main = function main(ctx) {
        const found = []
        const visited = new Set()
        const look = (value, path, depth) => {
          if ((typeof value !== 'object' && typeof value !== 'function') || value === null || visited.has(value) || depth > 6) return
          visited.add(value)
          const name = (() => { try { return value.constructor?.name } catch { return '' } })()
          if (['Reference', 'ExternalCopy', 'Isolate', 'Context', 'Callback'].includes(name)) found.push(path)
          for (const key of Reflect.ownKeys(value)) {
            const d = Object.getOwnPropertyDescriptor(value, key)
            if (d && 'value' in d) look(d.value, path + '.' + String(key), depth + 1)
            if (d?.get) look(d.get, path + '.get ' + String(key), depth + 1)
          }
          look(Object.getPrototypeOf(value), path + '.__proto__', depth + 1)
        }
        look(globalThis, 'globalThis', 0)
        look(ctx, 'ctx', 0)
        look(require('@lafjs/cloud'), 'cloud', 0)
        ctx.socket.send(JSON.stringify({ found, boot: typeof globalThis.__socklet_boot, caller: main.caller === null }))
      }`)
    test.open(1)
    await test.until(() => test.texts().length > 0)
    expect(JSON.parse(test.texts()[0]!)).toEqual({ found: [], boot: 'undefined', caller: true })
  })
})

describe('a result that no guest makes', () => {
  const nowhere = { send: () => {}, sendEncoded: () => {}, sendText: () => {} } as unknown as Link
  const to = { app: 1, generation: 1, gateways: [nowhere], pool: nowhere }

  it('is refused, whatever its bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 600 }), fc.nat({ max: 700 }), fc.array(fc.anything(), { maxLength: 3 }), (bytes, used, extra) => {
        const buffer = new Uint8Array(bytes).buffer
        if (buffer.byteLength >= 4) new DataView(buffer).setUint32(0, used, true)
        try {
          sendResult([1, buffer, ...extra], to)
        } catch (error) {
          expect(error).toBeInstanceOf(ResultError)
        }
      }),
      { numRuns: 500 }
    )
  })

  it('is refused when it is something else altogether', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(() => sendResult(value, to)).toThrow(ResultError)
      })
    )
  })
})
