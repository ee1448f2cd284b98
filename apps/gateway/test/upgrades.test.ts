import { connect } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FrameType } from '@socklet/protocol'
import { refused } from './support/client.ts'
import { at, routeOf, startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'
import { openingOf, requestOf } from './support/worker.ts'

let platform: Platform
beforeEach(async () => {
  platform = await startPlatform()
})
afterEach(() => platform.stop())

/** All that comes back for these bytes until the gateway closes. */
function ask(text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(platform.port, '127.0.0.1')
    socket.on('data', (part) => {
      answer += part.toString()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
    socket.write(text)
  })
}

test('an app is reached by path and by host, on any path', async () => {
  const worker = await platform.app('demo', 7)
  await platform.open('/demo/__websocket__?x=1')
  await platform.open('/demo')
  await platform.open('/foo?y=2', [], { headers: { host: 'DEMO.example.com:99' } })
  const heads = await Promise.all([0, 1, 2].map(async (n) => openingOf(await worker.got(FrameType.OPEN, n)).head))
  expect(heads.map((head) => head.url)).toEqual(['/__websocket__?x=1', '/', '/foo?y=2'])
  expect(new Set(heads.map((head) => head.id)).size).toBe(3)
  expect(platform.pool.locates).toEqual(['demo'])
  expect(platform.pool.soon).toEqual(['demo'])
  // The pool has placed it before it answered.
  expect(platform.pool.places).toEqual([])
})

test('the connection event carries what the function reads', async () => {
  const worker = await platform.app('demo', 7)
  const client = await platform.open('/demo/x', ['second', 'first'], { headers: { 'x-thing': 'a' } })
  const event = await worker.got(FrameType.OPEN)
  const { head } = openingOf(event)
  expect(event).toMatchObject({ gateway: 3, app: 7, generation: 1, flags: 0 })
  expect(head).toMatchObject({ url: '/x', protocol: 'second', extensions: '' })
  expect(head.headers).toMatchObject({ 'x-thing': 'a', 'x-real-ip': '127.0.0.1', 'x-forwarded-for': '127.0.0.1', upgrade: 'websocket' })
  expect(head.id).toMatch(/^[a-z0-9]{12}-[a-z0-9]+$/)
  expect(client.ws.protocol).toBe('second')
})

test('what a client says of its address is not believed', async () => {
  const worker = await platform.app('demo', 7, { functions: { __websocket__: [], f: [] } })
  worker.echo()
  const headers = { 'x-real-ip': '1.2.3.4', 'x-forwarded-for': '1.2.3.4, 5.6.7.8' }
  await platform.open('/demo', [], { headers })
  await fetch(`${platform.http}/demo/f`, { headers })
  const expected = { 'x-real-ip': '127.0.0.1', 'x-forwarded-for': '127.0.0.1' }
  expect(openingOf(await worker.got(FrameType.OPEN)).head.headers).toMatchObject(expected)
  expect(requestOf(await worker.got(FrameType.REQUEST)).head).toMatchObject({ headers: expected, address: '127.0.0.1' })
})

test.each([
  [{ 'x-real-ip': '1.2.3.4', 'x-forwarded-for': '9.9.9.9, 1.2.3.4' }, { 'x-real-ip': '1.2.3.4', 'x-forwarded-for': '9.9.9.9, 1.2.3.4, 127.0.0.1' }],
  [{ 'x-forwarded-for': '9.9.9.9, 1.2.3.4' }, { 'x-real-ip': '1.2.3.4', 'x-forwarded-for': '9.9.9.9, 1.2.3.4, 127.0.0.1' }],
  [{}, { 'x-real-ip': '127.0.0.1', 'x-forwarded-for': '127.0.0.1' }]
])('what a trusted proxy in front says of it is: %j', async (headers, expected) => {
  await platform.stop()
  platform = await startPlatform({ trustProxy: true })
  const worker = await platform.app('demo', 7)
  await platform.open('/demo', [], { headers })
  const { head } = openingOf(await worker.got(FrameType.OPEN))
  expect(head.headers).toMatchObject(expected)
  expect(await platform.pool.control!.call('connection', { app: 7, id: head.id })).toMatchObject({ address: expected['x-real-ip'] })
})

test('refused before the upgrade: apps that are not there, cannot, or may not', async () => {
  await platform.app('http-only', 8, { functions: { hello: [] } })
  await platform.app('asleep', 9, { state: 'suspended' })
  platform.pool.routes.set('broken', routeOf('broken', 10))
  platform.pool.failing.add(10)
  const answers = await Promise.all(['/nobody', '/Not-An-App', '/http-only', '/asleep', '/broken', '/%'].map((path) => refused(platform.url(path))))
  expect(answers.map(({ status, code }) => [status, code])).toEqual([
    [404, 'app_not_found'],
    [404, 'app_not_found'],
    [404, 'no_websocket_function'],
    [403, 'app_suspended'],
    [503, 'unavailable'],
    [400, 'bad_request']
  ])
  for (const answer of answers) expect(answer.headers).toMatchObject({ connection: 'close', 'content-type': 'application/json; charset=utf-8' })
  expect((await platform.traffic(8)).refused).toEqual({ 404: 1 })
})

test('refused: more connections than the limit; one that closes makes room', async () => {
  await platform.app('demo', 7, { limits: { connections: 2 } })
  const first = await platform.open('/demo')
  await platform.open('/demo')
  expect(await refused(platform.url('/demo'))).toMatchObject({ status: 429, code: 'too_many_connections' })
  first.ws.close()
  await first.closed()
  await until(() => first.code !== null)
  const again = await platform.open('/demo')
  expect(again.ws.readyState).toBe(1)
})

test('refused: what is no WebSocket handshake', async () => {
  await platform.app('demo', 7)
  const handshake = (key: string, version: string): string =>
    `GET /demo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: ${version}\r\n\r\n`
  expect(await ask(handshake('nonsense', '13'))).toMatch(/^HTTP\/1\.1 400 [^]*"bad_request"/)
  expect(await ask(handshake(`${'k'.repeat(22)}==`, '7'))).toMatch(/^HTTP\/1\.1 400 [^]*sec-websocket-version: 13\r\n/)
})

test('an unknown app is asked for once a second, but found at once when the pool says that it is new', async () => {
  await Promise.all(Array.from({ length: 20 }, () => refused(platform.url('/nobody'))))
  expect(platform.pool.locates).toEqual(['nobody'])
  const worker = await platform.app('nobody', 5)
  await platform.pool.route(routeOf('nobody', 5))
  await platform.open('/nobody')
  await worker.got(FrameType.OPEN)
})

test('messages that the client sends at once wait for a cold start, and none is lost', async () => {
  platform.pool.routes.set('demo', routeOf('demo', 7))
  const worker = await platform.worker(1)
  const key = Buffer.alloc(16, 'k').toString('base64')
  const socket = connect(platform.port, '127.0.0.1')
  const frame = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])
  socket.write(`GET /demo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`)
  socket.write(frame)
  await until(() => platform.pool.places.length === 1)
  socket.write(frame)
  platform.pool.placements.set(7, at(7, 1, 4))
  await worker.got(FrameType.MESSAGE, 1)
  expect(worker.log).toEqual(['OPEN', 'MESSAGE hi', 'MESSAGE hi'])
  expect(worker.events.every((event) => event.generation === 4)).toBe(true)
  socket.destroy()
})

