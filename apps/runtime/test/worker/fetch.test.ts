import { gzipSync } from 'node:zlib'
import { FrameType, encodeFrame, HEADER_BYTES } from '@socklet/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makePool, makeServer, type TestServer } from '../fetch/pool.ts'
import { acknowledged, makeHarness, type Harness, type StartOptions, type TestApp } from './harness.ts'

let harness: Harness
let server: TestServer
/** Answers that have begun and wait for the test. */
let slow: { write(text: string): void; end(): void }[] = []
beforeAll(async () => {
  server = await makeServer({
    '/text': (_, response) => void response.writeHead(200, 'Fine', { 'content-type': 'text/plain', 'x-a': '1', 'set-cookie': ['a=1', 'b=2'] }).end('h\u00e4llo'),
    '/gzip': (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('packed')),
    '/large': (_, response) => void response.end(Buffer.alloc(3 * 1024 * 1024, 'x')),
    '/huge': (_, response) => void response.end(Buffer.alloc(17 * 1024 * 1024, 'x')),
    '/redirect': (_, response) => void response.writeHead(302, { location: '/text' }).end(),
    '/empty': (_, response) => void response.writeHead(204).end(),
    '/missing': (_, response) => void response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"none"}'),
    '/json': (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":[1,"\u20ac"]}'),
    '/cut': (_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('some')
      setTimeout(() => response.destroy(), 20)
    },
    '/slow': (_, response) => {
      response.writeHead(200)
      response.flushHeaders()
      slow.push({ write: (text) => void response.write(text), end: () => void response.end() })
    },
    '/silent': () => {}
  })
  harness = await makeHarness()
})
afterAll(async () => {
  harness.close()
  await server.close()
})

/** An app whose pool makes the requests, to 127.0.0.1 only. `code` is the body of an async function of `(base, params)`; what it returns is sent as JSON. */
async function start(code: string, options: StartOptions = {}): Promise<TestApp & { fetches: ReturnType<typeof makePool>['fetches'] }> {
  const pool = makePool(options.limits === undefined ? {} : { limits: options.limits })
  const worker = {
    index: 1,
    apps: new Set([7]),
    send: (head: Parameters<typeof encodeFrame>[0], payload?: Uint8Array) => test.app.receive(encodeFrame(head, payload), 0, HEADER_BYTES + (payload?.byteLength ?? 0))
  }
  const test = await harness.start(
    `const cloud = require('@lafjs/cloud').default
    const show = (error) => ({ name: error.name, message: error.message, cause: error.cause && { name: error.cause.name, code: error.cause.code, message: error.cause.message } })
    const run = async (base, params, socket) => { ${code} }
    exports.main = async ({ method, params, socket }) => {
      if (method !== 'WebSocket:message') return
      let result
      try { result = await run('http://127.0.0.1:${server.port}', String(params.data), socket) } catch (error) { result = { thrown: show(error) } }
      socket.send(JSON.stringify(result) ?? 'undefined')
    }`,
    {
      ...options,
      onPoolFrame: (head, payload) => {
        if (head.type >= FrameType.FETCH && head.type <= FrameType.FETCH_ABORT) pool.fetches.onFrame(worker, encodeFrame(head, payload), 0, HEADER_BYTES + payload.byteLength)
      }
    }
  )
  test.open(1)
  return Object.assign(test, { fetches: pool.fetches })
}

/** What `run` returns for one message. */
async function result(code: string, options: StartOptions = {}): Promise<unknown> {
  const test = await start(code, options)
  const event = test.event(FrameType.MESSAGE, 1, 'go')
  await test.until((frames) => test.texts().length === 1 && acknowledged(frames).includes(event))
  // Nothing of it is left to keep the app awake.
  await test.until(() => test.fetches.size === 0)
  expect(test.downs).toEqual([])
  test.app.dispose()
  return JSON.parse(test.texts()[0]!)
}

