import { createServer as createNetServer } from 'node:net'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { FETCH_WINDOW_BYTES, Flag, FrameType, encodeFrame, withHead } from '@socklet/protocol'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { fetchPayload, makePool, makeServer, u32, type TestPool, type TestServer } from './pool.ts'

const MiB = 1024 * 1024

let server: TestServer
let other: TestServer
let pool: TestPool
let url: string
beforeAll(async () => {
  const redirect = (status: number): Parameters<typeof makeServer>[0] => ({ [`/${status}`]: (request, response) => void response.writeHead(status, { location: decodeURIComponent(request.url!.split('?')[1] ?? '/echo') }).end('moved') })
  const packed = (encoding: string, bytes: Uint8Array): Parameters<typeof makeServer>[0] => ({ [`/${encoding.replaceAll(', ', '-')}`]: (_, response) => void response.writeHead(200, { 'content-encoding': encoding }).end(bytes) })
  const bomb = gzipSync(Buffer.alloc(64 * MiB))
  const routes = {
    ...Object.assign({}, ...[301, 302, 303, 307, 308].map(redirect)),
    ...packed('gzip', gzipSync('packed')),
    ...packed('deflate', deflateSync('packed')),
    ...packed('br', brotliCompressSync('packed')),
    ...packed('zstd', zstdCompressSync('packed')),
    ...packed('br, gzip', gzipSync(brotliCompressSync('packed'))),
    ...packed('other', Buffer.from('packed')),
    ...packed('gzip, gzip, gzip, gzip, gzip, gzip', Buffer.from('packed')),
    '/bomb': (_: unknown, response: ServerResponse) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    '/bombs': (_: unknown, response: ServerResponse) => void response.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end(gzipSync(bomb)),
    '/broken': (_: unknown, response: ServerResponse) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip'),
    '/large': (_: unknown, response: ServerResponse) => void response.end(Buffer.alloc(2 * MiB)),
    '/endless': (_: unknown, response: ServerResponse) => {
      const write = (): void => {
        if (response.destroyed) return
        response.write(Buffer.alloc(64 * 1024), () => setImmediate(write))
      }
      write()
    },
    '/silent': () => {},
    '/headers': (_: unknown, response: ServerResponse) => void response.writeHead(200, { 'x-large': 'x'.repeat(40 * 1024) }).end()
  }
  server = await makeServer(routes)
  other = await makeServer()
  url = `http://127.0.0.1:${server.port}`
  pool = makePool()
})
afterEach(() => expect(pool.fetches.size).toBe(0))
afterAll(() => Promise.all([server.close(), other.close(), pool.fetches.close()]))