test('a placement that is known before its link waits for the link', async () => {
  platform.pool.routes.set('demo', routeOf('demo', 7))
  platform.pool.placements.set(7, at(7, 2, 1))
  const client = await platform.open('/demo')
  client.ws.send('early')
  const worker = await platform.worker(2)
  await worker.got(FrameType.MESSAGE)
  expect(worker.log).toEqual(['OPEN', 'MESSAGE early'])
})

test('a client that goes away during the cold start leaves nothing behind', async () => {
  platform.pool.routes.set('demo', routeOf('demo', 7))
  const socket = connect(platform.port, '127.0.0.1')
  socket.write(`GET /demo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${'k'.repeat(22)}==\r\nSec-WebSocket-Version: 13\r\n\r\n`)
  await until(() => platform.pool.places.length === 1)
  socket.resetAndDestroy()
  const worker = await platform.app('demo', 7)
  const client = await platform.open('/demo')
  client.ws.send('x')
  await worker.got(FrameType.MESSAGE)
  expect((await platform.traffic(7)).connections).toBe(1)
})

test('broken requests are answered and hurt nobody', async () => {
  expect(await ask('nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
  expect(await ask(`GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /)
  expect(await ask('GET http://x/demo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [^]*"bad_request"/)
  expect((await fetch(`${platform.http}/healthz`)).status).toBe(200)
})