describe('fetch', () => {
  it('gives the answer: status, headers, where it came from, and its body as text', async () => {
    const code = `
      const response = await fetch(base + '/redirect#part')
      const { status, statusText, ok, url, redirected, type, bodyUsed } = response
      const rest = [response.headers.get('X-A'), response.headers.getSetCookie(), response instanceof Response]
      return [status, statusText, ok, url.replace(base, ''), redirected, type, bodyUsed, ...rest, await response.text(), response.bodyUsed, await response.text().catch(show)]`
    expect(await result(code)).toEqual([
      200, 'Fine', true, '/text', true, 'basic', false, '1', ['a=1', 'b=2'], true, 'h\u00e4llo', true, { name: 'TypeError', message: 'Body is unusable: Body has already been read' }
    ])
  })

  it('reads JSON, bytes, a Buffer, a Blob, and what is compressed', async () => {
    const code = `
      const get = (path) => fetch(base + path)
      const blob = await (await get('/text')).blob()
      return [await (await get('/json')).json(), [...await (await get('/text')).bytes()], Buffer.from(await (await get('/text')).arrayBuffer()).toString(), blob.type, blob.size,
        await (await get('/gzip')).text(), (await get('/empty')).body, (await get('/empty')).status, await (await get('/json')).clone().json()]`
    const text = Buffer.from('h\u00e4llo')
    expect(await result(code)).toEqual([{ a: [1, '\u20ac'] }, [...text], 'h\u00e4llo', 'text/plain', 6, 'packed', null, 204, { a: [1, '\u20ac'] }])
  })

  it('sends bodies of all kinds with their types', async () => {
    const code = `
      const form = new FormData()
      form.append('a', '1\\n2')
      form.append('f"', new Blob(['x'], { type: 'text/css' }), 'n.css')
      const bodies = ['text', JSON.stringify({}), new URLSearchParams({ a: 'b c' }), Buffer.from('buffer'), new Uint8Array([65, 66]).buffer, new Blob(['blob'], { type: 'image/png' }), form, (async function* () { yield 'a'; yield Buffer.from('b') })()]
      return await Promise.all(bodies.map(async (body) => {
        const { method, headers, body: sent } = await (await fetch(base + '/echo', { method: 'post', body, duplex: 'half' })).json()
        return [method, headers['content-type'] ?? null, headers['content-length'], sent]
      }))`
    const all = (await result(code)) as [string, string | null, string, string][]
    expect(all.toSpliced(6, 1)).toEqual([
      ['POST', 'text/plain;charset=UTF-8', '4', 'text'],
      ['POST', 'text/plain;charset=UTF-8', '2', '{}'],
      ['POST', 'application/x-www-form-urlencoded;charset=UTF-8', '5', 'a=b+c'],
      ['POST', null, '6', 'buffer'],
      ['POST', null, '2', 'AB'],
      ['POST', 'image/png', '4', 'blob'],
      ['POST', null, '2', 'ab']
    ])
    const [, type, , body] = all[6]!
    const sent = await new Response(body, { headers: { 'content-type': type! } }).formData()
    expect([sent.get('a'), (sent.get('f"') as File).name, (sent.get('f"') as File).type, await (sent.get('f"') as File).text()]).toEqual(['1\r\n2', 'n.css', 'text/css', 'x'])
  })

  it('takes a Request, and headers in each form; those that are not the app\'s to set are dropped', async () => {
    const code = `
      const request = new Request(base + '/echo', { method: 'PATCH', headers: new Headers([['X-One', '1'], ['x-one', '2']]), body: 'b' })
      const one = await (await fetch(request)).json()
      const two = await (await fetch(new URL(base + '/echo?q'), { headers: { Host: 'evil.test', Connection: 'close', 'Content-Length': '99', 'Transfer-Encoding': 'chunked', Cookie: 'a=b', 'Proxy-Authorization': 'x', 'User-Agent': 'me' } })).json()
      return [one.method, one.headers['x-one'], one.body, request.bodyUsed, two.headers.host.startsWith('127.0.0.1:'), two.headers.connection, two.headers['content-length'] ?? null, two.headers['transfer-encoding'] ?? null, two.headers.cookie, two.headers['proxy-authorization'] ?? null, two.headers['user-agent'], two.url]`
    expect(await result(code)).toEqual(['PATCH', '1, 2', 'b', true, true, 'keep-alive', null, null, 'a=b', null, 'me', '/echo?q'])
  })

  it('refuses what is no request before anything leaves', async () => {
    const cases = [
      `'/relative'`, `'ftp://127.0.0.1/'`, `'data:,x'`, `'http://user:secret@127.0.0.1/'`, `base, { method: 'TRACE' }`, `base, { method: 'CONNECT' }`, `base, { method: 'A B' }`, `base, { body: 'x' }`, `base, { headers: { a: 'b\\r\\nHost: evil' } }`,
      `base, { headers: { 'a b': '1' } }`, `base, { headers: { a: '\\u20ac' } }`, `base, { headers: [['a']] }`, `base, { redirect: 'other' }`, `base, { signal: {} }`, `base, { method: 'POST', body: new Uint8Array(17 * 1024 * 1024) }`, `'http://127.0.0.1:25/'`
    ]
    const before = server.requests.length
    const all = (await result(`return await Promise.all([${cases.map((args) => `(async () => await fetch(${args}))().then(() => 'sent', show)`).join()}])`)) as { name: string; cause?: { message: string } }[]
    expect(all.map((one) => one.name)).toEqual(cases.map(() => 'TypeError'))
    expect(all.slice(-2).map(({ cause }) => cause!.message)).toEqual(['the body of the request is above 16 MiB', 'the port 25 is blocked'])
    expect(all[1]!.cause!.message).toBe('the scheme ftp: is not supported')
    expect(server.requests.length).toBe(before)
  })

  it('tells why it failed', async () => {
    const code = `return [await fetch('http://127.0.0.2:1/').catch(show), await fetch('http://127.0.0.1:1024/').catch(show), await (await fetch(base + '/cut')).text().catch(show), await fetch(base + '/redirect', { redirect: 'error' }).catch(show)]`
    const [address, refused, cut, redirect] = (await result(code)) as { name: string; message: string; cause: { name: string; code: string; message: string } }[]
    expect(address).toMatchObject({ name: 'TypeError', message: 'fetch failed', cause: { message: 'the port 1 is blocked' } })
    expect(refused).toMatchObject({ name: 'TypeError', message: 'fetch failed', cause: { code: 'ECONNREFUSED' } })
    expect(cut).toMatchObject({ name: 'TypeError', message: 'terminated', cause: { code: 'UND_ERR_SOCKET' } })
    expect(redirect).toMatchObject({ name: 'TypeError', message: 'fetch failed', cause: { message: 'unexpected redirect' } })
    expect(await result(`return await fetch('http://127.0.0.2:8000/').catch(show)`)).toEqual({
      name: 'TypeError', message: 'fetch failed', cause: { name: 'Error', code: 'ERR_SOCKLET_ADDRESS', message: '127.0.0.2 is not a public address' }
    })
    expect(await result(`const { status, headers } = await fetch(base + '/redirect', { redirect: 'manual' }); return [status, headers.get('location')]`)).toEqual([302, '/text'])
  })

  it('is aborted: before, while it waits for the answer, and in the body', async () => {
    const code = `
      const controller = new AbortController()
      const waits = fetch(base + '/silent', { signal: controller.signal }).catch(show)
      const late = await fetch(base + '/silent', { signal: AbortSignal.timeout(50) }).catch(show)
      const second = new AbortController()
      const response = await fetch(base + '/slow', { signal: second.signal })
      const text = response.text().catch((error) => error)
      controller.abort()
      second.abort('enough')
      return [await fetch(base, { signal: AbortSignal.abort() }).catch(show), await waits, late, await text]`
    expect(await result(code)).toEqual([{ name: 'AbortError', message: 'This operation was aborted' }, { name: 'AbortError', message: 'This operation was aborted' }, { name: 'TimeoutError', message: 'The operation was aborted due to timeout' }, 'enough'])
  })

  it('body is read as it comes, by for await and by a reader', async () => {
    const test = await start(`
      const response = await fetch(base + '/slow')
      const { readable } = {}
      socket.send('begun ' + response.body.locked)
      if (params === 'reader') {
        const reader = response.body.getReader()
        for (let part; !(part = await reader.read()).done;) socket.send(String(Buffer.from(part.value)))
        return [response.body.locked, response.bodyUsed]
      }
      for await (const chunk of response.body) socket.send(String(Buffer.from(chunk)))
      return 'end'`)
    for (const [how, end] of [['for', '"end"'], ['reader', '[true,true]']] as const) {
      slow = []
      const before = test.texts().length
      test.event(FrameType.MESSAGE, 1, how)
      await test.until(() => slow.length === 1 && test.texts().length === before + 1)
      for (const [index, text] of ['one', 'two'].entries()) {
        slow[0]!.write(text)
        await test.until(() => test.texts().length === before + 2 + index)
      }
      slow[0]!.end()
      await test.until(() => test.texts().length === before + 4)
      expect(test.texts().slice(before)).toEqual(['begun false', 'one', 'two', end])
    }
  })

  it('a large body comes whole, and one that is not read holds the pool back', async () => {
    expect(await result(`return (await (await fetch(base + '/large')).bytes()).length`)).toBe(3 * 1024 * 1024)
    expect(await result(`return (await (await fetch(base + '/huge')).bytes().catch(show))`)).toMatchObject({ message: 'terminated', cause: { code: 'ERR_SOCKLET_FETCH_TOO_LARGE', name: 'RangeError' } })
    const test = await start(`globalThis.kept = await fetch(base + '/large'); return kept.status`)
    test.event(FrameType.MESSAGE, 1, 'go')
    await test.until(() => test.texts().length === 1)
    expect(test.fetches.size).toBe(1)
    // It is let go with the isolate.
    test.app.dispose()
    await test.until(() => test.fetches.size === 0)
  })

  it('so many at a time, and no longer than its time', async () => {
    const limits = { fetches: 2, fetchMs: 1_500 }
    const code = `
      const all = [1, 2, 3].map(() => fetch(base + '/silent').catch(show))
      return [await all[2], await all[0], (await fetch(base + '/text')).status, await (await fetch(base + '/slow')).text().catch(show)]`
    const [third, first, then, body] = (await result(code, { limits })) as [unknown, unknown, number, unknown]
    expect(third).toMatchObject({ message: 'fetch failed', cause: { name: 'RangeError', code: 'ERR_SOCKLET_FETCH_LIMIT', message: 'this app has 2 requests under way, which is its limit' } })
    expect(first).toMatchObject({ message: 'fetch failed', cause: { name: 'TimeoutError', code: 'ERR_SOCKLET_FETCH_TIMEOUT', message: 'the request took longer than 1500 ms' } })
    expect(then).toBe(200)
    expect(body).toMatchObject({ message: 'terminated', cause: { name: 'TimeoutError' } })
  })

  it('keeps the app awake as long as it is under way', async () => {
    slow = []
    const test = await start(`globalThis.kept = fetch(base + '/slow').then((response) => response.text()).then((text) => socket.send(text)); return 1`, { limits: { idleMs: 100 } })
    test.event(FrameType.MESSAGE, 1, 'go')
    await test.until(() => slow.length === 1 && test.texts().length === 1)
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(test.idles).toBe(0)
    slow[0]!.write('later')
    slow[0]!.end()
    await test.until(() => test.texts().includes('later') && test.idles > 0)
  })

  // Somebody sees that a message was sent, and the platform may lose the state that it was sent from.
  it('leaves when what the turn has changed of cloud.shared is stored', async () => {
    const test = await start(`cloud.shared.set('a', 1); return (await fetch(base + '/stored')).status`, { holdsChanges: true })
    const stored = (): boolean => server.requests.some(({ url }) => url === '/stored')
    test.event(FrameType.MESSAGE, 1, 'go')
    await test.until(() => test.changes.length === 1)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(stored()).toBe(false)
    test.store()
    await test.until(() => stored() && test.texts().includes('200'))
  })

  it('a log line after it is the handler\'s', async () => {
    const test = await start(`await fetch(base + '/text'); console.log('later'); return 1`)
    test.event(FrameType.MESSAGE, 1, 'go')
    await test.until(() => test.logs().length === 1)
    expect(test.logs()[0]).toMatchObject({ function: '__websocket__', connection: 'id-1', message: 'later' })
  })
})

