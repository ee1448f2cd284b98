import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from './support/client.ts'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform()
})
afterAll(() => platform.close())

/** What an HTTP function with this body returns, as JSON. */
async function result(appid: string, body: string, imports = ''): Promise<unknown> {
  await platform.admin('POST', '/apps', { appid })
  const put = await platform.admin('PUT', `/apps/${appid}/functions/probe`, `${imports}\nexport default async function (ctx: any) { ${body} }`)
  expect(put.status, put.text).toBeLessThan(300)
  const answer = await platform.request(appid, '/probe')
  expect(answer.status, answer.text).toBe(200)
  return answer.headers.get('content-type')?.startsWith('application/json') ? answer.json : answer.text
}

describe('forms of functions', () => {
  it.each([
    ['an ES module with main', `export async function main() { return 'yes' }`],
    ['an ES module with a default export', `export default () => 'yes'`],
    ['the default export before main', `export default () => 'yes'; export const main = () => 'no'`],
    ['CommonJS with exports.main', `exports.main = async () => 'yes'`],
    ['CommonJS with module.exports = function', `module.exports = () => 'yes'`],
    ['CommonJS with module.exports = { main }', `const main = () => 'yes'; module.exports = { main }`],
    ['TypeScript with types, enums and generics', `enum Word { Yes = 'yes' } const id = <T,>(value: T): T => value; export const main = (ctx: FunctionContext): string => id<string>(Word.Yes satisfies string)`]
  ])('takes %s', async (_, source) => {
    await platform.admin('POST', '/apps', { appid: 'forms' })
    expect((await platform.admin('PUT', '/apps/forms/functions/form', source)).status).toBeLessThan(300)
    expect((await platform.request('forms', '/form')).text).toBe('yes')
  })
})

describe('imports', () => {
  it('finds functions by @/name, by relative path and by require, each once', async () => {
    await platform.app('imports', {
      counter: `let count = 0; export const next = () => ++count; export default () => String(count)`,
      'lib/one': `import { next } from '../counter'; export const one = () => next()`,
      'lib/two': `const { one } = require('./one'); exports.two = () => [one(), one()]`,
      user: `
        import { two } from '@/lib/two'
        import { next } from './counter.ts'
        export default async () => ({ two: two(), next: next(), lazy: (await import('@/counter')).next() })`
    })
    expect((await platform.request('imports', '/user')).json).toEqual({ two: [1, 2], next: 3, lazy: 4 })
    expect((await platform.request('imports', '/counter')).text).toBe('4')
  })

  it('starts module state anew when a function is published, and keeps cloud.shared', async () => {
    const source = (version: number): string => `
      import cloud from '@lafjs/cloud'
      let calls = 0
      export default () => { cloud.shared.set('n', (cloud.shared.get('n') ?? 0) + 1); return { version: ${version}, calls: ++calls, shared: cloud.shared.get('n') } }`
    await platform.app('state', { count: source(1) })
    await platform.request('state', '/count')
    expect((await platform.request('state', '/count')).json).toEqual({ version: 1, calls: 2, shared: 2 })
    await platform.admin('PUT', '/apps/state/functions/count', source(2))
    expect((await platform.request('state', '/count')).json).toEqual({ version: 2, calls: 1, shared: 3 })
  })

  it('names what is missing and what is there', async () => {
    await platform.app('missing', { late: `export default () => require('@/nothing')`, other: `export default () => 1` })
    const { status, json } = await platform.admin('PUT', '/apps/missing/functions/broken', `import x from '@/nothing'; export default () => x`)
    expect(status).toBe(422)
    expect(json.error.message).toContain("Cannot find module '@/nothing'")
    expect(json.error.message).toContain('other')
    expect((await platform.request('missing', '/late')).status).toBe(500)
    const line = await until('the error is logged', async () => (await platform.admin('GET', '/apps/missing/logs')).json.items[0])
    expect(line).toMatchObject({ level: 'error', function: 'late' })
    expect(line.message).toContain("Cannot find module '@/nothing'")
  })
})

