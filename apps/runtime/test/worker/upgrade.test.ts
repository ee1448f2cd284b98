import { FrameType, splitHead, type UpgradeHead, type UpgradeResult } from '@socklet/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acknowledged, framesOf, makeHarness, type Harness, type TestApp } from './harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

const HEAD: UpgradeHead = { requestId: 'r-1', url: '/chat?token=t&a[]=1', headers: { cookie: 'c' }, address: '192.0.2.7', protocols: ['v1', 'v2'] }

function ask(test: TestApp, number: number, head: Partial<UpgradeHead> = {}): number {
  return test.event(FrameType.UPGRADE, number, JSON.stringify({ ...HEAD, ...head }))
}

async function answer(test: TestApp, number: number): Promise<UpgradeResult & { body: string }> {
  const { payload } = await test.until((frames) => frames.find(({ head }) => head.type === FrameType.UPGRADE_RESULT && head.connection === number))
  const { head, rest } = splitHead(payload)
  return { ...(JSON.parse(String(head)) as UpgradeResult), body: String(rest) }
}

/** What `upgrade` that returns `expression` answers. */
async function decided(expression: string): Promise<UpgradeResult & { body: string }> {
  const test = await harness.start(`exports.main = () => {}; exports.upgrade = async (ctx) => (${expression})`)
  ask(test, 5)
  return answer(test, 5)
}

const JSON_TYPE: [string, string][] = [['content-type', 'application/json; charset=utf-8']]
const FAILED = { accept: false, status: 500, headers: JSON_TYPE, body: '{"error":{"code":"internal","message":"the app could not decide"}}' }

describe('upgrade(ctx)', () => {
  it('is called with the request of the client, and its event is acknowledged', async () => {
    const test = await harness.start(`exports.main = () => {}; exports.upgrade = (ctx) => { console.log(JSON.stringify(ctx)) }`)
    const sequence = ask(test, 5)
    expect(await answer(test, 5)).toEqual({ accept: true, body: '' })
    await test.until((frames) => acknowledged(frames).includes(sequence))
    const ctx = { method: 'WebSocket:upgrade', params: null, requestId: 'r-1', url: HEAD.url, headers: HEAD.headers, query: { token: 't', a: ['1'] }, protocols: ['v1', 'v2'], ip: '192.0.2.7', __function_name: '__websocket__' }
    expect(JSON.parse(test.logs()[0]!.message)).toEqual(ctx)
    expect(test.logs()[0]).toMatchObject({ requestId: 'r-1', function: '__websocket__' })
  })

  it.each([
    ['undefined', { accept: true, body: '' }],
    ['null', { accept: true, body: '' }],
    ['true', { accept: true, body: '' }],
    ['{ protocol: "v2" }', { accept: true, protocol: 'v2', body: '' }],
    ['{ protocol: "" }', { accept: true, body: '' }],
    ['false', { accept: false, status: 403, headers: JSON_TYPE, body: expect.stringContaining('forbidden') }],
    ['{ status: 401 }', { accept: false, status: 401, headers: [], body: '' }],
    ['{ status: 401, headers: { "WWW-Authenticate": "Bearer", "set-cookie": ["a", "b"], "retry-after": 7 }, body: "no" }', { accept: false, status: 401, headers: [['www-authenticate', 'Bearer'], ['set-cookie', 'a'], ['set-cookie', 'b'], ['retry-after', '7'], ['content-type', 'text/plain; charset=utf-8']], body: 'no' }],
    ['{ status: 302, headers: { location: "https://example.test" } }', { accept: false, status: 302, headers: [['location', 'https://example.test']], body: '' }],
    // What every object inherits is not taken for a part of ours.
    ['(Object.prototype.get = () => 1, { status: 401, headers: { a: "b" } })', { accept: false, status: 401, headers: [['a', 'b']], body: '' }],
    ['{ status: 429, body: { wait: 7 } }', { accept: false, status: 429, headers: JSON_TYPE, body: '{"wait":7}' }],
    ['{ status: 400, headers: { "Content-Type": "text/html" }, body: Buffer.from("<p>") }', { accept: false, status: 400, headers: [['content-type', 'text/html']], body: '<p>' }]
  ])('%s', async (expression, expected) => {
    expect(await decided(expression)).toEqual(expected)
  })

  it('gives the connection its first data', async () => {
    const test = await harness.start(`
      exports.main = ({ socket }) => { if (socket.data) console.log(JSON.stringify(socket.data)) }
      exports.upgrade = ({ query }) => ({ data: { token: query.token } })`)
    ask(test, 5)
    expect(await answer(test, 5)).toMatchObject({ accept: true, hasData: true })
    const { payload } = framesOf(test, FrameType.UPGRADE_RESULT)[0]!
    test.open(1, { data: splitHead(payload).rest })
    await test.until(() => test.logs().length === 1)
    expect(JSON.parse(test.logs()[0]!.message)).toEqual({ token: 't' })
  })

  // What is no decision must not let anybody in, and what went wrong is for the app's log only.
  it.each([
    ['(() => { throw new Error("secret") })()', 'secret'],
    ['"yes"', 'neither nothing'],
    ['[]', 'neither nothing'],
    ['{ stauts: 403 }', 'neither status nor protocol'],
    ['{ status: 101 }', '101'],
    ['{ status: 204 }', '204'],
    ['{ status: "403" }', 'status'],
    ['{ status: 403, headers: { "a b": "c" } }', 'header'],
    ['{ status: 403, headers: { a: "b\\r\\nc: d" } }', 'header'],
    ['{ protocol: 7 }', 'protocol'],
    ['{ data: () => {} }', ''],
    ['{ data: "x".repeat(20000) }', '']
  ])('that gives %s refuses with 500, and the log tells why', async (expression, log) => {
    const test = await harness.start(`exports.main = () => {}; exports.upgrade = async (ctx) => (${expression})`)
    const sequence = ask(test, 5)
    expect(await answer(test, 5)).toEqual(FAILED)
    await test.until((frames) => acknowledged(frames).includes(sequence) && test.logs().length === 1)
    expect(test.logs()[0]).toMatchObject({ level: 'error', requestId: 'r-1', message: expect.stringContaining(log) })
  })

  it('accepts at once where there is none, and refuses where the function does not load', async () => {
    const none = await harness.start(`exports.main = () => {}`)
    ask(none, 5)
    expect(await answer(none, 5)).toEqual({ accept: true, body: '' })
    const broken = await harness.start(`throw new Error('broken')`)
    ask(broken, 5)
    expect(await answer(broken, 5)).toEqual(FAILED)
  })

  it('has a deadline, and what it decides later is nobody\'s', async () => {
    const test = await harness.start(`exports.main = () => {}; exports.upgrade = () => new Promise((resolve) => setTimeout(resolve, 400))`, { limits: { handlerMs: 100 } })
    const sequence = ask(test, 5)
    expect(await answer(test, 5)).toEqual(FAILED)
    await test.until((frames) => acknowledged(frames).includes(sequence))
    expect(test.logs()[0]!.message).toContain('upgrade took more than 100 ms')
    // The promise settles; the next one is answered after it.
    ask(test, 6)
    await answer(test, 6)
    expect(framesOf(test, FrameType.UPGRADE_RESULT)).toHaveLength(2)
  })
})