describe('a hostile app', () => {
  it('that breaks every built-in under it harms its own requests only', async () => {
    const test = await start(`
      if (params === 'break') {
        await (await fetch(base + '/text')).text()
        const fail = () => { throw new Error('broken') }
        for (const prototype of [Array.prototype, Map.prototype, Set.prototype, Promise.prototype, Object.getPrototypeOf(Uint8Array.prototype), ArrayBuffer.prototype, String.prototype, EventTarget.prototype, AbortSignal.prototype])
          for (const name of Object.getOwnPropertyNames(prototype)) if (name !== 'constructor' && typeof Object.getOwnPropertyDescriptor(prototype, name).value === 'function') prototype[name] = fail
        JSON.parse = JSON.stringify = Promise.withResolvers = Reflect.apply = fail
        Array.prototype[Symbol.iterator] = fail
        socket.send('broken')
        try { fetch(base + '/text') } catch {}
      }
      socket.send('still here')`)
    test.event(FrameType.MESSAGE, 1, 'break')
    await test.until(() => test.texts().includes('broken'))
    test.event(FrameType.MESSAGE, 1, 'next')
    await test.until(() => test.texts().filter((text) => text === 'still here').length === 2)
    await test.until(() => test.fetches.size === 0)
    expect([test.downs, test.tainted]).toEqual([[], []])
  })

  it('that asks without end is told no, and others get their turns', async () => {
    const test = await start(`
      let refused = 0
      for (let i = 0; i < 1_000; i++) fetch(base + '/silent').catch(() => refused++)
      await new Promise((resolve) => setTimeout(resolve, 200))
      return refused`, { limits: { fetches: 64, fetchMs: 1_000 } })
    test.event(FrameType.MESSAGE, 1, 'go')
    await test.until(() => test.texts().length === 1)
    expect([test.texts(), test.fetches.size]).toEqual([['936'], 64])
    expect(test.logs().map(({ message }) => message)).toEqual(['a request was refused: 64 are under way (limit fetches)'])
    test.app.dispose()
    await test.until(() => test.fetches.size === 0)
  })
})