describe('globals', () => {
  it('has what ordinary functions need', async () => {
    const classes = ['Buffer', 'URL', 'URLSearchParams', 'TextEncoder', 'TextDecoder', 'AbortController', 'AbortSignal', 'Event', 'EventTarget']
    const functions = ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'atob', 'btoa', 'structuredClone', 'queueMicrotask']
    const names = [...classes, ...functions, 'console', 'crypto', 'performance', 'process', 'global']
    const missing = `return ${JSON.stringify(names)}.filter((name) => typeof globalThis[name] === 'undefined')`
    expect(await result('globals', missing)).toEqual([])
  })

  it('has no way to host objects, shared memory or WebAssembly', async () => {
    const names = ['SharedArrayBuffer', 'Atomics', 'WebAssembly', 'FinalizationRegistry', '__socklet_boot', 'ivm']
    expect(await result('globals', `return ${JSON.stringify(names)}.filter((name) => name in globalThis)`)).toEqual([])
  })

  it.each([
    ['Buffer', `return Buffer.from('héllo').toString('base64url') + Buffer.concat([Buffer.from([1]), Buffer.alloc(1)]).toString('hex') + (Buffer.from('x') instanceof Uint8Array)`, 'aMOpbGxv0100true'],
    ['URL', `const u = new URL('/a?b=c#d', 'https://EXAMPLE.com:443/x'); u.searchParams.append('e', 'f g'); return u.href`, 'https://example.com/a?b=c&e=f+g#d'],
    ['TextEncoder', `return new TextDecoder().decode(new TextEncoder().encode('日本'))`, '日本'],
    ['structuredClone', `const m = new Map([[1, new Date(0)]]); const c = structuredClone({ m, self: m }); return String(c.m === c.self && c.m !== m && c.m.get(1).getTime() === 0)`, 'true'],
    ['base64', `return atob(btoa('hello'))`, 'hello'],
    ['randomUUID', `return String(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()) && crypto.randomUUID() !== crypto.randomUUID())`, 'true'],
    ['getRandomValues', `return String(new Set(crypto.getRandomValues(new Uint8Array(64))).size > 10)`, 'true'],
    ['performance.now', `const a = performance.now(); await new Promise((r) => setTimeout(r, 20)); const d = performance.now() - a; return String(d >= 15 && d < 5000)`, 'true'],
    ['AbortController', `const c = new AbortController(); let heard = ''; c.signal.addEventListener('abort', () => { heard = 'heard' }); c.abort(); return heard + c.signal.aborted`, 'heardtrue'],
    ['queueMicrotask', `let order = ''; queueMicrotask(() => { order += 'b' }); order += 'a'; await null; return order`, 'ab']
  ])('%s works', async (_, body, expected) => {
    expect(await result('globals', body)).toBe(expected)
  })

  it('gives the environment of the app in process.env', async () => {
    await platform.admin('POST', '/apps', { appid: 'env' })
    await platform.admin('PUT', '/apps/env/env', { GREETING: 'hello', EMPTY: '' })
    const body = `return { greeting: process.env.GREETING, empty: process.env.EMPTY, other: process.env.PATH ?? null }`
    expect(await result('env', body)).toEqual({ greeting: 'hello', empty: '', other: null })
    await platform.admin('PATCH', '/apps/env/env', { GREETING: 'bye' })
    expect((await platform.request('env', '/probe')).json.greeting).toBe('bye')
  })
})

