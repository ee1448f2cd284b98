import { Flag, FrameType, readU32 } from '@socklet/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acknowledged, makeHarness, type Harness } from './harness.ts'
import { SMALL_TURN_BYTES } from '../../src/turn-layout.ts'

let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

const ECHO = `exports.main = (ctx) => { if (ctx.method === 'WebSocket:message') ctx.socket.send(ctx.params.isBinary ? ctx.params.data : ctx.params.data.toString()) }`

describe('messages', () => {
  it('come back byte for byte, text and binary, short and long, ASCII or not', async () => {
    const test = await harness.start(ECHO)
    test.open(1)
    const texts = ['', 'a', 'hello', 'héllo', '日本語', '𝒳😀', 'x'.repeat(5000), '服务端'.repeat(2000), `${'a'.repeat(2000)}é`, 'x'.repeat(1_000_000)]
    for (const text of texts) test.event(FrameType.MESSAGE, 1, text)
    for (let size = 0; size < 5000; size = size * 3 + 1) test.event(FrameType.MESSAGE, 1, Buffer.alloc(size, 0xfe), Flag.BINARY)
    const count = texts.length + 9
    const sends = await test.until((frames) => frames.filter(({ head }) => head.type === FrameType.SEND).length >= count && frames.filter(({ head }) => head.type === FrameType.SEND))
    expect(sends.slice(0, texts.length).map(({ payload }) => payload.toString())).toEqual(texts)
    for (const { head, payload } of sends.slice(texts.length)) {
      expect(head.flags & Flag.BINARY).toBe(Flag.BINARY)
      expect(payload.every((byte) => byte === 0xfe)).toBe(true)
    }
    expect(sends.every(({ head }) => head.app === 7 && head.generation === 3 && head.connection === 1)).toBe(true)
  })

  it.each([
    ['few bytes, which come as a string', ['hello', 'four', 'sixsix', 'seven!!', 'é', 'aé', '服务端'.repeat(200)]],
    ['many, which come as a buffer', ['long '.repeat(1000) + 'end', '服务端'.repeat(600) + 'é']]
  ])('are read from the bytes, where a function has changed one of them: %s', async (_name, texts) => {
    const test = await harness.start(`exports.main = (ctx) => {
      const { data } = ctx.params ?? {}
      if (data === undefined) return
      for (let i = 0; i < data.length; i += data.length > ${SMALL_TURN_BYTES} ? 97 : 1) {
        const byte = data[i]
        data[i] = 0x4a
        const text = data.toString()
        data[i] = byte
        if (text !== data.toString('utf8', 0, i) + 'J' + data.toString('utf8', i + 1)) ctx.socket.send(i + ': ' + text)
      }
      ctx.socket.send(data.toString())
    }`)
    test.open(1)
    for (const text of texts) test.event(FrameType.MESSAGE, 1, text)
    await test.until(() => test.texts().length >= texts.length)
    expect(test.texts()).toEqual(texts)
  })

  it('are empty, where a function has given their memory away', async () => {
    const test = await harness.start(`exports.main = (ctx) => {
      const { data } = ctx.params ?? {}
      if (data === undefined) return
      structuredClone(data.buffer, { transfer: [data.buffer] })
      ctx.socket.send('[' + data.toString() + ']')
    }`)
    test.open(1)
    test.event(FrameType.MESSAGE, 1, 'hello')
    test.event(FrameType.MESSAGE, 1, '服务端'.repeat(2000))
    await test.until(() => test.texts().length >= 1)
    expect(test.texts()[0]).toBe('[]')
  })

  it('are acknowledged when their handlers have settled, and not before', async () => {
    const test = await harness.start(`
      let finish
      exports.main = async (ctx) => {
        const text = String(ctx.params?.data ?? '')
        if (text === 'wait') await new Promise((resolve) => { finish = resolve })
        if (text === 'finish') finish()
      }`)
    test.open(1)
    const waiting = test.event(FrameType.MESSAGE, 1, 'wait')
    const other = test.event(FrameType.MESSAGE, 1, 'other')
    await test.until((frames) => acknowledged(frames).includes(other))
    expect(acknowledged(test.gateway.frames)).not.toContain(waiting)
    test.event(FrameType.MESSAGE, 1, 'finish')
    await test.until((frames) => acknowledged(frames).includes(waiting))
  })

  it('wait a little for what a handler has called without waiting for it, as they do in laf', async () => {
    const test = await harness.start(`
      const state = new Map([['n', 0]])
      async function work(socket) { const n = await state.get('n'); await null; state.set('n', n + 1); socket.send(String(n + 1)) }
      exports.main = ({ socket }) => { work(socket) }`)
    test.open(1)
    for (let i = 0; i < 20; i++) test.event(FrameType.MESSAGE, 1, 'x')
    await test.until(() => test.texts().length === 21)
    expect(test.texts().at(-1)).toBe('21')
  })

  it('wait for a handler that awaits what is there already, as they do in laf', async () => {
    // Two events of one batch: without the wait both would read 0, and one update would be lost.
    const test = await harness.start(`
      const state = new Map([['n', 0]])
      exports.main = async (ctx) => { const n = await state.get('n'); await null; await null; state.set('n', n + 1); ctx.socket.send(String(n + 1)) }`)
    test.open(1)
    for (let i = 0; i < 20; i++) test.event(FrameType.MESSAGE, 1, 'x')
    await test.until(() => test.texts().length === 21)
    expect(test.texts()).toEqual(Array.from({ length: 21 }, (_, index) => String(index + 1)))
  })
})

