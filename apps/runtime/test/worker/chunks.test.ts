import { FrameType } from '@socklet/protocol'
import ivm from 'isolated-vm'
import { Script } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { bundleGuest } from '../../src/snapshot/chunks.ts'
import { makeHarness } from './harness.ts'

// What an app does not ask for is in no isolate (docs/benchmarks.md, "The memory of a loaded app"): these are all that it needs for its messages.
it('an app that takes, sends and logs texts, and counts, needs no chunk', async () => {
  const harness = await makeHarness(({ heap }) => ({ heap, chunks: new ivm.ExternalCopy('') }))
  try {
    const test = await harness.start(`
      const cloud = require('@lafjs/cloud').default
      let count = 0
      exports.main = (ctx) => {
        if (ctx.method !== 'WebSocket:message') return
        const text = ctx.params.data.toString()
        console.log('received:', text)
        ctx.socket.join('all')
        setTimeout(() => cloud.sockets.forEach((socket) => socket.send(text + ++count)), 1)
        if (text === 'more') console.log({ text })
      }`)
    test.open(1)
    test.event(FrameType.MESSAGE, 1, 'hello')
    await test.until(() => test.texts().length === 1)
    expect([test.texts(), test.logs().map(({ message }) => message)]).toEqual([['hello1'], ['received: hello']])
    // To see that one is missing where it is needed.
    test.event(FrameType.MESSAGE, 1, 'more')
    await test.until(() => test.logs().length === 3)
    expect(test.logs()[2]!.message).toContain('socklet:guest')
  } finally {
    harness.close()
  }
})

it('a chunk whose evaluation fails, as the stack is full, is evaluated again the next time', async () => {
  const harness = await makeHarness()
  try {
    const test = await harness.start(`
      let failed = 0
      const tries = { URL: () => new URL('http://a.b/c').href, structuredClone: () => structuredClone(new Map([[1, new Date(0)]])).get(1).getTime(), AbortController: () => new AbortController().signal.aborted,
        shared: () => { const { shared } = require('@lafjs/cloud').default; shared.set('a', { b: 1 }); return shared.get('a').b }, util: () => require('util').inspect(new Set([1])) }
      function deep(what) {
        try {
          deep(what)
        } catch {
          try { what() } catch { failed++ }
        }
      }
      exports.main = (ctx) => {
        if (ctx.method !== 'WebSocket:message') return
        for (const name in tries) deep(tries[name])
        const signals = [new AbortController().signal, AbortSignal.abort()]
        ctx.socket.send(JSON.stringify([failed > 0, Object.values(tries).map((what) => what()), signals[0] instanceof EventTarget, signals[1].reason instanceof DOMException]))
      }`, { limits: { turnCpuMs: 5_000 } })
    test.open(1)
    test.event(FrameType.MESSAGE, 1, 'go')
    await test.until(() => test.texts().length === 1)
    expect(test.texts()).toEqual(['[true,["http://a.b/c",0,false,1,"Set(1) { 1 }"],true,true]'])
  } finally {
    harness.close()
  }
}, 20_000)

// What was evaluated while the snapshot was made had seen nothing of any tenant.
describe('what is evaluated behind the code of a tenant works, who has', () => {
  it.each([
    ['given everything properties', `for (const name of ['get', 'set', 'value', 'writable', 'then', 'a', 'type', 'length', 'index']) Object.prototype[name] = 'polluted'`],
    ['taken the iterators away', `delete Array.prototype[Symbol.iterator]; delete Map.prototype[Symbol.iterator]; delete Set.prototype[Symbol.iterator]; delete String.prototype[Symbol.iterator]`],
    ['broken the methods of functions', `for (const name of ['call', 'apply', 'bind']) Function.prototype[name] = () => { throw new Error('broken') }`],
    ['broken those of texts and arrays', `for (const { prototype } of [String, Array]) for (const name of ['replace', 'slice', 'split', 'map', 'filter', 'push', 'join', 'includes', 'indexOf', 'entries', 'values', 'matchAll']) if (name in prototype) prototype[name] = () => { throw new Error('broken') }`],
    ['replaced the globals of the language', `for (const name of ['Map', 'Set', 'Symbol', 'Object', 'Array', 'Error', 'TypeError', 'Promise', 'RegExp', 'Uint8Array', 'Reflect', 'Number', 'String']) globalThis[name] = null`]
  ])('%s', async (_name, attack) => {
    const harness = await makeHarness()
    try {
      const test = await harness.start(`
        const cloud = require('@lafjs/cloud').default
        const stringify = JSON.stringify
        const tries = {
          __proto__: null, URL: () => new URL('http://a.b/c?d=e').searchParams.get('d'), TextEncoder: () => new TextEncoder().encode('a')[0], AbortController: () => new AbortController().signal.aborted, Event: () => new Event('a').type,
          Headers: () => new Headers().get('a'), crypto: () => crypto.randomUUID().length, btoa: () => btoa('a'), DOMException: () => new DOMException('a', 'AbortError').code, shared: () => { cloud.shared.set('n', 1); return cloud.shared.get('n') },
          util: () => require('util').inspect(1), events: () => typeof require('events').once, token: () => cloud.parseToken(cloud.getToken('text')), socket: (socket) => socket.addEventListener('open', () => {})
        }
        exports.main = ({ method, socket }) => {
          if (method !== 'WebSocket:message') return
          let failed = ''
          for (const name in tries) {
            try { tries[name](socket) } catch (error) { failed += name + ': ' + error.stack + ' ' }
          }
          socket.send(failed)
        }
        ${attack}`)
      test.open(1)
      test.event(FrameType.MESSAGE, 1, 'go')
      await test.until(() => test.texts().length === 1)
      expect(test.texts()).toEqual([''])
    } finally {
      harness.close()
    }
  })
})

it('all chunks are JavaScript', async () => {
  const { chunks } = await bundleGuest()
  for (const chunk of chunks.split('//# sourceURL=socklet:guest\n')) expect(() => new Script(chunk)).not.toThrow()
})

describe('the guest is not bundled', () => {
  it('if something is both imported and required, and would be in the snapshot after all', async () => {
    await expect(bundleGuest(`
      import { URL } from './globals/url/url.ts'
      export const both = [URL, () => require('./globals/url/url.ts')]
      console.log(both)
    `)).rejects.toThrow('globals/url/url.ts is both imported by the guest and required')
  })
})
