import { Flag, FrameType } from '@socklet/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acknowledged, makeHarness, type Harness, type StartOptions, type TestApp } from './harness.ts'
import { answerTo, call, request } from './http.ts'

let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

const F = `
  let calls = 0
  exports.main = async (ctx) => { calls++; console.log('called'); await null; console.log('goes on'); return { calls, mark: ctx.mark, method: ctx.method, redelivered: ctx.redelivered } }`

function start(interceptor: string, options: StartOptions = {}): Promise<TestApp> {
  return harness.start(`exports.main = (ctx) => ctx.socket ? ctx.socket.send(ctx.method) : 'over http'`, { ...options, functions: { f: F, __interceptor__: interceptor, ...options.functions } })
}

/** What is in the log, and in whose name. */
const lines = (test: TestApp): string[] => test.logs().map(({ function: name, message }) => `${name}: ${message.split('\n')[0]}`)

describe('__interceptor__ (ctx, next)', () => {
  it.each([
    ['the function’s answer', '(ctx, next) => next(ctx)', 200, '{"calls":1,"method":"POST"}'],
    ['what it makes of it', 'async (ctx, next) => ({ ...(await next(ctx)), more: 1 })', 200, '{"calls":1,"method":"POST","more":1}'],
    ['its own answer in place of it', '(ctx, next) => "no"', 200, 'no'],
    ['nothing', '(ctx, next) => {}', 200, ''],
    ['false', '(ctx, next) => false', 200, 'false'],
    ['what it has sent', '(ctx, next) => { ctx.response.status(401).send("sent"); return "returned" }', 401, 'sent'],
    ['ctx as it was changed', '(ctx, next) => { ctx.mark = 7; return next(ctx) }', 200, '{"calls":1,"mark":7,"method":"POST"}'],
    ['another ctx', '(ctx, next) => next({ mark: "other" })', 200, '{"calls":1,"mark":"other"}'],
    ['the same ctx if it names none', '(ctx, next) => next()', 200, '{"calls":1,"method":"POST"}'],
    ['the second answer', 'async (ctx, next) => { await next(ctx); return next(ctx) }', 200, '{"calls":2,"method":"POST"}'],
    ['the answer of two at once', 'async (ctx, next) => (await Promise.all([next(ctx), next(ctx)])).length', 200, '2']
  ])('answers with %s', async (_name, interceptor, status, body) => {
    const test = await start(`exports.main = ${interceptor}`)
    expect(await call(test, 'f')).toMatchObject({ status, body })
  })

  it.each([['exports.default = '], ['exports.main = '], ['module.exports = ']])('is %s', async (form) => {
    const test = await start(`${form}(ctx, next) => 'intercepted ' + ctx.__function_name`)
    expect((await call(test, 'f')).body).toBe('intercepted f')
  })

  it('is called again with redelivered', async () => {
    const test = await start(`exports.main = (ctx, next) => next(ctx)`)
    expect((await call(test, 'f', { flags: Flag.REDELIVERED })).json).toMatchObject({ redelivered: true })
  })

  it('stands before each function over HTTP, itself among them, and before nothing else', async () => {
    const test = await start(`exports.main = async (ctx, next) => {
      console.log('before ' + ctx.__function_name)
      if (next === undefined) return 'alone'
      const result = await next(ctx)
      console.log('after')
      return result
    }`, {
      functions: { __init__: `exports.main = () => console.log('init')`, invokes: `exports.main = () => require('@lafjs/cloud').default.invoke('f', { mark: 'invoked' })` }
    })
    test.open(1)
    await test.until(() => test.texts().includes('WebSocket:connection'))
    expect((await call(test, 'invokes')).json).toEqual({ calls: 1, mark: 'invoked', method: 'call' })
    expect((await call(test, '__websocket__')).body).toBe('over http')
    // As in laf: it is its own next, which gets none.
    expect((await call(test, '__interceptor__')).body).toBe('alone')
    await test.until(() => lines(test).length === 10)
    expect(lines(test)).toEqual([
      '__init__: init',
      '__interceptor__: before invokes', 'invokes: called', 'invokes: goes on', '__interceptor__: after',
      '__interceptor__: before __websocket__', '__interceptor__: after',
      '__interceptor__: before __interceptor__', '__interceptor__: before __interceptor__', '__interceptor__: after'
    ])
  })

  it('does not hear of a body that cannot be read, nor of a function that cannot be called', async () => {
    const test = await start(`exports.main = (ctx, next) => { console.log('called'); return next(ctx) }`, { functions: { broken: `throw new Error('while it loads')`, none: 'exports.other = 1' } })
    expect((await call(test, 'f', { headers: { 'content-type': 'application/json' }, body: '{' })).status).toBe(400)
    expect((await call(test, 'broken')).status).toBe(500)
    expect((await call(test, 'none')).status).toBe(500)
    await test.until(() => lines(test).length === 2)
    expect(lines(test)).toEqual(['broken: Error: while it loads', 'none: Error: the function none exports no main and no default function'])
  })
})