describe('timers', () => {
  it('run in order, go on after the handler has ended, and can be cleared', async () => {
    await platform.app('timers', {
      __websocket__: `
        export function main(ctx) {
          if (ctx.method !== 'WebSocket:message') return
          const { socket } = ctx
          setTimeout(() => socket.send('20'), 20)
          setTimeout(() => socket.send('5'), 5)
          clearTimeout(setTimeout(() => socket.send('never'), 10))
          setImmediate(() => socket.send('immediate'))
          let ticks = 0
          const interval = setInterval(() => { socket.send('tick ' + ++ticks); if (ticks === 2) clearInterval(interval) }, 30)
          Promise.resolve().then(() => socket.send('microtask'))
          socket.send('now')
        }`
    })
    const client = await connect(platform.url('timers'))
    client.send('go')
    const seen: string[] = []
    for (let i = 0; i < 7; i++) seen.push(String(await client.next()))
    expect(seen).toEqual(['now', 'microtask', 'immediate', '5', '20', 'tick 1', 'tick 2'])
    await client.close()
  })

  it('throws a RangeError above the limit of the app', async () => {
    await platform.admin('POST', '/apps', { appid: 'many' })
    await platform.admin('PATCH', '/apps/many', { limits: { timers: 10 } })
    const body = `try { for (let i = 0; i < 11; i++) setTimeout(() => {}, 1e6); return 'no error' } catch (error) { return error.name + ': ' + error.message }`
    expect(await result('many', body)).toMatch(/^RangeError: .*10 timers/)
  })
})

describe('console', () => {
  it('writes into the log of the app, with level, function, version and requestId', async () => {
    const body = `console.log('text', { a: [1, new Map([['k', 1]])] }, 42); console.warn('%s is %d', 'x', 7); console.error(new TypeError('bad')); return ctx.requestId`
    const requestId = await result('console', body)
    const items = await until('three lines', async () => {
      const { json } = await platform.admin('GET', `/apps/console/logs?requestId=${String(requestId)}`)
      return json.items.length === 3 && json.items
    })
    expect(items.map((item: { level: string }) => item.level)).toEqual(['error', 'warn', 'info'])
    expect(items[2]).toMatchObject({ function: 'probe', version: 1, requestId, message: `text { a: [ 1, Map(1) { 'k' => 1 } ] } 42` })
    expect(items[1].message).toBe('x is 7')
    expect(items[0].message).toContain('TypeError: bad')
  })

  it('drops what is above the limit, and says how many lines', async () => {
    await platform.app('flood', { probe: `export default async () => { for (let i = 0; i < 1000; i++) console.log(i); await new Promise((r) => setTimeout(r, 1100)); console.log('later') }` })
    await platform.request('flood', '/probe')
    const items = await until('the later line', async () => {
      const { json } = await platform.admin('GET', '/apps/flood/logs?limit=1000')
      return json.items[0]?.message === 'later' && json.items
    })
    const dropped = items.find((item: { message: string }) => /log lines were dropped/.test(item.message))
    expect(Number(/^(\d+)/.exec(dropped.message)![1])).toBeGreaterThanOrEqual(700)
    expect(items.length).toBeLessThan(350)
  })
})