describe('Headers, Request and Response', () => {
  it('behave as in Node', async () => {
    const code = `
      const out = []
      const headers = new Headers({ B: ' 2 ', a: '1' })
      headers.append('b', '3')
      headers.append('Set-Cookie', 'x=1')
      headers.append('set-cookie', 'y=2')
      out.push([...headers], headers.get('set-cookie'), headers.has('A'), headers.get('none'), String(headers), Object.keys(Object.fromEntries(headers)))
      headers.delete('B'); headers.set('a', 'z')
      headers.forEach((value, name) => out.push(name + value))
      const response = Response.json({ a: 1 }, { status: 201 })
      out.push(response.status, response.ok, response.headers.get('content-type'), await response.clone().text(), await response.json(), response.type, response.url)
      out.push(Response.redirect('https://a.test/b', 301).headers.get('location'), Response.error().type, Response.error().status)
      const text = new Response('x')
      out.push(text.headers.get('content-type'), text.body.constructor.name, [...await text.bytes()], text.body.locked, text.bodyUsed)
      const request = new Request('https://a.test/p?q#h', { method: 'put', body: new URLSearchParams('a=1'), headers: { 'x-a': 'b' } })
      out.push(request.method, request.url, request.headers.get('content-type'), request.redirect, request.signal.aborted, await new Request(request).text(), request.bodyUsed)
      const tried = (make) => { try { make(); return 'made' } catch (error) { return error.name } }
      out.push(tried(() => new Response('', { status: 204 })), tried(() => new Response('', { status: 199 })), tried(() => new Request('x')), tried(() => new Request('http://a:b@c/')), tried(() => new Headers('x')), tried(() => new Headers({ 'a\\n': '1' })))
      const form = new FormData()
      form.append('a', 1); form.append('a', 2); form.append('b', new Blob(['c']), 'd.txt'); form.set('a', 3)
      out.push([...form.keys()], form.getAll('a'), form.get('b').name, form.get('b') instanceof File, form.has('z'), form.get('z'))
      out.push(Object.prototype.toString.call(response), Object.prototype.toString.call(headers), Object.prototype.toString.call(form), typeof fetch, fetch.name)
      return out`
    const here = await (new Function(`return (async () => {${code}})()`) as () => Promise<unknown>)()
    expect(await result(code.replaceAll('\\\\', '\\'))).toEqual(JSON.parse(JSON.stringify(here)))
  })
})

