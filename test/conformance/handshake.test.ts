import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startPlatform, type Platform } from '../support/platform.ts'
import { binary, text } from './support/frames.ts'
import { acceptOf, handshake, KEY, RawClient, type Handshake, type Response } from './support/raw-client.ts'

let platform: Platform
let client: RawClient
beforeAll(async () => {
  platform = await startPlatform()
  const facts = `JSON.stringify({ url: ctx.url, protocol: ctx.socket.protocol, extensions: ctx.socket.extensions, headers: ctx.headers })`
  const source = `export function main(ctx) { if (ctx.method === 'WebSocket:connection') ctx.socket.send(${facts}); if (ctx.method === 'WebSocket:message') ctx.socket.send(ctx.params.data.toString()) }`
  await platform.app('shake', { __websocket__: source, plain: `export default (ctx) => ctx.method + ' ' + JSON.stringify(ctx.body)` })
  await platform.app('silent', { plain: `export default () => 'x'` })
  await platform.app('asleep', { __websocket__: source })
  await platform.admin('PATCH', '/apps/asleep', { state: 'suspended' })
})
afterEach(() => client.destroy())
afterAll(() => platform.close())

const PATH = '/shake/__websocket__'

async function shake(more: Partial<Handshake> = {}, ...after: Uint8Array[]): Promise<Response> {
  client = new RawClient(platform.gatewayPort)
  client.writeTogether(handshake({ path: PATH, ...more }), ...after)
  return client.response()
}

/** What the function says of the connection. */
async function told(): Promise<{ url: string; protocol: string; extensions: string; headers: Record<string, string> }> {
  return JSON.parse(String(await client.message()))
}

