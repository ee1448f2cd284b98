import { hash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CallError } from '@socklet/protocol'
import { harness, rawRequest, ADMIN, type Harness } from './harness.ts'

let h: Harness
let appid: string
let path: string
let counter = 0

beforeAll(async () => {
  h = await harness()
})
afterAll(async () => await h.stop())
beforeEach(async () => {
  appid = `app${++counter}`
  path = `/v1/apps/${appid}/functions`
  await h.app(appid)
})

const put = async (name: string, json: unknown): ReturnType<Harness['ask']> => await h.ask('PUT', `${path}/${name}`, { json })
const putMany = async (functions: Record<string, string>, more = {}): ReturnType<Harness['ask']> =>
  await h.ask('PUT', path, { json: { functions: Object.fromEntries(Object.entries(functions).map(([name, code]) => [name, { code }])), ...more } })
const compiled = async (name: string): Promise<string> => (await h.catalog.getFunction(appid, name)).compiled

describe('publishing one', () => {
  test('gives 201 when it is new and 200 afterwards, once it is in force', async () => {
    const code = 'export async function main(ctx: FunctionContext) { ctx.socket.send("hi") }'
    const first = await put('__websocket__', { code, methods: ['GET', 'POST', 'GET'], description: 'd', changelog: 'c' })
    expect(first.status).toBe(201)
    expect(first.body).toEqual({ name: '__websocket__', version: 1, hash: hash('sha256', code), publishedAt: expect.any(String) })
    expect(h.pool.calls.at(-1)).toEqual({ method: 'appChanged', params: { appid } })
    const second = await put('__websocket__', { code: `${code}\n` })
    expect(second).toMatchObject({ status: 200, body: { version: 2 } })
    const { body } = await h.ask('GET', `${path}/__websocket__`)
    expect(body).toMatchObject({ name: '__websocket__', version: 2, code: `${code}\n`, methods: [], description: '', changelog: '' })
    const old = await h.ask('GET', `${path}/__websocket__/versions/1`)
    expect(old.body).toMatchObject({ version: 1, code, methods: ['GET', 'POST'], description: 'd', changelog: 'c' })
  })

  test.each(['text/typescript', 'application/typescript', 'text/javascript', 'application/javascript', 'text/plain', 'text/plain; charset=UTF-8'])('takes the source as %s', async (type) => {
    const raw = '\uFEFFexport const grüße = "жß漢🙂"'
    expect(await h.ask('PUT', `${path}/f`, { raw, headers: { 'content-type': type } })).toMatchObject({ status: 201 })
    expect((await h.ask('GET', `${path}/f`)).body.code).toBe(raw.slice(1))
    expect(await compiled('f')).toContain('"жß漢🙂"')
  })

  test('takes a source without a content type', async () => {
    expect((await h.ask('PUT', `${path}/f`, { raw: new TextEncoder().encode('export default 1') })).status).toBe(201)
  })

  test.each([['application/x-www-form-urlencoded'], ['text/html'], ['multipart/form-data; boundary=x'], ['text/plain; charset=utf-16'], ['']])('refuses the content type %j', async (type) => {
    const { status, body } = await h.ask('PUT', `${path}/f`, { raw: 'export default 1', headers: { 'content-type': type } })
    expect(status).toBe(type === '' ? 201 : 400)
    if (type !== '') expect(body.error.code).toBe('unsupported_type')
  })

  test('refuses a compressed body', async () => {
    const { status, body } = await h.ask('PUT', `${path}/f`, { raw: 'x', headers: { 'content-type': 'text/plain', 'content-encoding': 'gzip' } })
    expect(status).toBe(400)
    expect(body.error.code).toBe('unsupported_type')
  })

  test.each([
    ['no UTF-8', { raw: new Uint8Array([0x78, 0xff, 0xfe]), headers: { 'content-type': 'text/plain' } }],
    ['UTF-16', { raw: new Uint8Array([0xff, 0xfe, 0x78, 0x00]), headers: { 'content-type': 'text/plain' } }],
    ['nothing', { raw: '', headers: { 'content-type': 'text/plain' } }],
    ['a byte order mark only', { raw: '\uFEFF', headers: { 'content-type': 'text/plain' } }],
    ['half a surrogate pair', { json: { code: '"\ud800"' } }],
    ['an empty code', { json: { code: '' } }]
  ])('refuses a source that is %s', async (_, init) => {
    expect(await h.ask('PUT', `${path}/f`, init)).toMatchObject({ status: 400, body: { error: { code: 'invalid_source' } } })
  })

  test.each([[{}], [{ code: 1 }], [{ code: 'x', methods: ['get'] }], [{ code: 'x', methods: 'GET' }], [{ code: 'x', version: 9 }], [{ code: 'x', compiled: 'x' }], [{ code: 'x', description: 'x'.repeat(1_025) }], [{ code: 'x', changelog: null }]])(
    'refuses %j',
    async (json) => {
      expect(await put('f', json)).toMatchObject({ status: 400, body: { error: { code: 'invalid_request' } } })
      expect((await h.ask('GET', `${path}/f`)).status).toBe(404)
    }
  )

  test('for an app that does not exist gives 404', async () => {
    expect(await h.ask('PUT', '/v1/apps/nobody/functions/f', { json: { code: 'x' } })).toMatchObject({ status: 404, body: { error: { code: 'app_not_found' } } })
    expect(await h.ask('PUT', '/v1/apps/nobody/functions', { json: { functions: {} } })).toMatchObject({ status: 404, body: { error: { code: 'app_not_found' } } })
  })

  test('refuses a source above the limit of the app', async () => {
    await h.ask('PATCH', `/v1/apps/${appid}`, { json: { limits: { sourceBytes: 100 } } })
    expect((await put('f', { code: `//${'é'.repeat(49)}` })).status).toBe(201)
    for (const json of [{ code: `//${'é'.repeat(50)}` }, { code: 'x'.repeat(1_000_000) }]) {
      const { status, body } = await put('f', json)
      expect(status).toBe(413)
      expect(body.error).toMatchObject({ code: 'too_large', message: expect.stringContaining('limit sourceBytes') })
    }
    expect(await putMany({ good: 'x', long: `//${'x'.repeat(100)}` })).toMatchObject({ status: 413, body: { error: { message: expect.stringContaining('long') } } })
  })

  test('refuses one function too many', async () => {
    await h.ask('PATCH', `/v1/apps/${appid}`, { json: { limits: { functions: 2 } } })
    expect((await putMany({ a: '1', b: '2' })).status).toBe(200)
    const tooMany = { status: 422, body: { error: { code: 'too_many_functions', message: `${appid} would have 3 functions, more than the limit functions of 2` } } }
    expect(await put('c', { code: '3' })).toMatchObject(tooMany)
    expect((await put('b', { code: '3' })).status).toBe(200)
    expect(await putMany({ a: '1', b: '2', c: '3' })).toMatchObject(tooMany)
    expect(await putMany({ c: '3', d: '4', e: '5' }, { prune: true })).toMatchObject(tooMany)
  })

  test('many at a time are one after the other, and none is lost', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, async (_, index) => await put('same', { code: `export default ${index}` })))
    expect(replies.map(({ body }) => body.version).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1)
  })

  test('too many at a time are refused', async () => {
    const replies = await Promise.all(Array.from({ length: 60 }, async () => await put('same', { code: 'export default 1' })))
    const refused = replies.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]!.body.error).toMatchObject({ code: 'busy', message: expect.stringContaining(appid) })
    expect(refused[0]!.headers.get('retry-after')).toBe('1')
  })

  // Publishes that take long, and as many as can wait, kept the operator from suspending and from deleting the app.
  test('keeps the operator from nothing, however many wait, and ends with the app', async () => {
    const token = await h.token(appid, 'admin')
    const trial = Promise.withResolvers<[]>()
    h.pool.override = { trial: () => trial.promise }
    const publishes = Array.from({ length: 40 }, async () => await h.ask('PUT', `${path}/f`, { token, json: { code: 'export default 1' } }))
    await expect.poll(() => h.pool.called('trial').length).toBeGreaterThan(0)
    expect((await h.ask('PATCH', `/v1/apps/${appid}`, { json: { state: 'suspended' } })).status).toBe(200)
    expect((await h.ask('PATCH', `/v1/apps/${appid}`, { token, json: { name: 'mine' } })).status).toBe(429)
    expect((await h.ask('DELETE', `/v1/apps/${appid}`)).status).toBe(204)
    await h.app(appid)
    h.pool.override = {}
    trial.resolve([])
    const statuses = (await Promise.all(publishes)).map(({ status }) => status)
    expect([...new Set(statuses)].toSorted()).toEqual([404, 429])
    // The new app of that name has nothing of them.
    expect((await h.ask('GET', path)).body.items).toEqual([])
  })

  test('is tried before it is stored: with what it changes, and what imports that', async () => {
    await putMany({ lib: 'export const a = 1', user: "import { a } from './lib'\nexport default a", above: "import '@/user'", apart: 'export default 1' })
    h.pool.calls.length = 0
    expect((await put('lib', { code: 'export const a = 2', methods: ['GET'] })).status).toBe(200)
    expect(h.pool.calls.map(({ method }) => method)).toEqual(['trial', 'appChanged'])
    expect(h.pool.called('trial')).toEqual([{ appid, put: [{ name: 'lib', code: expect.stringContaining('a = 2') }], remove: [], prune: false, dependents: ['user', 'above'] }])
    const problems = [{ function: 'lib', message: 'Error: no', stack: 'Error: no\n    at lib.js:1:1' }, { function: 'user', message: 'Error: no' }]
    h.pool.override = { trial: () => problems }
    const refused = await put('lib', { code: 'throw new Error("no")' })
    h.pool.override = { trial: () => Promise.reject(new CallError('busy', 'too many publishes wait already')) }
    const busy = await put('lib', { code: 'export const a = 3' })
    h.pool.override = { trial: () => Promise.reject(new CallError('timeout', 'secret reason')) }
    const silent = await put('lib', { code: 'export const a = 3' })
    h.pool.override = {}
    expect(refused).toMatchObject({ status: 422, body: { error: { code: 'load_error', message: 'lib cannot be loaded: Error: no\nuser cannot be loaded: Error: no', details: problems } } })
    expect(busy).toMatchObject({ status: 429, body: { error: { code: 'busy' } } })
    expect(silent).toMatchObject({ status: 503, body: { error: { code: 'unavailable', message: expect.stringContaining('nothing') } } })
    expect((await h.ask('GET', `${path}/lib`)).body.version).toBe(2)
  })

  // Removing what another one imports broke that one at once, which no publish may do.
  test('removing is tried, too, with what imports the function', async () => {
    await putMany({ lib: 'export const a = 1', user: "import { a } from './lib'\nexport default a", above: "import '@/user'", apart: 'export default 1' })
    h.pool.calls.length = 0
    const problems = [{ function: 'user', message: "Error: Cannot find module './lib'" }]
    h.pool.override = { trial: () => problems }
    const refused = await h.ask('DELETE', `${path}/lib`)
    h.pool.override = {}
    expect(refused).toMatchObject({ status: 422, body: { error: { code: 'load_error', message: "user cannot be loaded: Error: Cannot find module './lib'", details: problems } } })
    expect(h.pool.calls).toEqual([{ method: 'trial', params: { appid, put: [], remove: ['lib'], prune: false, dependents: ['user', 'above'] } }])
    h.pool.calls.length = 0
    for (const name of ['apart', 'above', 'user', 'lib']) expect((await h.ask('DELETE', `${path}/${name}`)).status).toBe(204)
    // Nobody imported any of them then.
    expect(h.pool.called('trial')).toEqual([])
  })

  test('is stored when the runtime does not answer, and says so', async () => {
    h.pool.override = { appChanged: () => Promise.reject(new CallError('internal', 'secret reason')) }
    const { status, body } = await put('f', { code: 'export default 1' })
    h.pool.override = {}
    expect(status).toBe(503)
    expect(body.error).toMatchObject({ code: 'unavailable', message: expect.stringContaining('is stored') })
    expect(JSON.stringify(body)).not.toContain('secret')
    expect((await h.ask('GET', `${path}/f`)).status).toBe(200)
  })
})