describe('one value to many sockets', () => {
  it('crosses once, with the list of its receivers, from a plain loop', async () => {
    const test = await harness.start(`
      const all = new Set()
      exports.main = (ctx) => {
        all.add(ctx.socket)
        if (ctx.method !== 'WebSocket:message') return
        const value = ctx.params.isBinary ? ctx.params.data : ctx.params.data.toString()
        for (const socket of all) socket.send(value)
      }`)
    for (let connection = 1; connection <= 100; connection++) test.open(connection)
    const sent = [Buffer.from('short'), Buffer.from('x'.repeat(3000)), Buffer.from([1, 2, 3]), Buffer.alloc(5001, 7)]
    for (const message of ['short', 'x'.repeat(3000), sent[2]!, sent[3]!]) test.event(FrameType.MESSAGE, 5, message, typeof message === 'string' ? 0 : Flag.BINARY)
    const many = await test.until((frames) => {
      const found = frames.filter(({ head }) => head.type === FrameType.SEND_MANY)
      return found.length === 4 && found
    })
    expect(test.texts()).toEqual([])
    for (const [index, expected] of sent.entries()) {
      const { payload } = many[index]!
      const length = readU32(payload, 0)
      expect(payload.subarray(4, 4 + length).equals(expected)).toBe(true)
      const receivers = payload.subarray((4 + length + 3) & ~3)
      expect(Array.from({ length: receivers.byteLength / 4 }, (_, at) => readU32(receivers, at * 4))).toEqual(Array.from({ length: 100 }, (_, at) => at + 1))
    }
  })

  it('is sent as it was at each send, where a buffer changes in between', async () => {
    const test = await harness.start(`exports.main = ({ socket }) => { const b = Buffer.from('a'); socket.send(b); b[0] = 98; socket.send(b); socket.send(b); socket.send('b') }`)
    test.open(1)
    const frames = await test.until((all) => all.filter(({ head }) => head.type === FrameType.SEND || head.type === FrameType.SEND_MANY).length === 3 && all)
    expect(frames.slice(0, 3).map(({ head, payload }) => [head.type, head.flags, payload.toString('hex')])).toEqual([
      [FrameType.SEND, Flag.BINARY, '61'],
      [FrameType.SEND_MANY, Flag.BINARY, '01000000620000000100000001000000'],
      [FrameType.SEND, 0, '62']
    ])
  })

  it('is sent as it was at each send, where a long buffer changes in between', async () => {
    const test = await harness.start(`exports.main = ({ socket }) => { for (const offset of [0, 1]) { const b = Buffer.alloc(4003).subarray(offset); socket.send(b); b[4001] = 1; socket.send(b); socket.send(b); b[0] = 2; socket.send(b) } }`)
    test.open(1)
    const frames = await test.until((all) => all.filter(({ head }) => head.type === FrameType.SEND || head.type === FrameType.SEND_MANY).length === 6 && all)
    const shown = frames.slice(0, 6).map(({ head, payload }) => {
      const message = head.type === FrameType.SEND ? payload : payload.subarray(4, 4 + readU32(payload, 0))
      return [head.type, message.byteLength, message[0], message[4001]]
    })
    const { SEND, SEND_MANY } = FrameType
    expect(shown).toEqual([4003, 4002].flatMap((length) => [[SEND, length, 0, 0], [SEND_MANY, length, 0, 1], [SEND, length, 2, 1]]))
  })
})

