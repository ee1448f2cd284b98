import { connect, type Socket } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ADMIN, harness, rawRequest, type Harness } from './harness.ts'

let h: Harness
beforeAll(async () => {
  h = await harness()
  await h.app('chat')
})
afterAll(async () => await h.stop())

const JSON_TYPE = { 'content-type': 'application/json' }

describe('routes that there are none of', () => {
  test.each([
    ['GET', '/nothing'],
    ['GET', '/v1'],
    ['GET', '/v1/nothing'],
    ['GET', '/V1/apps'],
    ['POST', '/v1/apps/chat'],
    ['PUT', '/v1/apps'],
    ['GET', '/v1/apps/chat/nothing'],
    ['POST', '/v1/apps/chat/functions/f'],
    ['PATCH', '/v1/apps/chat/functions/f'],
    ['DELETE', '/'],
    ['POST', '/healthz'],
    ['GET', '/.env'],
    ['GET', '/page/../../package.json'],
    ['GET', '/%2e%2e/package.json'],
    ['GET', `/${'x'.repeat(4_000)}`]
  ])('%s %.60s', async (method, path) => {
    const { status, body } = await rawRequest(h.console.port, method, path)
    expect(status).toBe(404)
    expect(JSON.parse(body).error).toMatchObject({ code: 'not_found', message: expect.stringContaining(method) })
    expect(body.length).toBeLessThan(500)
  })
})

describe('bodies', () => {
  test.each([
    ['{', 'no JSON'],
    ['', 'empty'],
    ['{"a":1}}', 'longer than its JSON'],
    ["{'appid':'x'}", 'JavaScript'],
    ['\u0000', 'a NUL'],
    [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'nested'],
    ['{"a":'.repeat(65) + '1' + '}'.repeat(65), 'nested by one too many']
  ])('%.20j are refused: %s', async (raw) => {
    expect(await h.ask('POST', '/v1/apps', { raw, headers: JSON_TYPE })).toMatchObject({ status: 400, body: { error: { code: 'invalid_json' } } })
  })

  test('that are not UTF-8 are refused', async () => {
    expect(await h.ask('POST', '/v1/apps', { raw: new Uint8Array([0x22, 0xff, 0x22]), headers: JSON_TYPE })).toMatchObject({ status: 400, body: { error: { code: 'invalid_json' } } })
  })

  test('may nest as deeply as is allowed, and hold brackets in strings', async () => {
    const raw = `{"a":${'['.repeat(63)}${']'.repeat(63)}}`
    expect((await h.ask('POST', '/v1/apps', { raw, headers: JSON_TYPE })).body.error).toMatchObject({ code: 'invalid_request', details: [{ path: 'a' }] })
    const name = String.raw`\"[[[[`.repeat(20)
    expect((await h.ask('POST', '/v1/apps', { raw: `{"name":"${name}"}`, headers: JSON_TYPE })).status).toBe(201)
  })

  test.each(['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/json; charset="utf-8"'])('%s is JSON', async (type) => {
    expect((await h.ask('POST', '/v1/apps', { raw: '{}', headers: { 'content-type': type } })).status).toBe(201)
  })

  test.each(['text/plain', 'application/json; charset=latin1', 'application/jsonp', ';'])('%s is not taken', async (type) => {
    expect(await h.ask('POST', '/v1/apps', { raw: '{}', headers: { 'content-type': type } })).toMatchObject({ status: 400, body: { error: { code: 'unsupported_type' } } })
  })

  test('that are too large are refused, announced or not', async () => {
    const raw = `{"name":"${'x'.repeat(1024 * 1024)}"}`
    expect(await h.ask('POST', '/v1/apps', { raw, headers: JSON_TYPE })).toMatchObject({ status: 413, body: { error: { code: 'too_large' } } })
    const chunked = await fetch(`${h.base}/v1/apps`, { method: 'POST', body: new Blob([raw]).stream(), duplex: 'half', headers: { ...JSON_TYPE, authorization: `Bearer ${ADMIN}` } } as RequestInit)
    expect(chunked.status).toBe(413)
  })

  test.each([
    ['PUT', '/v1/apps/chat/env', [], 'body: must be an object'],
    ['POST', '/v1/apps', [], 'body: Invalid input: expected object, received array'],
    ['PUT', '/v1/apps/chat/functions', { functions: [] }, 'functions: must be an object'],
    ['PUT', '/v1/apps/chat/functions', { functions: { f: { code: '1', methods: ['get'] } } }, 'functions.f.methods.0: must be an HTTP method in upper case'],
    ['GET', '/v1/apps?limit=x', undefined, 'limit: must be a whole number from 1 to 1000']
  ])('%s %s with %j says what has to be where', async (method, path, json, message) => {
    expect((await h.ask(method, path, { json })).body.error).toMatchObject({ code: 'invalid_request', message })
  })

  test('that end early harm nobody', async () => {
    const socket = connect(h.console.port, '127.0.0.1')
    socket.write(`POST /v1/apps HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ADMIN}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"appid"`)
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.destroy()
    expect((await h.ask('GET', '/healthz')).status).toBe(200)
  })
})