describe('names', () => {
  test.each([
    ['dir/sub/f', 'dir/sub/f'],
    ['dir%2Fsub%2Ff', 'dir/sub/f'],
    ['dir%2fsub/f', 'dir/sub/f'],
    ['a.b-c_d', 'a.b-c_d'],
    ['constructor', 'constructor'],
    ['__proto__', '__proto__'],
    ['a%2Fversions', 'a/versions'],
    ['a%2Frollback', 'a/rollback'],
    ['a%2Fversions%2F1', 'a/versions/1'],
    ['versions', 'versions'],
    ['x'.repeat(256), 'x'.repeat(256)]
  ])('%s is the function %s', async (written, name) => {
    expect(await put(written, { code: 'export default 1' })).toMatchObject({ status: 201, body: { name } })
    expect((await h.ask('GET', `${path}/${written}`)).body).toMatchObject({ name, code: 'export default 1' })
    expect((await h.ask('GET', path)).body.items).toMatchObject([{ name }])
    expect((await h.ask('GET', `${path}/${written}/versions`)).body.items).toMatchObject([{ name, version: 1 }])
    expect((await h.ask('GET', `${path}/${written}/versions/1`)).body).toMatchObject({ name, version: 1 })
    expect((await h.ask('POST', `${path}/${written}/rollback`, { json: { version: 1 } })).body).toMatchObject({ name, version: 2 })
    expect((await h.ask('DELETE', `${path}/${written}`)).status).toBe(204)
  })

  test('a suffix that is not encoded wins over a name for what has that suffix', async () => {
    await putMany({ a: '1', 'a/versions': '2' })
    expect((await h.ask('GET', `${path}/a/versions`)).body.items).toMatchObject([{ name: 'a' }])
    expect((await h.ask('GET', `${path}/a%2Fversions`)).body).toMatchObject({ name: 'a/versions' })
    expect((await put('a/versions', { code: '3' })).body).toMatchObject({ name: 'a/versions', version: 2 })
  })

  test.each(['a%20b', 'a%00b', '%2Fa', 'a%2F', 'a%2F..%2Fb', '.%2Fa', 'x'.repeat(257), 'é', 'a%0Ab', 'a%5Cb', 'a%3Fb'])('%s is refused', async (written) => {
    const { status, body } = await put(written, { code: 'export default 1' })
    expect(status).toBe(400)
    expect(body.error).toMatchObject({ code: 'invalid_name', details: [{ path: 'name' }] })
  })

  test.each(['..', 'a/../../../platform', './a', 'a/..'])('%s is refused, or another path, when a client sends it as it is', async (written) => {
    const { status } = await rawRequest(h.console.port, 'GET', `${path}/${written}`)
    expect([400, 404]).toContain(status)
  })

  test.each(['%', '%zz', '%ff', 'a%c3', '%2'])('the malformed escape %s is refused', async (written) => {
    const { status, body } = await rawRequest(h.console.port, 'GET', `${path}/${written}`)
    expect(status).toBe(400)
    expect(JSON.parse(body).error.code).toBe('invalid_request')
  })
})