describe('redirects', () => {
  it.each([
    [301, 'POST', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [303, 'PUT', 'GET', ''],
    [303, 'HEAD', 'HEAD', ''],
    [301, 'PUT', 'PUT', 'body'],
    [307, 'POST', 'POST', 'body'],
    [308, 'PATCH', 'PATCH', 'body']
  ])('%i of %s goes on as %s', async (status, method, then, sent) => {
    const body = method === 'HEAD' ? new Uint8Array(0) : Buffer.from('body')
    const { head } = await pool.fetch({ url: `${url}/${status}#part`, method, headers: [['content-type', 'text/plain'], ['x-kept', '1']] }, { body })
    const last = server.requests.at(-1)!
    expect([last.method, last.body, last.headers['content-type'], last.headers['x-kept']]).toEqual([then, sent, sent === '' && method !== 'HEAD' ? undefined : 'text/plain', '1'])
    expect(head).toMatchObject({ status: 200, redirected: true, url: `${url}/echo#part` })
  })

  it('leave what is for one origin there', async () => {
    const headers: [string, string][] = [['Authorization', 'secret'], ['cookie', 'a=b'], ['x-kept', '1']]
    await pool.fetch({ url: `${url}/302`, headers })
    expect(server.requests.at(-1)!.headers).toMatchObject({ authorization: 'secret', cookie: 'a=b' })
    await pool.fetch({ url: `${url}/302?${encodeURIComponent(`http://127.0.0.1:${other.port}/`)}`, headers })
    const { headers: got } = other.requests.at(-1)!
    expect([got.authorization, got.cookie, got['x-kept'], got.host]).toEqual([undefined, undefined, '1', `127.0.0.1:${other.port}`])
  })

  it('end after twenty, and never lead where no request may go', async () => {
    const to = async (target: string): Promise<string | undefined> => (await pool.fetch({ url: `${url}/302?${encodeURIComponent(target)}` })).failure?.message
    let hops = 0
    const endless = await makeServer({}, (_, response) => void response.writeHead(302, { location: `/${++hops}` }).end())
    expect((await pool.fetch({ url: `http://127.0.0.1:${endless.port}/` })).failure).toMatchObject({ code: 'ERR_SOCKLET_FETCH_REDIRECTS', message: 'more than 20 redirects' })
    expect(hops).toBe(21)
    await endless.close()
    expect(await to('file:///etc/passwd')).toContain('scheme')
    expect(await to('http://user:secret@127.0.0.1/')).toContain('credentials')
    expect(await to('http://127.0.0.1:25/')).toContain('port 25')
    expect(await to('http://[')).toContain('URL')
  })
})

describe('what goes out', () => {
  it('is framed by the platform only', async () => {
    const headers = ['Host', 'Connection', 'Keep-Alive', 'Content-Length', 'Transfer-Encoding', 'TE', 'Trailer', 'Upgrade', 'Expect', 'Via', 'Proxy-Connection', 'Sec-Fetch-Site', 'HTTP2-Settings'].map((name): [string, string] => [name, '5'])
    const { head } = await pool.fetch({ url: `${url}/echo`, method: 'POST', headers: [...headers, ['x-a', 'b']] }, { body: Buffer.from('0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n') })
    expect(head?.status).toBe(200)
    const { headers: got, body } = server.requests.at(-1)!
    expect(Object.keys(got).toSorted()).toEqual(['accept', 'accept-encoding', 'accept-language', 'connection', 'content-length', 'host', 'user-agent', 'x-a'])
    expect([got.host, got.connection, got['content-length'], body]).toEqual([`127.0.0.1:${server.port}`, 'keep-alive', '31', '0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n'])
    expect(server.requests.some((one) => one.url === '/smuggled')).toBe(false)
  })

  // A link reads the next frames into the same memory, long before a name is looked up.
  it('is what it was when it came', async () => {
    const payload = fetchPayload({ url: `${url}/echo`, method: 'POST' }, Buffer.from('as it came'))
    const bytes = encodeFrame({ type: FrameType.FETCH, flags: 0, gateway: 0, app: 7, generation: 3, connection: 2_000, sequence: 0 }, payload)
    pool.fetches.onFrame(pool.worker, bytes, 0, 24 + payload.byteLength)
    bytes.fill(120)
    await pool.until(() => pool.fetches.size === 0)
    expect(server.requests.at(-1)).toMatchObject({ method: 'POST', url: '/echo', body: 'as it came' })
  })

  it('is refused where it is no request, whatever the guest may have checked', async () => {
    const bad: Record<string, unknown>[] = [
      { headers: [['a', 'b\r\nx: y']] },
      { headers: [['a\r\nb', 'c']] },
      { headers: [['a', 'b\0']] },
      { headers: [['a', '\u0100']] },
      { headers: [['', 'a']] },
      { headers: [['a']] },
      { headers: ['a'] },
      { headers: null },
      { headers: Array.from({ length: 201 }, () => ['a', 'b']) },
      { headers: [['a', 'x'.repeat(33 * 1024)]] },
      { method: 'GET / HTTP/1.1\r\nx: y' },
      { method: 'connect' },
      { method: 'TRACE' },
      { method: '' },
      { method: 1 },
      { url: 'file:///etc/passwd' },
      { url: 'gopher://127.0.0.1/' },
      { url: 'http://a:b@127.0.0.1/' },
      { url: 'http://127.0.0.1:6379/' },
      { url: '/echo' },
      { url: `http://127.0.0.1/${'x'.repeat(20_000)}` },
      { url: {} }
    ]
    const before = server.requests.length
    for (const head of bad) expect((await pool.fetch({ url, ...head })).failure, JSON.stringify(head).slice(0, 100)).toMatchObject({ name: 'TypeError', code: 'ERR_SOCKLET_FETCH_INVALID' })
    expect((await pool.fetch({ url }, { body: Buffer.from('body') })).failure?.message).toContain('no body')
    expect((await pool.fetch({ url, method: 'POST' }, { body: Buffer.alloc(16 * MiB + 1) })).failure).toMatchObject({ code: 'ERR_SOCKLET_FETCH_TOO_LARGE' })
    // What breaks a line of the request in a URL is encoded.
    await pool.fetch({ url: `${url}/a b?c\r\nd: e HTTP/1.1\r\n` })
    expect(server.requests.slice(before).map((one) => one.url)).toEqual(['/a%20b?cd:%20e%20HTTP/1.1'])
  })
})

describe('what comes back', () => {
  it.each(['gzip', 'deflate', 'br', 'zstd', 'br-gzip', 'other'])('is decompressed: %s', async (path) => {
    expect(String((await pool.fetch({ url: `${url}/${path}` })).body)).toBe('packed')
  })

  it.each([
    ['/bomb', 'ERR_SOCKLET_FETCH_TOO_LARGE'],
    ['/bombs', 'ERR_SOCKLET_FETCH_TOO_LARGE'],
    ['/endless', 'ERR_SOCKLET_FETCH_TOO_LARGE'],
    ['/broken', 'Z_DATA_ERROR'],
    ['/gzip-gzip-gzip-gzip-gzip-gzip', 'ERR_SOCKLET_FETCH_ENCODING'],
    ['/headers', 'UND_ERR_HEADERS_OVERFLOW']
  ])('is bounded: %s', async (path, code) => {
    const { body, failure } = await pool.fetch({ url: `${url}${path}` })
    expect(failure?.code).toBe(code)
    expect(body.byteLength).toBeLessThanOrEqual(16 * MiB)
  })

  it('an answer that is no HTTP is an error', async () => {
    const raw = createNetServer((socket) => {
      socket.on('error', () => {})
      socket.end('220 smtp ready\r\n')
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => raw.once('listening', resolve))
    const { failure } = await pool.fetch({ url: `http://127.0.0.1:${(raw.address() as AddressInfo).port}/` })
    expect(failure?.name).toBe('HTTPParserError')
    raw.close()
  })

  it('waits in the network and not here while nobody takes it', async () => {
    const own = makePool({ limits: { fetchMs: 60_000 } })
    own.send(FrameType.FETCH, 1, fetchPayload({ url: `${url}/large` }))
    const bytes = (): number => own.frames.filter(({ head }) => head.type === FrameType.FETCH_PART && head.app === 7).reduce((sum, { payload }) => sum + payload.byteLength, 0)
    /** Another app has had all of the same answer by then: there was time for more. */
    const isNoMore = async (): Promise<void> => {
      const before = bytes()
      expect((await own.fetch({ url: `${url}/large` }, { app: 8 })).body.byteLength).toBe(2 * MiB)
      expect(bytes()).toBe(before)
    }
    await own.until(() => bytes() === FETCH_WINDOW_BYTES)
    await isNoMore()
    own.send(FrameType.FETCH_MORE, 1, u32(1000))
    await own.until(() => bytes() === FETCH_WINDOW_BYTES + 1000)
    // A worker that claims to have taken what it was never sent opens the window once, and not for ever.
    own.send(FrameType.FETCH_MORE, 1, u32(0xffffffff))
    await own.until(() => bytes() === 2 * FETCH_WINDOW_BYTES + 1000)
    await isNoMore()
    await own.fetches.close()
    await own.until(() => own.fetches.size === 0)
  })
})

describe('who may ask', () => {
  it('so many at a time for an app, and others do not notice', async () => {
    const own = makePool({ limits: { fetches: 2 } })
    for (const id of [1001, 1002, 1003]) own.send(FrameType.FETCH, id, fetchPayload({ url: `${url}/silent` }))
    await own.until(() => own.frames.length === 1)
    expect(own.frames[0]!.head).toMatchObject({ connection: 1003, flags: Flag.END | Flag.FAILED, app: 7, generation: 3 })
    expect(String(own.frames[0]!.payload)).toContain('ERR_SOCKLET_FETCH_LIMIT')
    expect((await own.fetch({ url }, { app: 8 })).head?.status).toBe(200)
    own.send(FrameType.FETCH_ABORT, 1001)
    await own.until(() => own.fetches.size === 1)
    expect((await own.fetch({ url })).head?.status).toBe(200)
    // All of another life of the app: none. All of this one: the last. One that is given up is gone before another's answer has come.
    own.send(FrameType.FETCH_ABORT, 0, undefined, Flag.END, 7, 2)
    await own.fetch({ url }, { app: 8 })
    expect(own.fetches.size).toBe(1)
    own.send(FrameType.FETCH_ABORT, 0, undefined, Flag.END)
    await own.until(() => own.fetches.size === 0)
  })

  // What the limits of all apps add up to is more than one process can hold.
  it('so many at a time of all apps together, and as soon as one is over the next', async () => {
    const own = makePool({ resolve: () => new Promise(() => {}), limits: { fetches: 5_000 } })
    for (let id = 1; id <= 2_048; id++) own.send(FrameType.FETCH, id, fetchPayload({ url }), 0, id % 2 === 0 ? 7 : 8)
    expect([own.fetches.size, own.frames.length]).toEqual([2_048, 0])
    own.send(FrameType.FETCH, 3_000, fetchPayload({ url }), 0, 8)
    expect(own.frames.map(({ head, payload }) => [head.connection, head.app, head.flags, JSON.parse(String(payload)).code])).toEqual([[3_000, 8, Flag.END | Flag.FAILED, 'ERR_SOCKLET_FETCH_BUSY']])
    own.send(FrameType.FETCH_ABORT, 2, undefined, 0, 7)
    await own.until(() => own.fetches.size === 2_047)
    own.send(FrameType.FETCH, 3_001, fetchPayload({ url }), 0, 8)
    expect(own.fetches.size).toBe(2_048)
    own.fetches.onLost(own.worker)
    await own.until(() => own.fetches.size === 0)
    await own.fetches.close()
  })

  it('so many bytes at a time of all bodies together, and as soon as one is over the next', async () => {
    const own = makePool({ resolve: () => new Promise(() => {}), limits: { fetches: 100 } })
    const post = (id: number, bytes: number): void => own.send(FrameType.FETCH, id, fetchPayload({ url, method: 'POST' }, Buffer.alloc(bytes)))
    for (let id = 1; id <= 16; id++) post(id, 16 * MiB)
    post(17, 1)
    expect(own.frames.map(({ head, payload }) => [head.connection, JSON.parse(String(payload)).code])).toEqual([[17, 'ERR_SOCKLET_FETCH_BUSY']])
    // What has no body is no more than before.
    own.send(FrameType.FETCH, 18, fetchPayload({ url }))
    expect(own.fetches.size).toBe(17)
    own.send(FrameType.FETCH_ABORT, 1)
    await own.until(() => own.fetches.size === 16)
    post(19, 16 * MiB)
    expect(own.fetches.size).toBe(17)
    own.fetches.onLost(own.worker)
    await own.until(() => own.fetches.size === 0)
    await own.fetches.close()
  })

  it('nobody for an app that its worker does not hold, or for another life of it', async () => {
    const before = server.requests.length
    pool.send(FrameType.FETCH, 1, fetchPayload({ url }), 0, 6)
    pool.send(FrameType.FETCH, 1, fetchPayload({ url }), 0, 99)
    pool.send(FrameType.FETCH, 1, fetchPayload({ url }), 0, 7, 2)
    pool.fetches.onFrame({ ...pool.worker, index: 2 }, encodeFrame({ type: FrameType.FETCH, flags: 0, gateway: 0, app: 7, generation: 3, connection: 1, sequence: 0 }, fetchPayload({ url })), 0, 24 + fetchPayload({ url }).byteLength)
    expect(pool.fetches.size).toBe(0)
    expect(server.requests.length).toBe(before)
  })

  it('a worker that is gone asks for nothing any more', async () => {
    const own = makePool()
    own.send(FrameType.FETCH, 1, fetchPayload({ url: `${url}/silent` }))
    expect(own.fetches.size).toBe(1)
    own.fetches.onLost(own.worker)
    await own.until(() => own.fetches.size === 0)
    await own.fetches.close()
  })

  // A tenant with a wildcard name and a server that keeps every connection would otherwise have all descriptors of the pool.
  it('an app does not keep connections to any number of servers', async () => {
    const own = makePool()
    for (let i = 0; i < 100; i++) expect((await own.fetch({ url: `http://n${i}.test:${server.port}/echo` })).head?.status).toBe(200)
    const connections = (): Promise<number> => new Promise((resolve) => server.server.getConnections((_, count) => resolve(count)))
    const { headers } = server.requests.at(-1)!
    expect([headers.connection, (await connections()) < 90]).toEqual(['close', true])
    await own.fetches.close()
  })

  it('apps do not share connections', async () => {
    const own = makePool()
    const ports = new Set<number>()
    const look = (request: IncomingMessage): void => void ports.add(request.socket.remotePort!)
    server.server.on('request', look)
    for (const app of [7, 8, 7, 8]) await own.fetch({ url: `${url}/echo` }, { app })
    expect(ports.size).toBe(2)
    server.server.off('request', look)
    await own.fetches.close()
  })

  it('any bytes of a worker are taken or refused, and never more', async () => {
    const own = makePool({ resolve: () => Promise.resolve([]), limits: { fetches: 1_000 } })
    const types = fc.constantFrom(FrameType.FETCH, FrameType.FETCH_MORE, FrameType.FETCH_ABORT)
    const json = fc.json().map((text) => withHead(text))
    fc.assert(
      fc.property(types, fc.nat(3), fc.oneof(fc.uint8Array({ maxLength: 64 }), json), fc.nat(255), (type, id, payload, flags) => own.send(type, id, payload, flags)),
      { numRuns: 2_000 }
    )
    await own.until(() => own.fetches.size === 0)
    for (const { head, payload } of own.frames) expect([head.flags & Flag.FAILED, JSON.parse(String(payload)).code]).toEqual([Flag.FAILED, expect.stringContaining('ERR_SOCKLET_')])
    await own.fetches.close()
  })
})