describe('a handshake that is accepted (RFC 6455, 4.2)', () => {
  it('is answered with 101 and the accept of its key', async () => {
    const { status, headers } = await shake()
    expect(status).toBe(101)
    expect(headers).toMatchObject({ upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' })
    expect(headers['sec-websocket-accept']).toBe(acceptOf(KEY))
    expect(Object.keys(headers)).not.toContain('sec-websocket-protocol')
    expect(Object.keys(headers)).not.toContain('sec-websocket-extensions')
    expect(await told()).toMatchObject({ url: '/__websocket__', protocol: '', extensions: '' })
  })

  it.each<[string, Handshake['headers']]>([
    ['in lower case', { Upgrade: undefined, Connection: undefined, upgrade: 'websocket', connection: 'upgrade' }],
    ['in upper case', { Upgrade: undefined, Connection: undefined, UPGRADE: 'WEBSOCKET', CONNECTION: 'UPGRADE' }],
    ['with more tokens in Connection', { Connection: 'keep-alive, Upgrade' }],
    ['with spaces around the key', { 'Sec-WebSocket-Key': `  ${KEY}  ` }],
    ['from any origin', { Origin: 'https://elsewhere.example' }],
    ['with extensions that nobody knows', { 'Sec-WebSocket-Extensions': 'x-unknown; a=1, x-other' }]
  ])('%s', async (_what, headers) => {
    expect((await shake({ headers })).status).toBe(101)
    await told()
  })

  it('octet by octet', async () => {
    client = new RawClient(platform.gatewayPort)
    for (const byte of handshake({ path: PATH })) client.write(byte)
    expect((await client.response()).status).toBe(101)
  })

  it('in one packet with the first messages, of which none is lost', async () => {
    await shake({}, text('one'), text('two'))
    await told()
    expect([await client.message(), await client.message()]).toEqual(['one', 'two'])
  })

  it('and a first message that comes in the midst of it and goes on later', async () => {
    const frame = text('x'.repeat(1000))
    await shake({}, frame.subarray(0, 10))
    client.write(frame.subarray(10))
    await told()
    expect(await client.message()).toBe('x'.repeat(1000))
  })

  it.each([
    ['one', 'chat', 'chat'],
    ['the first of several', 'chat.v2, chat.v1,other', 'chat.v2'],
    ['a token that is a secret', 'Bearer.abc-123_~', 'Bearer.abc-123_~']
  ])('with subprotocols: %s', async (_what, offered, chosen) => {
    const { status, headers } = await shake({ headers: { 'Sec-WebSocket-Protocol': offered } })
    expect([status, headers['sec-websocket-protocol']]).toEqual([101, chosen])
    expect((await told()).protocol).toBe(chosen)
  })

  it('with subprotocols in several headers (RFC 6455, 11.3.4)', async () => {
    const { status, headers } = await shake({ headers: { 'Sec-WebSocket-Protocol': 'one', 'sec-websocket-protocol': 'two' } })
    expect([status, headers['sec-websocket-protocol']]).toEqual([101, 'one'])
  })

  it('compression that is offered is not taken unless the app has it on', async () => {
    const { status, headers } = await shake({ headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' } })
    expect([status, headers['sec-websocket-extensions']]).toEqual([101, undefined])
    expect((await told()).extensions).toBe('')
    client.write(binary(Buffer.of(1), { rsv: 4 }))
    expect((await client.closeFrame())?.code).toBe(1002)
  })

  it.each(['/shake', '/shake/', '/shake/any/path?x=1&y=%20', '/shake/__websocket__?'])('at the path %s', async (path) => {
    expect((await shake({ path })).status).toBe(101)
    expect((await told()).url).toBe(path === '/shake' ? '/' : path.slice('/shake'.length))
  })

  it('with many headers, which the function sees as node would give them', async () => {
    const headers = { 'X-Many': 'one', 'x-many': 'two', Cookie: 'a=1', cookie: 'b=2', 'X-Latin': 'caf\u00e9' }
    expect((await shake({ headers })).status).toBe(101)
    expect((await told()).headers).toMatchObject({ 'x-many': 'one, two', cookie: 'a=1; b=2', 'sec-websocket-version': '13' })
  })
})

describe('a handshake that is refused', () => {
  it.each<[string, Partial<Handshake>, number]>([
    ['of a version of the future', { headers: { 'Sec-WebSocket-Version': '14' } }, 400],
    ['of a version of the past', { headers: { 'Sec-WebSocket-Version': '7' } }, 400],
    ['of no version', { headers: { 'Sec-WebSocket-Version': undefined } }, 400],
    ['of a version that is no number', { headers: { 'Sec-WebSocket-Version': 'new' } }, 400]
  ])('%s is told which one to speak (RFC 6455, 4.4)', async (_what, more, status) => {
    const answer = await shake(more)
    expect([status, 426]).toContain(answer.status)
    expect(answer.headers['sec-websocket-version']).toMatch(/^13\b/)
  })

  it.each<[string, Partial<Handshake>, number[]]>([
    ['without a key', { headers: { 'Sec-WebSocket-Key': undefined } }, [400]],
    ['with an empty key', { headers: { 'Sec-WebSocket-Key': '' } }, [400]],
    ['with a key of 15 bytes', { headers: { 'Sec-WebSocket-Key': Buffer.alloc(15).toString('base64') } }, [400]],
    ['with a key of 17 bytes', { headers: { 'Sec-WebSocket-Key': Buffer.alloc(17).toString('base64') } }, [400]],
    ['with a key that is no base64', { headers: { 'Sec-WebSocket-Key': '!'.repeat(22) + '==' } }, [400]],
    ['with two keys', { headers: { 'Sec-WebSocket-Key': KEY, 'sec-websocket-key': KEY } }, [400]],
    ['with a subprotocol that is no token', { headers: { 'Sec-WebSocket-Protocol': 'a b' } }, [400]],
    ['with a subprotocol twice', { headers: { 'Sec-WebSocket-Protocol': 'a, a' } }, [400]],
    ['with a host that is none', { headers: { Host: 'a b' } }, [400]],
    ['without a host (RFC 9112, 3.2)', { headers: { Host: undefined } }, [400]],
    ['by POST', { method: 'POST', headers: { 'Content-Length': '0' } }, [400, 405]],
    ['by PUT', { method: 'PUT', headers: { 'Content-Length': '0' } }, [400, 405]],
    ['for a path that cannot be decoded', { path: '/shake/%ff%zz' }, [400]],
    ['in absolute-form', { path: 'http://127.0.0.1/shake/__websocket__' }, [400]]
  ])('%s', async (_what, more, statuses) => {
    const answer = await shake(more)
    expect(statuses).toContain(answer.status)
    await client.end()
  })

  it.each<[string, string, number, string]>([
    ['of an unknown app', '/nowhere/__websocket__', 404, 'app_not_found'],
    ['of an app whose name cannot be', '/A!/__websocket__', 404, 'app_not_found'],
    ['of no app', '/', 404, 'app_not_found'],
    ['of an app without the function', '/silent/__websocket__', 404, 'no_websocket_function'],
    ['of a suspended app', '/asleep/__websocket__', 403, 'app_suspended']
  ])('%s, in JSON, before the upgrade', async (_what, path, status, code) => {
    const answer = await shake({ path })
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toMatch(/^application\/json/)
    expect(JSON.parse(answer.body).error.code).toBe(code)
    await client.end()
    expect(client.reset).toBe(false)
  })

  it('what a client sends behind a handshake that is refused is not taken for another request', async () => {
    const smuggled = Buffer.from(`GET /shake/plain HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
    expect((await shake({ path: '/nowhere/x' }, smuggled)).status).toBe(404)
    await client.end()
    expect(client.bytes).toBe(0)
  })

  it('a body that comes with a GET is neither a request nor a frame', async () => {
    const smuggled = 'GET /shake/plain HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'
    const { status } = await shake({ headers: { 'Content-Length': String(smuggled.length) } }, Buffer.from(smuggled), text('behind the body'))
    // It may be refused; if it is not, what follows the body is the first frame.
    if (status !== 101) return
    await told()
    expect(await client.message()).toBe('behind the body')
  })

  it('in HTTP/1.0 is no upgrade', async () => {
    const { status } = await shake({ version: 'HTTP/1.0' })
    expect(status).not.toBe(101)
    await client.end()
  })

  it('of another protocol goes on in HTTP/1.1 (RFC 9110, 7.8)', async () => {
    const { status, body } = await shake({ path: '/shake/plain', headers: { Upgrade: 'h2c' } })
    expect([status, body]).toEqual([200, 'GET {}'])
  })

  it('without Upgrade, or without it in Connection, is an ordinary request for the function', async () => {
    for (const headers of [{ Upgrade: undefined }, { Connection: 'keep-alive' }]) {
      expect((await shake({ path: '/shake/plain', headers })).status).toBe(200)
      client.destroy()
    }
  })
})