describe('__interceptor__ (ctx), the old form', () => {
  it.each([
    ['false', 'false'],
    ['false, later', 'new Promise((done) => setTimeout(done, 5, false))']
  ])('refuses with %s', async (_name, expression) => {
    const test = await start(`exports.main = (ctx) => ${expression}`)
    expect(await call(test, 'f')).toMatchObject({ status: 403, json: { error: 'Forbidden', requestId: expect.stringMatching(/^r-/) } })
    expect(lines(test)).toEqual([])
  })

  it.each([['undefined'], ['true'], ['null'], ['0'], ['""'], ['new Boolean(false)'], ['"not the answer"'], ['{ __type__: "__interceptor__", __res__: false }']])('goes on after %s', async (expression) => {
    const test = await start(`exports.main = async (ctx) => { ctx.mark = 'seen'; return (${expression}) }`)
    expect((await call(test, 'f')).json).toMatchObject({ calls: 1, mark: 'seen' })
  })

  it('is each that has not two parameters', async () => {
    for (const parameters of ['', '...all', 'ctx, next = null', 'a, b, c']) {
      const test = await start(`exports.main = (${parameters}) => 'not the answer'`)
      expect((await call(test, 'f')).json).toMatchObject({ calls: 1 })
    }
  })

  it('may have sent something before it refuses', async () => {
    const test = await start(`exports.main = (ctx) => { ctx.response.status(401).send('who are you'); return false }`)
    expect(await call(test, 'f')).toMatchObject({ status: 401, body: 'who are you' })
    const half = await start(`exports.main = (ctx) => { ctx.response.write('half'); return false }`)
    expect(await call(half, 'f')).toMatchObject({ status: 200, body: 'half' })
  })
})

describe('an error', () => {
  const FAILED = { status: 500, json: { error: 'Internal Server Error', requestId: expect.any(String) } }

  it.each([
    ['at once', '(ctx, next) => { throw new Error("mine") }'],
    ['later', 'async (ctx, next) => { await new Promise((done) => setTimeout(done, 5)); throw new Error("mine") }'],
    ['after the function', 'async (ctx, next) => { await next(ctx); throw new Error("mine") }'],
    ['in the old form', '(ctx) => Promise.reject(new Error("mine"))'],
    ['of its own in place of the function’s', 'async (ctx, next) => { try { await next({ fail: true }) } catch { throw new Error("mine") } }']
  ])('of the interceptor, %s, is 500 and in the log in its name', async (_name, interceptor) => {
    const test = await start(`exports.main = ${interceptor}`, { functions: { f: `exports.main = ({ fail }) => { if (fail) throw new Error('the function’s') }` } })
    expect(await call(test, 'f')).toMatchObject(FAILED)
    await test.until(() => lines(test).length === 1)
    expect(lines(test)).toEqual(['__interceptor__: Error: mine'])
    expect(test.logs()[0]!.requestId).toMatch(/^r-/)
  })

  it.each([
    ['new', 'async (ctx, next) => { const result = await next(ctx); return result }'],
    ['new, passed on', '(ctx, next) => next(ctx)'],
    ['old', '() => true']
  ])('of the function is 500 and in the log in the function’s name (%s form)', async (_name, interceptor) => {
    const test = await start(`exports.main = ${interceptor}`, { functions: { f: `exports.main = async () => { await new Promise((done) => setTimeout(done, 5)); throw new Error('the function’s') }` } })
    expect(await call(test, 'f')).toMatchObject(FAILED)
    await test.until(() => lines(test).length === 1)
    expect(lines(test)).toEqual(['f: Error: the function’s'])
  })

  it('of the function may be caught', async () => {
    const test = await start(`exports.main = async (ctx, next) => { try { return await next(ctx) } catch (error) { return ctx.response.status(418).send(error.message) } }`, { functions: { f: `exports.main = () => { throw new Error('caught') }` } })
    expect(await call(test, 'f')).toMatchObject({ status: 418, body: 'caught' })
    expect(lines(test)).toEqual([])
  })

  it.each([
    ['throws while it loads', `throw new Error('while it loads')`, 'Error: while it loads'],
    ['exports nothing to call', `exports.other = 1`, 'Error: the function __interceptor__ exports no main and no default function'],
    ['says of itself what it cannot', `exports.main = Object.defineProperty(() => {}, 'length', { get() { throw new Error('in a getter') } })`, 'Error: in a getter']
  ])('is an interceptor that %s', async (_name, code, message) => {
    const test = await start(code)
    expect(await call(test, 'f')).toMatchObject(FAILED)
    await test.until(() => lines(test).length === 1)
    expect(lines(test)).toEqual([`__interceptor__: ${message}`])
  })
})

it('handlerMs is for both together, and what comes too late is dropped', async () => {
  const wait = 'await new Promise((done) => setTimeout(done, 150))'
  const test = await start(`exports.main = async (ctx, next) => { ${wait}; const result = await next(ctx); console.log('too late'); return result }`, {
    limits: { handlerMs: 200 },
    functions: { f: `exports.main = async () => { ${wait}; return 'an answer' }` }
  })
  const sequence = request(test, 5, 'f')
  expect(await answerTo(test, 5)).toMatchObject({ status: 500 })
  await test.until((frames) => acknowledged(frames).includes(sequence))
  await test.until(() => lines(test).some((line) => line.endsWith('too late')))
  expect(test.gateway.frames.filter(({ head }) => head.type === FrameType.RESPONSE)).toHaveLength(1)
})
