import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FrameType } from '@socklet/protocol'
import { routeOf, startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'
import { requestOf, type FakeWorker } from './support/worker.ts'

let platform: Platform
let worker: FakeWorker
const functions = { __websocket__: [], hello: [], 'a/b': [], 'post-only': ['POST'], 'get-only': ['GET'] }
beforeEach(async () => {
  platform = await startPlatform()
  worker = await platform.app('demo', 7, { functions })
})
afterEach(() => platform.stop())

/** Answers the next request. */
function answer(head: unknown, body = ''): void {
  worker.onEvent = (event) => {
    worker.respond(event, head, body)
    worker.ack(event)
  }
}

test('a request goes to the function that its path names, with all that it needs', async () => {
  answer({ status: 201, headers: [['content-type', 'text/html'], ['x-a', '1'], ['set-cookie', 'a=1'], ['set-cookie', 'b=2']] }, 'héllo')
  const response = await fetch(`${platform.http}/demo/a/b?x=1&y`, { method: 'POST', body: 'thé', headers: { 'x-request-id': 'r 1', 'x-h': 'v' } })
  expect(response.status).toBe(201)
  expect(await response.text()).toBe('héllo')
  expect(response.headers.get('content-length')).toBe('6')
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  expect(response.headers.get('request-id')).toBe('r 1')
  const { head, body } = requestOf(await worker.got(FrameType.REQUEST))
  expect(head).toMatchObject({ requestId: 'r 1', function: 'a/b', method: 'POST', url: '/a/b?x=1&y', address: '127.0.0.1' })
  expect(head.headers).toMatchObject({ 'x-h': 'v', 'x-real-ip': '127.0.0.1' })
  expect(body.toString()).toBe('thé')
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(0)
  expect((await platform.traffic(7)).events.request).toBe(1)
})

test('the paths a function has', async () => {
  answer({ status: 200, headers: [] })
  const named = async (path: string): Promise<string> => {
    const index = worker.count(FrameType.REQUEST)
    await fetch(`${platform.http}${path}`)
    return requestOf(await worker.got(FrameType.REQUEST, index)).head.function
  }
  expect(await named('/demo/hello')).toBe('hello')
  expect(await named('/demo/a%2Fb')).toBe('a/b')
  expect(await named('/demo/__websocket__')).toBe('__websocket__')
})

test('an unknown function is laf’s 404, or the default function', async () => {
  for (const path of ['/demo/nothing', '/demo/hello/', '/demo', '/demo/', '/demo/constructor']) {
    const response = await fetch(`${platform.http}${path}`)
    expect([response.status, await response.text()]).toEqual([404, 'Function Not Found'])
  }
  expect((await platform.traffic(7)).refused).toEqual({ 404: 5 })
  const other = await platform.app('other', 8, { functions: { __default__: [] } })
  other.echo()
  const response = await fetch(`${platform.http}/other/any/thing`)
  expect(await response.text()).toBe('/any/thing')
  expect(requestOf(await other.got(FrameType.REQUEST)).head.function).toBe('__default__')
})

test('refusals', async () => {
  await platform.app('asleep', 9, { state: 'suspended', functions })
  const ask = async (path: string, init = {}): Promise<unknown[]> => {
    const response = await fetch(`${platform.http}${path}`, init)
    return [response.status, ((await response.json()) as { error: { code: string } }).error.code]
  }
  expect(await ask('/nobody/hello')).toEqual([404, 'app_not_found'])
  expect(await ask('/')).toEqual([404, 'app_not_found'])
  expect(await ask('/asleep/hello')).toEqual([403, 'app_suspended'])
  expect((await platform.traffic(9)).refused).toEqual({ 403: 1 })
  expect(await ask('/demo/%E0')).toEqual([400, 'bad_request'])
  expect(await ask('/demo/hello', { method: 'POST', body: 'x', headers: { 'content-encoding': 'gzip' } })).toEqual([415, 'unsupported_encoding'])
  expect(await ask('/demo/post-only')).toEqual([405, 'method_not_allowed'])
  expect((await fetch(`${platform.http}/demo/post-only`)).headers.get('allow')).toBe('POST')
  expect(worker.events).toEqual([])
})

test('HEAD is answered without a body, also by whoever lists GET', async () => {
  answer({ status: 200, headers: [['content-type', 'text/plain']] }, 'four')
  const response = await fetch(`${platform.http}/demo/get-only`, { method: 'HEAD' })
  expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([200, '4', ''])
  expect(requestOf(await worker.got(FrameType.REQUEST)).head.method).toBe('HEAD')
})

test('a body above 10 MB is refused with 413, whether its length was announced or not', async () => {
  const big = Buffer.alloc(10_000_001)
  const announced = await fetch(`${platform.http}/demo/hello`, { method: 'POST', body: big })
  expect(announced.status).toBe(413)
  expect(await announced.json()).toMatchObject({ error: { code: 'body_too_large' } })
  const status = await new Promise((resolve, reject) => {
    const request = httpRequest(`${platform.http}/demo/hello`, { method: 'POST' }, (response) => resolve(response.statusCode))
    request.on('error', reject)
    request.write(big)
    request.end()
  })
  expect(status).toBe(413)
  expect(worker.events).toEqual([])
})

test('an answer in parts is heard part by part', async () => {
  const pending = fetch(`${platform.http}/demo/hello`)
  const event = await worker.got(FrameType.REQUEST)
  worker.respond(event, { status: 200, headers: [['content-type', 'text/event-stream'], ['content-length', '3']] }, '', false)
  const response = await pending
  expect(response.headers.get('content-length')).toBeNull()
  const reader = response.body!.getReader()
  for (const part of ['data: one\n\n', 'data: two\n\n']) {
    worker.part(event, part)
    expect(Buffer.from((await reader.read()).value!).toString()).toBe(part)
  }
  worker.part(event, 'end', true)
  expect(Buffer.from((await reader.read()).value!).toString()).toBe('end')
  expect((await reader.read()).done).toBe(true)
})

test('a handler that settles without an answer: 500; in the midst of one: the answer ends', async () => {
  const silent = fetch(`${platform.http}/demo/hello`, { headers: { 'x-request-id': 'silent' } })
  worker.ack(await worker.got(FrameType.REQUEST))
  const response = await silent
  expect([response.status, await response.json()]).toEqual([500, { error: 'Internal Server Error', requestId: 'silent' }])
  const broken = fetch(`${platform.http}/demo/hello`)
  const event = await worker.got(FrameType.REQUEST, 1)
  worker.respond(event, { status: 200, headers: [] }, 'half', false)
  worker.ack(event)
  expect(await (await broken).text()).toBe('half')
})

test('what no answer can be is 500; what no header can be is left out', async () => {
  for (const head of ['no json', 'null', { status: 99, headers: [] }, { status: 101, headers: [] }, { status: 1000, headers: [] }, { status: '200', headers: [] }, { status: 200 }, { status: 200, headers: [['a']] }]) {
    answer(head)
    const response = await fetch(`${platform.http}/demo/hello`)
    expect(response.status).toBe(500)
    expect(await response.json()).toMatchObject({ error: 'Internal Server Error' })
  }
  await expect.poll(() => platform.pool.logs.filter(({ line }) => line.message.includes('replaced by 500')).length).toBe(8)
  answer({ status: 799, headers: [] }, 'Node takes it')
  expect((await fetch(`${platform.http}/demo/hello`)).status).toBe(799)
  const headers = [['x-split', 'a\r\nx-evil: 1'], ['bad name', 'x'], ['connection', 'upgrade'], ['transfer-encoding', 'chunked'], ['content-length', '1'], ['x-good', '1']]
  answer({ status: 200, headers }, 'whole')
  const response = await fetch(`${platform.http}/demo/hello`)
  expect(await response.text()).toBe('whole')
  expect(response.headers.get('x-good')).toBe('1')
  for (const name of ['x-split', 'x-evil', 'transfer-encoding']) expect(response.headers.get(name)).toBeNull()
})

test('statuses without a body have none', async () => {
  for (const status of [204, 304]) {
    answer({ status, headers: [] }, 'never')
    const response = await fetch(`${platform.http}/demo/hello`)
    expect([response.status, await response.text(), response.headers.get('content-length')]).toEqual([status, '', null])
  }
})

test('a second answer to the same request is dropped', async () => {
  worker.onEvent = (event) => {
    worker.part(event, 'before any')
    worker.respond(event, { status: 200, headers: [] }, 'one')
    worker.respond(event, { status: 201, headers: [] }, 'two')
    worker.part(event, 'three')
    worker.ack(event)
  }
  const response = await fetch(`${platform.http}/demo/hello`)
  expect([response.status, await response.text()]).toEqual([200, 'one'])
})

test('CORS as laf: any origin is reflected, a preflight is answered here', async () => {
  answer({ status: 200, headers: [['vary', 'accept']] })
  const plain = await fetch(`${platform.http}/demo/hello`, { headers: { origin: 'https://a.example' } })
  expect(plain.headers.get('access-control-allow-origin')).toBe('https://a.example')
  expect(plain.headers.get('access-control-allow-credentials')).toBe('true')
  expect(plain.headers.get('vary')).toBe('origin, accept')
  const ask = { method: 'OPTIONS', headers: { origin: 'https://a.example', 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-a, x-b' } }
  const preflight = await fetch(`${platform.http}/demo/hello`, ask)
  expect(preflight.status).toBe(204)
  expect(preflight.headers.get('access-control-allow-origin')).toBe('https://a.example')
  expect(preflight.headers.get('access-control-allow-headers')).toBe('x-a, x-b')
  expect(preflight.headers.get('access-control-allow-methods')).toBe('GET,HEAD,PUT,PATCH,POST,DELETE')
  expect((await fetch(`${platform.http}/demo/post-only`, ask)).headers.get('access-control-allow-methods')).toBe('POST')
  expect(worker.events.length).toBe(1)
  const refused = await fetch(`${platform.http}/demo/nothing`, { headers: { origin: 'https://a.example' } })
  expect(refused.headers.get('access-control-allow-origin')).toBe('https://a.example')
})

test('a client that goes away is told of to the function', async () => {
  const abort = new AbortController()
  const pending = fetch(`${platform.http}/demo/hello`, { signal: abort.signal })
  const event = await worker.got(FrameType.REQUEST)
  abort.abort()
  await expect(pending).rejects.toThrow()
  const gone = await worker.got(FrameType.REQUEST_GONE)
  expect(gone.connection).toBe(event.connection)
  worker.respond(event, { status: 200, headers: [] }, 'nobody')
  worker.ack(event)
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(0)
})

test('a client that reads a long answer too slowly loses it', async () => {
  await platform.pool.route(routeOf('demo', 7, { limits: { sendBufferBytes: 100_000 }, functions }))
  const socket = connect(platform.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write('GET /demo/hello HTTP/1.1\r\nHost: x\r\n\r\n')
  const event = await worker.got(FrameType.REQUEST)
  socket.pause()
  worker.respond(event, { status: 200, headers: [] }, '', false)
  const timer = setInterval(() => worker.part(event, Buffer.alloc(200_000)), 2)
  await worker.got(FrameType.REQUEST_GONE)
  clearInterval(timer)
  socket.destroy()
})

test('a request id that is none gets a new one', async () => {
  answer({ status: 200, headers: [] })
  const response = await fetch(`${platform.http}/demo/hello`, { headers: { 'x-request-id': 'x'.repeat(129) } })
  expect(response.headers.get('request-id')).toMatch(/^[0-9a-f-]{36}$/)
  expect(requestOf(await worker.got(FrameType.REQUEST)).head.requestId).toBe(response.headers.get('request-id'))
})

test('another protocol that the client offers is declined by going on', async () => {
  answer({ status: 200, headers: [] }, 'plain')
  const text = await new Promise((resolve, reject) => {
    const request = httpRequest(`${platform.http}/demo/hello`, { headers: { connection: 'upgrade', upgrade: 'h2c' } }, (response) => {
      response.on('data', (part: Buffer) => resolve(part.toString()))
    })
    request.on('error', reject)
    request.end()
  })
  expect(text).toBe('plain')
})

test('requests on one connection follow each other', async () => {
  worker.echo()
  const socket = connect(platform.port, '127.0.0.1')
  let text = ''
  socket.on('data', (part) => {
    text += part.toString()
  })
  socket.write('GET /demo/hello?1 HTTP/1.1\r\nHost: x\r\n\r\nGET /demo/hello?2 HTTP/1.1\r\nHost: x\r\n\r\n')
  await until(() => text.includes('/hello?2'))
  expect(text.indexOf('/hello?1')).toBeLessThan(text.indexOf('/hello?2'))
  socket.destroy()
})