describe('compiling', () => {
  test('gives the place of each error, and leaves the old version', async () => {
    await put('f', { code: 'export default 1' })
    const { status, body } = await put('f', { code: 'const é = 1; let x = ;\n' })
    expect(status).toBe(422)
    expect(body.error).toMatchObject({ code: 'compile_error', details: [{ line: 1, column: 22, message: 'Unexpected ";"' }] })
    expect((await h.ask('GET', `${path}/f`)).body).toMatchObject({ version: 1, code: 'export default 1' })
  })

  test('says what to do about await at the top level', async () => {
    const { body } = await put('f', { code: '\nconst x = await fetch("https://example.com")\nexport default x' })
    expect(body.error).toMatchObject({ code: 'compile_error', details: [{ line: 2, column: 11, message: expect.stringContaining('inside') && expect.stringContaining('main') }] })
  })

  test('makes CommonJS of modules, with require for every import', async () => {
    await put('dir/f', {
      code: "import cloud from '@lafjs/cloud'\nimport type { T } from './types'\nimport { unused } from './unused'\nexport * from '../other'\nexport async function main(): Promise<T> { return (await import('./late')).default(cloud) }"
    })
    const code = await compiled('dir/f')
    for (const specifier of ['@lafjs/cloud', '../other', './late']) expect(code).toContain(`require("${specifier}")`)
    expect(code).not.toMatch(/import\(|types|unused/)
    const module = { exports: {} as Record<string, unknown> }
    new Function('module', 'require', code)(module, () => ({ default: 1 }))
    expect(typeof module.exports['main']).toBe('function')
  })

  test('leaves CommonJS as it is', async () => {
    await put('f', { code: "const x = require('./x')\nexports.main = async (ctx) => x(ctx)" })
    expect(await compiled('f')).toContain('exports.main = async (ctx) => x(ctx)')
  })

  test('takes TypeScript that is no JSX', async () => {
    expect((await put('f', { code: 'enum E { A }\nnamespace N { export const x = 1 }\nexport default <number>(E.A + N.x)' })).status).toBe(201)
    expect((await put('f', { code: 'export default <div/>' })).status).toBe(422)
  })
})

test('what the compiler cannot cope with is refused, at once for all, and the next publish works', async () => {
  const nested = `x = ${'['.repeat(100_000)}${']'.repeat(100_000)}`
  expect(await put('f', { code: nested })).toMatchObject({ status: 422, body: { error: { code: 'too_complex', message: expect.stringContaining('f') } } })
  expect(await putMany({ good: '1', bad: nested, broken: 'let x =' })).toMatchObject({ status: 422, body: { error: { code: 'too_complex', message: expect.stringContaining('bad') } } })
  expect((await put('f', { code: 'export default 1' })).status).toBe(201)
})

test('what takes too long to compile is refused', async () => {
  const hasty = await harness({ compileTimeoutMs: 50 })
  await hasty.app('chat')
  expect(await hasty.ask('PUT', '/v1/apps/chat/functions/f', { json: { code: `x = ${'!'.repeat(300_000)}1` } })).toMatchObject({ status: 422, body: { error: { code: 'compile_timeout' } } })
  await hasty.stop()
})

test('an app whose functions are too large together is refused, because no frame could carry it to a worker', async () => {
  const large = (name: string): Parameters<typeof h.catalog.publish>[1]['put'][number] => ({ name, code: name, compiled: '\n'.repeat(13 * 1024 * 1024), hash: name, methods: [], description: '', changelog: '' })
  await h.catalog.publish(appid, { put: [large('a'), large('b')], remove: [], maxFunctions: 9 })
  expect(await put('c', { code: 'export default 1' })).toMatchObject({ status: 422, body: { error: { code: 'app_too_large', message: expect.stringContaining(appid) } } })
  expect((await putMany({ c: 'export default 1' }, { prune: true })).status).toBe(200)
})

test('an app with more functions than a limit that was lowered can be repaired', async () => {
  await putMany({ a: '1', b: '2', c: '3' })
  await h.ask('PATCH', `/v1/apps/${appid}`, { json: { limits: { functions: 2 } } })
  expect((await putMany({ a: '1', b: '2', c: '4' })).status).toBe(200)
  expect((await putMany({ a: '1', b: '2', d: '4' })).status).toBe(422)
})

describe('publishing many', () => {
  test('publishes all in one revision', async () => {
    const { status, body } = await putMany({ b: 'export default 1', a: 'export default 2', __proto__x: '1' })
    expect(status).toBe(200)
    expect(body.items).toMatchObject([{ name: 'b', version: 1 }, { name: 'a', version: 1 }, { name: '__proto__x' }])
    expect(body.removed).toEqual([])
    expect(h.pool.called('appChanged').filter((params) => (params as { appid: string }).appid === appid)).toHaveLength(2)
  })

  test('publishes a function with the name __proto__', async () => {
    const { body } = await h.ask('PUT', path, { raw: '{"functions":{"__proto__":{"code":"export default 1"}}}', headers: { 'content-type': 'application/json' } })
    expect(body.items).toMatchObject([{ name: '__proto__' }])
  })

  test('removes the others with prune', async () => {
    await putMany({ a: '1', b: '2', c: '3' })
    expect((await putMany({ a: '1' }, { prune: true })).body.removed.toSorted()).toEqual(['b', 'c'])
    expect((await h.ask('GET', path)).body.items).toMatchObject([{ name: 'a', version: 2 }])
    expect((await putMany({}, { prune: true })).body).toEqual({ items: [], removed: ['a'] })
  })

  test('publishes none if one does not compile, and names all that do not', async () => {
    const { status, body } = await putMany({ good: 'export default 1', bad: 'let x =', worse: '\n}' })
    expect(status).toBe(422)
    expect(body.error.details).toMatchObject([{ function: 'bad', line: 1 }, { function: 'worse', line: 2, column: 1 }])
    expect((await h.ask('GET', path)).body.items).toEqual([])
  })

  test.each([
    [{ functions: { '../x': { code: '1' } } }, 'invalid_name', 'functions.../x'],
    [{ functions: { a: { code: 1 } } }, 'invalid_request', 'functions.a.code'],
    [{ functions: { a: '1' } }, 'invalid_request', 'functions.a'],
    [{ functions: [] }, 'invalid_request', 'functions'],
    [{}, 'invalid_request', 'functions'],
    [{ functions: {}, purge: true }, 'invalid_request', 'purge'],
    [{ functions: { a: { code: '1', name: 'b' } } }, 'invalid_request', 'functions.a.name']
  ])('refuses %j', async (json, code, where) => {
    expect(await h.ask('PUT', path, { json })).toMatchObject({ status: 400, body: { error: { code, details: [{ path: where }] } } })
  })
})

describe('circular imports', () => {
  test('are refused, and the circle is named', async () => {
    const { status, body } = await putMany({ a: "import './b'", b: "import { c } from '@/lib/c'\nexport default c", 'lib/c': "export * from '../a'" })
    expect(status).toBe(422)
    expect(body.error).toMatchObject({ code: 'circular_import', message: expect.stringContaining('a → b → lib/c → a'), details: [{ cycle: ['a', 'b', 'lib/c', 'a'] }] })
    expect((await h.ask('GET', path)).body.items).toEqual([])
  })

  test('are found with functions that were published before, also by another process', async () => {
    expect((await put('b', { code: "import x from './a'\nexport default x" })).status).toBe(201)
    const code = "import x from './c'\nexport default x"
    await h.catalog.publish(appid, { put: [{ name: 'a', code, compiled: 'x', hash: hash('sha256', code), methods: [], description: '', changelog: '' }], remove: [], maxFunctions: 9 })
    expect((await put('c', { code: "import x from './b.ts'\nexport default x" })).body.error.details).toEqual([{ cycle: ['c', 'b', 'a', 'c'] }])
    expect((await put('c', { code: "import x from './nobody'\nexport default x" })).status).toBe(201)
  })

  test('are none when one of them is removed, or only a type, unused, or late', async () => {
    expect((await put('self', { code: "import x from './self'\nexport default x" })).body.error).toMatchObject({ code: 'circular_import' })
    expect((await putMany({ a: "import './b'", b: "import type { T } from './a'\nexport default 1 as T" })).status).toBe(200)
    expect((await putMany({ a: "import './b'", b: "import { unused } from './a'\nexport default 1" })).status).toBe(200)
    expect((await putMany({ a: "import './b'", b: "export default async () => await import('./a')" })).status).toBe(200)
    expect((await putMany({ a: "import './b'", b: "export default () => require('./a')" })).status).toBe(200)
    expect((await putMany({ b: "import './a'" })).status).toBe(422)
    expect((await putMany({ b: "import './a'" }, { prune: true })).status).toBe(200)
  })
})

describe('reading and removing', () => {
  test('lists in the order of name, by pages', async () => {
    await putMany({ c: '1', a: '2', b: '3' })
    const first = (await h.ask('GET', `${path}?limit=2`)).body
    expect(first.items.map(({ name }: { name: string }) => name)).toEqual(['a', 'b'])
    expect(first.items[0]).not.toHaveProperty('code')
    const second = (await h.ask('GET', `${path}?limit=2&cursor=${encodeURIComponent(first.nextCursor)}`)).body
    expect(second).toMatchObject({ items: [{ name: 'c' }] })
    expect(second).not.toHaveProperty('nextCursor')
    expect(await h.ask('GET', `${path}?cursor=nonsense`)).toMatchObject({ status: 400, body: { error: { code: 'invalid_cursor' } } })
  })

  test('removes', async () => {
    await put('f', { code: '1' })
    expect((await h.ask('DELETE', `${path}/f`)).status).toBe(204)
    expect(h.pool.calls.at(-1)).toEqual({ method: 'appChanged', params: { appid } })
    for (const method of ['GET', 'DELETE']) expect(await h.ask(method, `${path}/f`)).toMatchObject({ status: 404, body: { error: { code: 'function_not_found', message: expect.stringContaining('f') } } })
  })

  test('unknown functions and versions give 404', async () => {
    await put('f', { code: '1' })
    expect(await h.ask('GET', `${path}/g/versions`)).toMatchObject({ status: 404, body: { error: { code: 'function_not_found' } } })
    expect(await h.ask('GET', `${path}/f/versions/2`)).toMatchObject({ status: 404, body: { error: { code: 'version_not_found' } } })
    expect(await h.ask('GET', `${path}/f/versions/0`)).toMatchObject({ status: 400, body: { error: { code: 'invalid_request' } } })
    expect(await h.ask('GET', `${path}/f/versions/x`)).toMatchObject({ status: 400, body: { error: { code: 'invalid_request' } } })
    expect(await h.ask('GET', '/v1/apps/nobody/functions')).toMatchObject({ status: 404, body: { error: { code: 'app_not_found' } } })
  })
})

describe('rolling back', () => {
  test('publishes the old code as a new version', async () => {
    await put('f', { code: 'export default 1', methods: ['GET'], description: 'one' })
    await put('f', { code: 'export default 2' })
    expect(await h.ask('POST', `${path}/f/rollback`, { json: { version: 1 } })).toMatchObject({ status: 200, body: { name: 'f', version: 3 } })
    expect((await h.ask('GET', `${path}/f`)).body).toMatchObject({ version: 3, code: 'export default 1', methods: ['GET'], description: 'one', changelog: 'rollback to 1' })
    const { body } = await h.ask('GET', `${path}/f/versions?limit=2`)
    expect(body.items).toMatchObject([{ version: 3 }, { version: 2 }])
    expect((await h.ask('GET', `${path}/f/versions?limit=2&cursor=${encodeURIComponent(body.nextCursor)}`)).body.items).toMatchObject([{ version: 1 }])
  })

  test('refuses what is not there', async () => {
    expect(await h.ask('POST', `${path}/f/rollback`, { json: { version: 1 } })).toMatchObject({ status: 404, body: { error: { code: 'function_not_found' } } })
    await put('f', { code: '1' })
    expect(await h.ask('POST', `${path}/f/rollback`, { json: { version: 2 } })).toMatchObject({ status: 404, body: { error: { code: 'version_not_found' } } })
    for (const json of [{}, { version: '1' }, { version: 0 }, { version: 1, force: true }]) {
      expect(await h.ask('POST', `${path}/f/rollback`, { json })).toMatchObject({ status: 400, body: { error: { code: 'invalid_request' } } })
    }
  })
})

test('a token is needed before anything else is looked at', async () => {
  const { status } = await h.ask('PUT', `${path}/f`, { token: `${ADMIN}x`, raw: '{', headers: { 'content-type': 'application/json' } })
  expect(status).toBe(401)
})