describe('events', () => {
  it('have exactly the ctx of laf', async () => {
    const test = await harness.start(`
      exports.main = (ctx) => {
        const { params } = ctx
        ctx.socket.send(JSON.stringify([Object.keys(ctx), ctx.method, ctx.socket.readyState, params && Object.keys(params), params instanceof Error && params.message, Buffer.isBuffer(params?.data ?? params?.reason), ctx.url ?? null]))
        console.log(ctx.method + ' ' + ctx.socket.readyState)
      }`)
    const closed = Buffer.from([0xe8, 0x03, ...Buffer.from('bye')])
    test.open(1)
    test.event(FrameType.MESSAGE, 1, 'x')
    test.event(FrameType.ERROR, 1, JSON.stringify({ name: 'RangeError', message: 'Max payload size exceeded', code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' }))
    const last = test.event(FrameType.CLOSED, 1, closed)
    await test.until((frames) => acknowledged(frames).includes(last))
    const keys = ['params', 'method', 'requestId', 'socket', '__function_name', 'url', 'headers']
    expect(test.texts().map((text) => JSON.parse(text))).toEqual([
      [keys, 'WebSocket:connection', 1, null, false, false, '/'],
      [keys, 'WebSocket:message', 1, ['data', 'isBinary'], false, true, null]
    ])
    await test.until(() => test.logs().length === 4)
    expect(test.logs().map(({ message }) => message)).toEqual(['WebSocket:connection 1', 'WebSocket:message 1', 'WebSocket:error 2', 'WebSocket:close 3'])
  })

  it('that were lost before say so, keep their requestId, run alone and are announced', async () => {
    const test = await harness.start(`exports.main = (ctx) => { if (ctx.params) ctx.socket.send(ctx.redelivered + ' ' + ctx.requestId) }`)
    test.open(1)
    const first = test.event(FrameType.MESSAGE, 1, 'x')
    const again = test.event(FrameType.MESSAGE, 1, 'x', Flag.REDELIVERED)
    await test.until((frames) => acknowledged(frames).includes(again))
    const started = test.gateway.frames.filter(({ head }) => head.type === FrameType.STARTED)
    expect(started.map(({ head }) => [head.sequence, head.flags])).toEqual([[again, 0], [again, Flag.END]])
    const [one, two] = test.texts().map((text) => text.split(' ')) as [[string, string], [string, string]]
    expect([one[0], two[0]]).toEqual(['undefined', 'true'])
    expect(one[1]).toMatch(new RegExp(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-${first.toString(16).padStart(12, '0')}$`))
    expect(two[1].slice(0, 24)).toBe(one[1].slice(0, 24))
  })

  it('whose handler never settles are given up after the limit', async () => {
    const test = await harness.start(`exports.main = (ctx) => new Promise(() => {})`, { limits: { handlerMs: 100 } })
    const sequence = test.open(1)
    await test.until((frames) => acknowledged(frames).includes(sequence))
    expect(test.logs()[0]).toMatchObject({ level: 'error', message: expect.stringContaining('more than 100 ms') })
  })
})

describe('code that does not end', () => {
  it.each([
    ['in the handler', `exports.main = () => { for (;;) {} }`],
    ['while it loads', `for (;;) {}`],
    ['in a microtask', `exports.main = () => { const again = () => Promise.resolve().then(again); again() }`],
    ['in a timer', `exports.main = () => { setTimeout(() => { for (;;) {} }, 1) }`],
    ['in the getter of a thrown error', `exports.main = () => { throw { get stack() { for (;;) {} } } }`],
    ['in toString while it is logged', `exports.main = () => { console.log('%s', { toString() { for (;;) {} } }) }`]
  ])('%s is ended', async (_, code) => {
    const test = await harness.start(code, { limits: { turnCpuMs: 100 } })
    test.open(1)
    await test.until(() => test.downs.length > 0)
    expect(test.downs[0]).toMatch(/more than 100 ms of CPU/)
    expect(test.tainted).toEqual([])
  })
})

// isolated-vm gives the rejection in place of what the turn has done, and the next turn brings that. Without an end a worker would do nothing else.
describe('a rejection that nobody handles', () => {
  const SOURCE = `
    let left = 0
    const again = () => { if (left-- > 0) { setImmediate(again); Promise.reject(new Error('nobody listens')) } }
    exports.main = ({ method, params, socket }) => {
      if (method !== 'WebSocket:message') return
      left = Number(params.data)
      again()
      socket.send('heard ' + params.data)
    }`

  it('in twenty turns in a row loses nothing that they did, and the count begins anew after a good one', async () => {
    const test = await harness.start(SOURCE)
    test.open(1)
    for (let round = 1; round <= 2; round++) {
      const sequence = test.event(FrameType.MESSAGE, 1, '20')
      await test.until((frames) => acknowledged(frames).includes(sequence))
      await test.until(() => test.logs().filter(({ message }) => message.includes('Unhandled rejection: Error: nobody listens')).length === 20 * round)
    }
    expect(test.texts()).toEqual(['heard 20', 'heard 20'])
    expect(test.downs).toEqual([])
  })

  it('in one turn more ends the isolate, and the log says why', async () => {
    const test = await harness.start(SOURCE)
    test.open(1)
    test.event(FrameType.MESSAGE, 1, '21')
    await test.until(() => test.downs.length > 0)
    expect([test.downs, test.faults]).toEqual([['results were lost again and again: nobody listens'], ['tenant']])
    await test.until(() => test.logs().at(-1)?.message === 'the isolate was ended: results were lost again and again: nobody listens')
  })
})

describe('an update', () => {
  it('is in force for the next event, also while events come', async () => {
    const code = (n: number): string => `exports.main = (ctx) => { if (ctx.params) ctx.socket.send('${n} ' + ctx.requestId) }`
    const test = await harness.start(code(0))
    test.open(1)
    const limits = { ...(await import('@socklet/config')).DEFAULT_LIMITS }
    for (let n = 1; n <= 10; n++) {
      test.event(FrameType.MESSAGE, 1, 'x')
      await test.app.update({ appid: 'test', functions: [{ name: '__websocket__', version: n + 1, code: code(n) }], modules: [], env: {}, secret: 's', limits })
      const before = test.texts().length
      test.event(FrameType.MESSAGE, 1, 'x')
      await test.until(() => test.texts().length > before && test.texts().at(-1)!.startsWith(`${n} `))
    }
  })
})

it('events that take long do not add up to a turn that takes too long, however many come at once', async () => {
  const test = await harness.start(`exports.main = ({ params, socket }) => { if (!params) return; for (const end = Date.now() + 40; Date.now() < end;); socket.send(params.data.toString()) }`, { limits: { turnCpuMs: 500 } })
  test.open(1)
  for (let i = 0; i < 30; i++) test.event(FrameType.MESSAGE, 1, `message ${i}`)
  await test.until((frames) => acknowledged(frames).length === 31)
  expect(test.texts()).toEqual(Array.from({ length: 30 }, (_, index) => `message ${index}`))
  expect(test.downs).toEqual([])
})
