import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../support/client.ts'
import { cpuMs } from '../support/cpu.ts'
import { startPlatform, type Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'

/** What is not to be published is loaded before it is stored, in a process where it can hurt nothing. */
let platform: Platform
beforeAll(async () => {
  platform = await startPlatform()
  await platform.app('bystander', { __websocket__: ECHO })
  await platform.app('author', { f: GOOD })
})
afterAll(() => platform.close())

const ECHO = `export const main = (ctx) => { if (ctx.method === 'WebSocket:message') ctx.socket.send(ctx.params.data.toString()) }`
const GOOD = `export default () => 'good'`

/** Put at the top level of a function, and what the answer has to say. */
const REFUSED: [what: string, code: string, says: RegExp][] = [
  ['throws', `const text = undefined\nexport default () => text\ntext.length`, /^f cannot be loaded: TypeError: Cannot read properties of undefined/],
  ['throws a text', `throw 'no'`, /: no$/],
  ['throws nothing', `throw undefined`, /: undefined$/],
  ['does not evaluate as CommonJS', `eval('(')`, /SyntaxError/],
  ['imports what is not there', `import x from 'no-such-module'\nexport default () => x`, /Cannot find module 'no-such-module'/],
  ['throws a Proxy that throws', `throw new Proxy({}, { get() { throw new Error('inner') }, getPrototypeOf() { throw new Error('inner') } })`, /cannot be turned into text/],
  ['throws a Proxy that loops', `throw new Proxy({}, { get() { for (;;) ; } })`, /more than 200 ms/],
  ['throws a huge error', `throw new Error('x'.repeat(3_000_000))`, /^f cannot be loaded: Error: x{1000}/],
  ['loops', `for (;;) ;`, /its top level took more than 200 ms/],
  ['loops in microtasks', `(async () => { for (;;) await 0 })()`, /more than 200 ms/],
  ['loops in native code', `new Array(1e9).fill(0)`, /its top level/],
  ['multiplies huge numbers', `let n = 3n ** 4_000_000n; for (let i = 0; i < 5; i++) n = n * n % (1n << 20_000_000n)`, /its top level/],
  ['fills its heap', `const all = []; for (;;) all.push(new Array(1000).fill({}))`, /its top level/]
]

async function versions(): Promise<number[]> {
  const { json } = await platform.admin('GET', '/apps/author/functions/f/versions')
  return json.items.map((one: { version: number }) => one.version)
}

describe('a version that cannot be loaded', () => {
  beforeAll(async () => {
    await platform.admin('PATCH', '/apps/author', { limits: { turnCpuMs: 200, heapMiB: 16 } })
  })

  it.each(REFUSED)('is refused if it %s, and the old one goes on', async (_what, code, says) => {
    const bystander = await connect(platform.url('bystander'))
    let slowest = 0
    let echoes = 0
    const state = { done: false }
    const echoing = (async () => {
      while (!state.done) {
        const start = performance.now()
        bystander.send(String(echoes))
        expect(await bystander.next()).toBe(String(echoes++))
        slowest = Math.max(slowest, performance.now() - start)
      }
    })()
    const { status, json } = await platform.admin('PUT', '/apps/author/functions/f', code)
    state.done = true
    await echoing
    expect({ status, code: json.error?.code }).toEqual({ status: 422, code: 'load_error' })
    expect(json.error.message).toMatch(says)
    expect(json.error.message.length).toBeLessThan(5_000)
    expect(json.error.details).toEqual([expect.objectContaining({ function: 'f', message: expect.any(String) })])
    expect(await versions()).toEqual([1])
    expect((await platform.request('author', '/f')).text).toBe('good')
    expect(echoes).toBeGreaterThan(0)
    expect(slowest).toBeLessThan(2_000)
    await bystander.close()
  })
})

describe('what is loaded before it is stored', () => {
  const problems = (json: { error: { details: { function: string; message: string }[] } }): string[][] => json.error.details.map(({ function: name, message }) => [name, message])

  it('all functions of a publish, whose errors come at once; none of them is stored', async () => {
    await platform.app('several', { main: GOOD })
    const functions = { one: { code: `throw new Error('first')` }, main: { code: GOOD.replace('good', 'better') }, loop: { code: 'for (;;) ;' }, two: { code: `import './one'` } }
    await platform.admin('PATCH', '/apps/several', { limits: { turnCpuMs: 100 } })
    const { status, json } = await platform.admin('PUT', '/apps/several/functions', { functions })
    expect(status).toBe(422)
    expect(problems(json)).toEqual([['one', 'Error: first'], ['loop', 'its top level took more than 100 ms'], ['two', 'Error: first']])
    const { json: list } = await platform.admin('GET', '/apps/several/functions')
    expect(list.items.map((item: { name: string; version: number }) => [item.name, item.version])).toEqual([['main', 1]])
    expect((await platform.request('several', '/main')).text).toBe('good')
  })

  it('those that import it: a change that breaks one is refused, unless it was broken before', async () => {
    const user = `import { words } from './lib'\nrequire('./late')\nconst first = words[0]\nexport default () => first`
    await platform.app('imports', { lib: `export const words = ['a']`, late: GOOD, user })
    const broken = await platform.admin('PUT', '/apps/imports/functions/lib', `export const other = ['a']`)
    expect(broken.status).toBe(422)
    expect(problems(broken.json)).toEqual([['user', expect.stringMatching(/^TypeError/)]])
    expect((await platform.request('imports', '/user')).text).toBe('a')

    // Nobody sees in the text who requires it: `user` fails from here on.
    expect((await platform.admin('DELETE', '/apps/imports/functions/late')).status).toBe(204)
    expect((await platform.request('imports', '/user')).status).toBe(500)
    expect((await platform.admin('PUT', '/apps/imports/functions/lib', `export const other = ['a']`)).status).toBe(200)
    expect((await platform.admin('DELETE', '/apps/imports/functions/lib')).status).toBe(204)
    expect((await platform.admin('PUT', '/apps/imports/functions/third', GOOD)).status).toBe(201)
    expect((await platform.request('imports', '/third')).text).toBe('good')
  })

  it('those that import what is removed, which stays then; without them, it goes', async () => {
    const user = { code: `import { words } from './lib'\nexport default () => words[0]` }
    await platform.app('removals', { lib: `export const words = ['a']`, user: user.code })
    const path = '/apps/removals/functions'
    for (const refused of [await platform.admin('DELETE', `${path}/lib`), await platform.admin('PUT', path, { functions: { user }, prune: true })]) {
      expect({ status: refused.status, code: refused.json.error.code }).toEqual({ status: 422, code: 'load_error' })
      expect(refused.json.error.message).toMatch(/^user cannot be loaded: .*Cannot find module '\.\/lib'/)
    }
    expect((await platform.request('removals', '/user')).text).toBe('a')
    const pruned = await platform.admin('PUT', path, { functions: { other: { code: GOOD } }, prune: true })
    expect({ status: pruned.status, removed: pruned.json.removed }).toEqual({ status: 200, removed: ['lib', 'user'] })
  })

  it('all functions, when the environment changes; and an old version, when it is rolled back to', async () => {
    await platform.admin('POST', '/apps', { appid: 'environs' })
    await platform.admin('PUT', '/apps/environs/env', { KEY: 'secret', OTHER: 'x' })
    const path = '/apps/environs/functions/f'
    const needsKey = `const key = process.env.KEY!.trim()\nexport default () => key`
    expect((await platform.admin('PUT', path, needsKey)).status).toBe(201)
    for (const answer of [await platform.admin('DELETE', '/apps/environs/env/KEY'), await platform.admin('PUT', '/apps/environs/env', {}), await platform.admin('PATCH', '/apps/environs/env', { KEY: null })]) {
      expect({ status: answer.status, code: answer.json.error.code }).toEqual({ status: 422, code: 'load_error' })
      expect(answer.json.error.details).toMatchObject([{ function: 'f', message: expect.stringMatching(/trim/) }])
    }
    expect((await platform.admin('GET', '/apps/environs/env')).json.items).toHaveLength(2)
    expect((await platform.admin('PATCH', '/apps/environs/env', { KEY: ' other ' })).status).toBe(200)
    expect((await platform.request('environs', '/f')).text).toBe('other')

    expect((await platform.admin('PUT', path, GOOD)).json).toMatchObject({ version: 2 })
    expect((await platform.admin('DELETE', '/apps/environs/env/KEY')).status).toBe(204)
    const back = await platform.admin('POST', `${path}/rollback`, { version: 1 })
    expect({ status: back.status, code: back.json.error.code }).toEqual({ status: 422, code: 'load_error' })
    expect((await platform.admin('GET', path)).json).toMatchObject({ version: 2 })
    expect((await platform.request('environs', '/f')).text).toBe('good')
  })

  it('and nothing comes of what it does meanwhile', async () => {
    const code = `
      import cloud from '@lafjs/cloud'
      console.log('at the top')
      cloud.shared.set('loads', (cloud.shared.get('loads') ?? 0) + 1)
      setTimeout(() => console.log('a timer'), 1)
      Promise.reject(new Error('nobody waits for it'))
      export default () => cloud.shared.get('loads') ?? 0`
    await platform.app('effects', { f: code })
    await platform.admin('PUT', '/apps/effects/functions/f', `import cloud from '@lafjs/cloud'\nexport default () => cloud.shared.get('loads') ?? 0`)
    expect((await platform.request('effects', '/f')).text).toBe('0')
    expect((await platform.admin('GET', '/apps/effects/logs')).json.items).toEqual([])
  })

  it('again, alone, where somebody has ended the process that did it', async () => {
    const trial = async (): Promise<number | undefined> => (await platform.processes('trial'))[0]?.pid
    await platform.app('killed', { f: GOOD })
    const pid = await trial()
    await platform.admin('PATCH', '/apps/killed', { limits: { turnCpuMs: 5_000 } })
    const before = cpuMs(pid!)
    const publishing = platform.admin('PUT', '/apps/killed/functions/f', `const end = Date.now() + 1_500\nwhile (Date.now() < end) ;\n${GOOD}`)
    await until('it is being tried', () => cpuMs(pid!) > before + 300)
    process.kill(pid!, 'SIGKILL')
    expect((await publishing).status).toBe(200)
    expect(await trial()).not.toBe(pid)
  })
})
