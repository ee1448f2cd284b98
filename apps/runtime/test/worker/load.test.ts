import { FrameType } from '@socklet/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeHarness, type Harness } from './harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

const START = { limits: { messageBytes: 16 * 1024 * 1024 } }

/** Bytes of heap, and what V8 holds outside, once the function has run. */
async function heapWith(code: string): Promise<number> {
  const test = await harness.start(`${code}\nexports.main = (ctx) => { if (ctx.method === 'WebSocket:message') ctx.socket.send('here') }`, START)
  test.open(1)
  test.event(FrameType.MESSAGE, 1, 'hello')
  await test.until((frames) => frames.some(({ head }) => head.type === FrameType.SEND))
  return (await test.app.stats()).heapBytes
}

// There were three: the JSON of the release, the code that was read from it, and the code in its wrapper. An isolate that is idle
// never collects its garbage.
it('an isolate has one copy of its code', async () => {
  const bytes = 4_000_000
  const grown = (await heapWith(`/*${'c'.repeat(bytes)}*/`)) - (await heapWith(''))
  expect(grown).toBeGreaterThan(bytes * 0.9)
  expect(grown).toBeLessThan(bytes * 1.5)
})

it('Node’s modules that are evaluated when they are first asked for share what the isolate has', async () => {
  const test = await harness.start(`exports.main = (ctx) => {
    if (ctx.method !== 'WebSocket:message') return
    const assert = require('node:assert'), crypto = require('crypto'), util = require('util'), url = require('url')
    let thrown
    try { assert.deepStrictEqual({ a: [1] }, { a: [2] }) } catch (error) { thrown = error }
    const digest = crypto.createHash('sha256').update('abc').digest()
    ctx.socket.send(JSON.stringify([
      thrown instanceof assert.AssertionError && thrown instanceof Error && thrown.code, assert.strict === require('assert/strict'),
      Buffer.isBuffer(digest) && digest.toString('hex').slice(0, 8), crypto.webcrypto === globalThis.crypto, crypto === require('node:crypto'), crypto.randomBytes(4).length,
      util.inspect({ a: new Map([[1, 2]]) }), util.types === require('util/types'), util.TextEncoder === TextEncoder, util.isDeepStrictEqual([1], [1]),
      url.URL === URL, url.parse('http://a.b:1/c?d=e').port, url.domainToASCII('español.com'), url.URLSearchParams === URLSearchParams,
      require('querystring').stringify({ a: 'b c' }), require('punycode').encode('mañana')
    ]))
  }`)
  test.open(1)
  test.event(FrameType.MESSAGE, 1, 'hello')
  const sent = await test.until((frames) => frames.find(({ head }) => head.type === FrameType.SEND))
  expect(JSON.parse(sent.payload.toString())).toEqual([
    'ERR_ASSERTION', true, 'ba7816bf', true, true, 4, '{ a: Map(1) { 1 => 2 } }', true, true, true,
    true, '1', 'xn--espaol-zwa.com', true, 'a=b%20c', 'maana-pta'
  ])
})