describe('cloud.fetch', () => {
  it('takes and gives what axios does', async () => {
    const code = `
      const { status, statusText, headers, data, config } = await cloud.fetch({ url: base + '/json', method: 'GET', params: { a: 1, b: [1, 2], c: { d: 'x y' }, e: null } })
      const echo = async (...args) => (await cloud.fetch.post(base + '/echo', ...args)).data
      const posted = await echo({ a: 1 }, { headers: { 'X-T': 't' }, auth: { username: 'u', password: 'p' } })
      const form = await echo({ a: 1, b: 'x' }, { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })
      const text = await echo('plain')
      const missing = await cloud.fetch(base + '/missing').catch((error) => [error.message, error.name, error.code, error.isAxiosError, error.response.status, error.response.data, cloud.fetch.isAxiosError(error), JSON.stringify(error).includes('config')])
      const tolerant = await cloud.fetch.get(base + '/missing', { validateStatus: null })
      const late = await cloud.fetch.get(base + '/silent', { timeout: 50 }).catch((error) => [error.code, error.message, error.response ?? null])
      const refused = await cloud.fetch('http://127.0.0.2:8000').catch((error) => [error.name, error.code, error.message])
      const bytes = await cloud.fetch.get('/text', { baseURL: base, responseType: 'arraybuffer' })
      const made = cloud.fetch.create({ baseURL: base, headers: { 'x-made': '1' } })
      return [[status, statusText, headers['content-type'], data, config.method], [posted.headers['content-type'], posted.body, posted.headers['x-t'], posted.headers.authorization, posted.headers.accept], form.body, [text.body, text.headers['content-type']],
        missing, tolerant.status, late, refused, [Buffer.isBuffer(bytes.data), bytes.data.toString(), bytes.headers['set-cookie']], (await made.get('echo', { responseType: 'text' })).data.includes('x-made')]`
    expect(await result(code)).toEqual([
      [200, 'OK', 'application/json', { a: [1, '\u20ac'] }, 'get'],
      ['application/json', '{"a":1}', 't', 'Basic dTpw', 'application/json, text/plain, */*'],
      'a=1&b=x',
      ['plain', 'application/x-www-form-urlencoded'],
      ['Request failed with status code 404', 'AxiosError', 'ERR_BAD_REQUEST', true, 404, { error: 'none' }, true, false],
      404,
      ['ECONNABORTED', 'timeout of 50ms exceeded', null],
      ['AxiosError', 'ERR_SOCKLET_ADDRESS', '127.0.0.2 is not a public address'],
      [true, 'h\u00e4llo', ['a=1', 'b=2']],
      true
    ])
    expect(server.requests.findLast(({ url }) => url.startsWith('/json?'))!.url).toBe('/json?a=1&b%5B%5D=1&b%5B%5D=2&c%5Bd%5D=x+y')
  })
})
