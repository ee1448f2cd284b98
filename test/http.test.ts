import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform()
  await platform.app('http', {
    echo: `export async function main(ctx) { const { method, query, body, headers, requestId, __function_name } = ctx; return { method, query, body, agent: headers['x-agent'], requestId, name: __function_name } }`,
    'deep/na.me_d-1': `export default (ctx) => ctx.__function_name`,
    text: `export default () => 'héllo'`,
    number: `export default () => 42`,
    object: `export default () => ({ a: [1, true, null] })`,
    list: `export default () => [1, 2]`,
    yes: `export default () => true`,
    nothing: `export default () => {}`,
    bytes: `export default () => Buffer.from([0, 255, 1])`,
    status: `export default (ctx) => { ctx.response.status(418).setHeader('x-made', 'here'); ctx.response.set({ 'x-two': 'b' }); return 'teapot' }`,
    sent: `export default (ctx) => { ctx.response.status(201).json({ sent: true }); return 'ignored' }`,
    redirect: `export default (ctx) => { ctx.response.redirect('/elsewhere') }`,
    cookie: `export default (ctx) => { ctx.response.cookie('a', 'b c', { httpOnly: true }); ctx.response.cookie('d', 1); return 'ok' }`,
    stream: `export default async (ctx) => { ctx.response.type('text/plain'); for (const part of ['one ', 'two ', 'three']) { ctx.response.write(part); await new Promise((r) => setTimeout(r, 30)) } }`,
    raw: `export default (ctx) => Buffer.isBuffer(ctx.body) + ':' + ctx.body.toString('hex')`,
    'any-status': `export default (ctx) => { ctx.response.type('png').status(JSON.parse(ctx.query.s)); return 'x' }`,
    cookies: `export default (ctx) => ctx.request.cookies`,
    files: `export default ({ body, files }) => ({ body, files: files.map((one) => [one.fieldname, one.originalname, one.mimetype, one.size, one.buffer.at(-1)]) })`,
    fails: `export default async () => { await null; throw new Error('on purpose') }`,
    __websocket__: `export const main = (ctx) => 'called with ' + ctx.method + ' ' + ctx.socket`
  })
  const onlyPost = { code: `export default () => 'posted'`, methods: ['POST', 'PUT'] }
  await platform.admin('PUT', '/apps/http/functions/only-post', onlyPost)
})
afterAll(() => platform.close())

const json = (value: unknown): RequestInit => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) })