describe('errors', () => {
  it('are logged with the stack, and neither socket nor process minds', async () => {
    await platform.app('errors', {
      __websocket__: `
        export async function main(ctx) {
          if (ctx.method !== 'WebSocket:message') return
          const text = ctx.params.data.toString()
          if (text === 'throw') throw new Error('thrown')
          if (text === 'reject') { await null; throw 'rejected' }
          if (text === 'unhandled') { Promise.reject(new Error('nobody listens')) }
          if (text === 'hostile') throw new Proxy({}, { get() { throw new Error('inner') } })
          ctx.socket.send('still here after ' + text)
        }`
    })
    const client = await connect(platform.url('errors'))
    for (const text of ['throw', 'reject', 'unhandled', 'hostile', 'nothing']) client.send(text)
    expect(await client.next()).toBe('still here after unhandled')
    expect(await client.next()).toBe('still here after nothing')
    const items = await until('four errors', async () => {
      const { json } = await platform.admin('GET', '/apps/errors/logs?level=error')
      return json.items.length === 4 && json.items
    })
    const text = items.map((item: { message: string }) => item.message).join('\n')
    for (const { function: name, version } of items) expect([name, version]).toEqual(['__websocket__', 1])
    for (const part of ['Error: thrown', 'at main', 'rejected', 'Unhandled rejection: Error: nobody listens', 'a value that cannot be turned into text']) expect(text).toContain(part)
    await client.close()
  })

  // A timer was a `Ph {}` in the log, and its callback a `Ph.eval` in stacks: names that our bundler gives.
  it('show objects of the platform under the names that Node has for them', async () => {
    const shown = await result('names', `
      const timer = setTimeout(() => { throw new Error('late') })
      return [timer, ctx.request, ctx.response, cloud.sockets, cloud.sockets.in('x')].map((value) => [value.constructor.name, inspect(value)])`, `import cloud from '@lafjs/cloud'\nimport { inspect } from 'node:util'`) as [string, string][]
    expect(shown.map(([name]) => name)).toEqual(['Timeout', 'IncomingMessage', 'ServerResponse', 'Sockets', 'Room'])
    for (const [name, text] of shown) expect(text).toMatch(new RegExp(`^${name}\\b`))
    await until('the error', async () => (await platform.admin('GET', '/apps/names/logs')).json.items.some(({ message }: { message: string }) => message.includes('at Timeout.')))
  })

  // Lines were those of compiled code, which the tenant never sees, between frames of the platform.
  it('name lines and columns of the sources, of all functions on the way', async () => {
    await platform.app('places', {
      'lib/checks': `/** What is left out when it is compiled. */
interface Limits { most: number }

export class Checks {
  #limits: Limits = { most: 3 }

  size(text: string): void {
    if (text.length > this.#limits.most) throw new RangeError('too long')
  }
}
`,
      early: `exports.main = () => { throw new Error('in the first line') }`,
      late: `
        import { Checks } from '@/lib/checks'
        type Body = { text: string }

        export default async (ctx: FunctionContext) => {
          const { text } = ctx.query as Body
          setTimeout(() => { void Promise.reject(new Error('in a timer')) })
          await new Promise((done) => setTimeout(done, 20))
          new Checks().size(text)
        }`
    })
    await platform.request('places', '/early')
    await platform.request('places', '/late?text=long')
    const messages = await until('three errors', async () => {
      const { json } = await platform.admin('GET', '/apps/places/logs?level=error')
      return json.items.length === 3 && json.items.map((item: { function: string; message: string }) => `${item.function}: ${item.message}`)
    })
    expect(messages.toSorted()).toEqual([
      'early: Error: in the first line\n    at exports.main (early.ts:1:30)',
      'late: RangeError: too long\n    at Checks.size (lib/checks.ts:8:48)\n    at late_default (late.ts:9:24)',
      expect.stringMatching(/^late: Unhandled rejection: Error: in a timer\n    at .*\(late\.ts:7:50\)$/)
    ])
    const refused = await platform.admin('PUT', '/apps/places/functions/early', `// A comment.\n\nconst text: string = 'at once'\nthrow new Error(text)\n`)
    expect(refused.json.error.details).toEqual([{ function: 'early', message: 'Error: at once', stack: 'Error: at once\n    at eval (early.ts:4:7)' }])
  })
})

describe('tenants', () => {
  it('with the same variables and functions never see each other', async () => {
    const source = (tenant: string): string => `
      import cloud from '@lafjs/cloud'
      globalThis.mine = (globalThis.mine ?? '') + '${tenant}'
      cloud.shared.set('who', '${tenant}')
      export const main = (ctx) => ctx.socket.send(JSON.stringify({ mine: globalThis.mine, who: cloud.shared.get('who'), sockets: cloud.sockets.size, appid: cloud.appid }))`
    await platform.app('tenant-a', { __websocket__: source('a') })
    await platform.app('tenant-b', { __websocket__: source('b') })
    const a = await connect(platform.url('tenant-a'))
    const b = await connect(platform.url('tenant-b'))
    expect(JSON.parse(String(await a.next()))).toEqual({ mine: 'a', who: 'a', sockets: 1, appid: 'tenant-a' })
    expect(JSON.parse(String(await b.next()))).toEqual({ mine: 'b', who: 'b', sockets: 1, appid: 'tenant-b' })
    await a.close()
    await b.close()
  })
})