/** A request whose body has begun: of `announced` bytes, `sent` are sent. */
function begin(token: string, announced: number, sent: number, more = ''): { socket: Socket; answer: Promise<string> } {
  const socket = connect(h.console.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(`PUT /v1/apps/chat/functions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${announced}\r\n${more}\r\n`)
  socket.write(Buffer.alloc(sent, ' '))
  const answer = new Promise<string>((resolve) => socket.once('data', (chunk: Buffer) => resolve(chunk.toString())))
  return { socket, answer }
}

/**
 * Room was kept for what a request announced: four of 64 MiB, of which nothing came, kept everybody from sending a body
 * for more than a minute, the operator who would suspend the app among them.
 */
describe('large bodies', () => {
  const MiB = 1024 * 1024
  const opened: Socket[] = []
  afterEach(() => opened.splice(0).forEach((socket) => socket.destroy()))
  const beginOne = (token: string, announced: number, sent: number, more?: string): Promise<string> => {
    const { socket, answer } = begin(token, announced, sent, more)
    opened.push(socket)
    return answer
  }
  const some = (bytes: number) => ({ json: { functions: { f: { code: `export default 1 //${'x'.repeat(bytes)}` } } } })

  test('take no room while they are announced only', async () => {
    const token = await h.token('chat', 'deploy')
    // With that answer the console has each of them.
    const begun = await Promise.all(Array.from({ length: 8 }, () => beginOne(token, 64 * MiB, 1, 'expect: 100-continue\r\n')))
    expect(new Set(begun)).toEqual(new Set(['HTTP/1.1 100 Continue\r\n\r\n']))
    expect((await h.ask('PATCH', '/v1/apps/chat', { json: { state: 'suspended' } })).status).toBe(200)
    expect((await h.ask('PATCH', '/v1/apps/chat', { json: { state: 'running' } })).status).toBe(200)
    expect((await h.ask('PUT', '/v1/apps/chat/functions', { token, ...some(500_000) })).status).toBe(200)
  })

  test('take the room of their own app, and leave some to others, to small ones and to the operator', async () => {
    await h.app('neighbour')
    const [token, neighbour] = [await h.token('chat', 'deploy'), await h.token('neighbour', 'deploy')]
    const answers = [0, 1].map(async () => await beginOne(token, 64 * MiB, 40 * MiB))
    expect(await Promise.race(answers)).toMatch(/^HTTP\/1.1 429 .*too many large bodies are being sent for chat/s)
    expect((await h.ask('PUT', '/v1/apps/chat/functions', { token, ...some(10) })).status).toBe(200)
    expect((await h.ask('PUT', '/v1/apps/chat/functions', some(900_000))).status).toBe(200)
    expect((await h.ask('PUT', '/v1/apps/neighbour/functions', { token: neighbour, ...some(900_000) })).status).toBe(200)
    for (const socket of opened) socket.destroy()
    // Those that went away have given their room back.
    await expect.poll(async () => (await h.ask('PUT', '/v1/apps/chat/functions', { token, json: { functions: {}, pad: 'x'.repeat(30 * MiB) } })).status, { timeout: 10_000 }).toBe(400)
  })

  test('of which nothing comes any more are given up', async () => {
    const hasty = await harness({ bodySilenceMs: 600 })
    await hasty.app('chat')
    const socket = connect(hasty.console.port, '127.0.0.1')
    socket.write(`POST /v1/apps HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ADMIN}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`)
    // What comes slowly, comes.
    for (let count = 0; count < 4; count++) await new Promise((resolve) => setTimeout(() => resolve(socket.write(' ')), 200))
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    expect(text).toMatch(/^HTTP\/1.1 408 .*connection: close.*"code":"body_timeout"/is)
    await hasty.stop()
  })
})

describe('requests that are no HTTP', () => {
  test.each(['nonsense\r\n\r\n', 'GET /healthz HTTP/1.1\r\n\r\n', 'GET / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`])('%.30j get an answer of 4xx and no more', async (text) => {
    const socket = connect(h.console.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(text)
    const answer = await new Promise<string>((resolve) => socket.once('data', (chunk: Buffer) => resolve(chunk.toString())))
    expect(answer).toMatch(/^HTTP\/1.1 4\d\d /)
    socket.destroy()
  })
})

test('what nobody has foreseen gives 500 without its text, and an id that our log has', async () => {
  const real = h.catalog.getApp
  h.catalog.getApp = () => Promise.reject(new Error('the secret reason'))
  const written: string[] = []
  const write = process.stderr.write
  process.stderr.write = ((text: string) => written.push(text) > 0) as typeof write
  const { status, body } = await h.ask('GET', '/v1/apps/chat').finally(() => {
    process.stderr.write = write
    h.catalog.getApp = real
  })
  expect(status).toBe(500)
  expect(body.error.code).toBe('internal')
  expect(JSON.stringify(body)).not.toContain('secret')
  const id = /[\w-]{36}/.exec(body.error.message)![0]
  expect(written.join('')).toContain(id)
  expect(written.join('')).toContain('the secret reason')
})

// It was a 500 that told nobody what to do.
test('a full disk gives 503, and says so', async () => {
  const real = h.catalog.createToken
  const full = new DatabaseSync(':memory:')
  full.exec('CREATE TABLE pages (bytes); PRAGMA max_page_count = 2')
  h.catalog.createToken = async () => {
    full.exec('INSERT INTO pages VALUES (zeroblob(100000))')
    throw new Error('there was space')
  }
  const { status, body } = await h.ask('POST', '/v1/apps/chat/tokens', { json: { name: 'x', scopes: ['read'] } }).finally(() => {
    h.catalog.createToken = real
    full.close()
  })
  expect(status).toBe(503)
  expect(body.error).toEqual({ code: 'unavailable', message: 'the disk is full: nothing was changed' })
})

describe('headers', () => {
  test('keep answers from being framed, sniffed or stored', async () => {
    for (const path of ['/v1/apps', '/nothing', '/healthz', '/openapi.json']) {
      const { headers } = await h.ask('GET', path)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('x-powered-by')).toBe(null)
      expect(headers.get('etag')).toBe(null)
      expect(headers.get('access-control-allow-origin')).toBe(null)
    }
  })
})

describe('the page', () => {
  test('is HTML that runs nothing but its own script', async () => {
    const { status, headers, body } = await h.ask('GET', '/', { token: null })
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'; script-src 'self';/)
    expect(body).toContain('<title>Socklet</title>')
    expect(body).toContain('/openapi.json')
    expect(body).not.toMatch(/<script>|onclick|style=/)
    for (const [path, type] of [['/page.js', 'text/javascript'], ['/page.css', 'text/css']]) expect((await h.ask('GET', path!, { token: null })).headers.get('content-type')).toContain(type)
  })

  test('puts in what comes from the server as text only', async () => {
    const { body } = await h.ask('GET', '/page.js', { token: null })
    expect(body).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|localStorage/)
  })
})