describe('what a function is called with', () => {
  it('has method, nested query, headers and a requestId that is echoed', async () => {
    const answer = await platform.request('http', '/echo?a=1&b[c]=2&d[]=3&d[]=4', { headers: { 'x-agent': 'test', 'x-request-id': 'my-id-1' } })
    expect(answer.json).toEqual({ method: 'GET', query: { a: '1', b: { c: '2' }, d: ['3', '4'] }, body: {}, agent: 'test', requestId: 'my-id-1', name: 'echo' })
    expect(answer.headers.get('request-id')).toBe('my-id-1')
    const other = await platform.request('http', '/echo')
    expect(other.json.requestId).toMatch(/^[0-9a-f-]{36}$/)
    expect(other.headers.get('request-id')).toBe(other.json.requestId)
  })

  it('has JSON, urlencoded and octet-stream bodies', async () => {
    expect((await platform.request('http', '/echo', json({ deep: { list: [1, '二'] } }))).json.body).toEqual({ deep: { list: [1, '二'] } })
    const form = { method: 'PUT', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=1&b[x]=y+z&c=%E4%BA%8C' }
    expect((await platform.request('http', '/echo', form)).json).toMatchObject({ method: 'PUT', body: { a: '1', b: { x: 'y z' }, c: '二' } })
    const raw = { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: new Uint8Array([0, 200, 7]) }
    expect((await platform.request('http', '/raw', raw)).text).toBe('true:00c807')
    expect((await platform.request('http', '/echo', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'hi' })).json.body).toEqual({})
  })

  it('has its cookies, read', async () => {
    const headers = { cookie: 'a=1; b="x%20y"; a=2; c=j:{"d":[1]}; e=%zz; none; __proto__=p' }
    expect((await platform.request('http', '/cookies', { headers })).text).toBe('{"a":"1","b":"x y","c":{"d":[1]},"e":"%zz","__proto__":"p"}')
  })

  it('has the fields and files of multipart bodies, of 10 MB together', async () => {
    const form = new FormData()
    const bytes = new Uint8Array(9_900_000).fill(13)
    form.append('a[b]', '1')
    form.append('a[c]', '二')
    form.append('file', new File([bytes], 'large.bin', { type: 'application/octet-stream' }))
    form.append('file', new Blob(['small']))
    const { json: answer } = await platform.request('http', '/files', { method: 'POST', body: form })
    expect(answer).toEqual({ body: { a: { b: '1', c: '二' } }, files: [['file', 'large.bin', 'application/octet-stream', 9_900_000, 13], ['file', 'blob', 'application/octet-stream', 5, 108]] })
    form.append('file', new Blob([new Uint8Array(200_000)]))
    expect(await platform.request('http', '/files', { method: 'POST', body: form }).catch(() => ({ status: 413 }))).toMatchObject({ status: 413 })
    const broken = await platform.request('http', '/files', { method: 'POST', headers: { 'content-type': 'multipart/form-data' }, body: 'x' })
    expect([broken.status, broken.json.error]).toEqual([400, 'the content type multipart/form-data has no boundary, or one that can be none'])
  })

  it('refuses malformed JSON with 400 and bodies above 10 MB with 413', async () => {
    const bad = await platform.request('http', '/echo', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":' })
    expect(bad.status).toBe(400)
    expect(bad.json.error).toMatch(/not JSON/)
    // laf's parser takes objects and lists.
    for (const body of ['5', 'null', '"text"']) expect((await platform.request('http', '/echo', { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status).toBe(400)
    const large = await platform.request('http', '/echo', { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: new Uint8Array(11 * 1024 * 1024) }).catch(() => ({ status: 413 }))
    expect(large.status).toBe(413)
    const fits = await platform.request('http', '/raw', { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: new Uint8Array(5 * 1024 * 1024) })
    expect(fits.text.length).toBe(5 + 2 * 5 * 1024 * 1024)
  })
})

describe('what a function answers with', () => {
  it.each([
    ['text', 200, 'text/html; charset=utf-8', 'héllo'],
    ['number', 200, 'text/html; charset=utf-8', '42'],
    ['object', 200, 'application/json; charset=utf-8', '{"a":[1,true,null]}'],
    ['list', 200, 'application/json; charset=utf-8', '[1,2]'],
    ['yes', 200, 'application/json; charset=utf-8', 'true'],
    ['nothing', 200, null, ''],
    ['sent', 201, 'application/json; charset=utf-8', '{"sent":true}'],
    ['stream', 200, 'text/plain', 'one two three']
  ])('%s', async (name, status, type, text) => {
    const answer = await platform.request('http', `/${name}`)
    expect([answer.status, answer.headers.get('content-type'), answer.text]).toEqual([status, type, text])
  })

  it('a Buffer, byte for byte', async () => {
    const response = await fetch(`${platform.gateway}/http/bytes`)
    expect(response.headers.get('content-type')).toBe('application/octet-stream')
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0, 255, 1])
  })

  it('status, headers, cookies and redirects that it sets', async () => {
    const teapot = await platform.request('http', '/status')
    expect([teapot.status, teapot.headers.get('x-made'), teapot.headers.get('x-two'), teapot.text]).toEqual([418, 'here', 'b', 'teapot'])
    const redirect = await platform.request('http', '/redirect', { redirect: 'manual' })
    expect([redirect.status, redirect.headers.get('location')]).toEqual([302, '/elsewhere'])
    const cookie = await platform.request('http', '/cookie')
    expect(cookie.headers.getSetCookie()).toEqual(['a=b%20c; Path=/; HttpOnly', 'd=1; Path=/'])
  })

  // A status in a string came out as 500, and nothing said why.
  it('the status that Node makes of what it sets; what is none is 500, and the log says why', async () => {
    for (const [status, answered] of [['"201"', 201], ['202.7', 202], ['600', 600], ['999', 999]] as const) expect((await platform.request('http', `/any-status?s=${status}`)).status).toBe(answered)
    for (const status of ['100', '1000', '"x"', 'null']) {
      const answer = await platform.request('http', `/any-status?s=${status}`, { headers: { 'x-request-id': `status-${status}` } })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([500, 'application/json; charset=utf-8'])
      const path = `/apps/http/logs?requestId=${encodeURIComponent(`status-${status}`)}`
      const entry = await until('the error is logged', async () => (await platform.admin('GET', path)).json.items[0])
      expect(entry.message).toContain(`RangeError: Invalid status code: ${JSON.parse(status)}`)
    }
  })

  it('500 with the requestId, and the error only in the log', async () => {
    const answer = await platform.request('http', '/fails', { headers: { 'x-request-id': 'failing-1' } })
    expect(answer.status).toBe(500)
    expect(answer.json).toEqual({ error: 'Internal Server Error', requestId: 'failing-1' })
    const entry = await until('the error is logged', async () => (await platform.admin('GET', '/apps/http/logs?requestId=failing-1')).json.items[0])
    expect(entry).toMatchObject({ level: 'error', function: 'fails', requestId: 'failing-1' })
    expect(entry.message).toMatch(/^Error: on purpose\n {4}at /)
  })
})

// A function that streamed to a client that had left went on to do so for as long as its handler might take.
describe('the end of an answer', () => {
  const HEARS = `
    const hear = (ctx) => {
      for (const name of ['request', 'response']) for (const type of ['aborted', 'finish', 'close']) ctx[name].on(type, () => console.log(name, type, ctx.request.aborted, ctx.response.destroyed))
    }`
  const logged = async (requestId: string, count: number): Promise<string[]> =>
    until(`${count} lines of ${requestId}`, async () => {
      const { items } = (await platform.admin('GET', `/apps/ends/logs?requestId=${requestId}`)).json as { items: { message: string }[] }
      return items.length < count ? null : items.map(({ message }) => message).toReversed()
    })
  beforeAll(() =>
    platform.app('ends', {
      stream: `${HEARS}
        export default async (ctx) => {
          hear(ctx)
          let sent = 0
          ctx.response.on('close', () => { throw new Error('in a listener') })
          while (ctx.response.write('part')) { sent++; await new Promise((done) => setTimeout(done, 20)) }
          ctx.response.end()
          console.log('over', sent > 0, ctx.response.writableEnded)
        }`,
      whole: `${HEARS}
        export default (ctx) => { hear(ctx); console.log('before'); ctx.response.end('whole'); console.log('ended') }`
    })
  )

  it('is told to the function when the client leaves: it can stop', async () => {
    const abort = new AbortController()
    const response = await fetch(`${platform.gateway}/ends/stream`, { signal: abort.signal, headers: { 'x-request-id': 'left' } })
    await response.body!.getReader().read()
    abort.abort()
    const lines = await logged('left', 5)
    expect(lines.map((line) => line.split('\n')[0])).toEqual(['response close false true', 'Error: in a listener', 'request aborted true true', 'request close true true', 'over true true'])
  })

  it('is told when the answer is complete, behind the code that has ended it', async () => {
    expect((await platform.request('ends', '/whole', { headers: { 'x-request-id': 'whole' } })).text).toBe('whole')
    expect(await logged('whole', 5)).toEqual(['before', 'ended', 'response finish false false', 'response close false true', 'request close false true'])
  })
})

describe('which function is called', () => {
  it('is the one with exactly that name', async () => {
    expect((await platform.request('http', '/deep/na.me_d-1')).text).toBe('deep/na.me_d-1')
    const missing = await platform.request('http', '/nowhere')
    expect([missing.status, missing.text]).toEqual([404, 'Function Not Found'])
  })

  it('is __default__ where there is no such function', async () => {
    await platform.app('fallback', { __default__: `export default (ctx) => 'default for ' + ctx.request.path` })
    expect((await platform.request('fallback', '/what/ever')).text).toBe('default for /what/ever')
  })

  it('answers 405 to a method that the function does not list', async () => {
    const answer = await platform.request('http', '/only-post')
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST, PUT'])
    expect((await platform.request('http', '/only-post', { method: 'PUT' })).text).toBe('posted')
  })

  it('is __websocket__ too, without an upgrade and without a socket', async () => {
    expect((await platform.request('http', '/__websocket__')).text).toBe('called with GET undefined')
  })

  it('says which app is not there', async () => {
    const answer = await platform.request('no-such-app', '/x')
    expect([answer.status, answer.json.error.code]).toEqual([404, 'app_not_found'])
    expect(answer.json.error.message).toContain('no-such-app')
  })
})

describe('CORS', () => {
  it('reflects any origin, with credentials, and answers preflights', async () => {
    const answer = await platform.request('http', '/text', { headers: { origin: 'https://a.example' } })
    expect([answer.headers.get('access-control-allow-origin'), answer.headers.get('access-control-allow-credentials')]).toEqual(['https://a.example', 'true'])
    const preflight = await platform.request('http', '/text', { method: 'OPTIONS', headers: { origin: 'https://a.example', 'access-control-request-method': 'PUT' } })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-methods')).toContain('PUT')
  })
})
