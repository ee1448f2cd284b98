import { Flag, FrameType, NO_COUNTS, addCounts, decodeCounts, readU32, type AppCounts } from '@socklet/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MAX_JOINED_BYTES, MAX_MESSAGE_BYTES, MAX_TURN_DELIVERIES, MAX_TURN_SHARED_CHANGES } from '../../src/turn-layout.ts'
import { acknowledged, framesOf, makeHarness, type Harness, type TestApp } from './harness.ts'

/** Limits of what one turn may do, that no client and no test with real clients can reach quickly. Those that it can are in test/limits/counted.test.ts. */
let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

const LIMITS = { turnCpuMs: 20_000, minuteCpuMs: 60_000, heapMiB: 512 }

/** What the pool was told of this limit: how often it was reached since it was told last. */
function told(test: TestApp, limit: string): number[] {
  return test.pool.frames.filter(({ head, payload }) => head.type === FrameType.REACHED && payload.toString('latin1', 4) === limit).map(({ payload }) => readU32(payload, 0))
}

/** Waits until the pool was told that the limit was reached at least so often, and gives how often that was. */
function reached(test: TestApp, limit: string, times: number): Promise<number> {
  return test.until(() => {
    const sum = told(test, limit).reduce((all, each) => all + each, 0)
    return sum >= times && sum
  })
}

const linesAbout = (test: TestApp, limit: string): string[] => test.logs().map(({ message }) => message).filter((message) => message.includes(`(limit ${limit}`))

const countsOf = (test: TestApp): AppCounts => test.pool.frames.filter(({ head }) => head.type === FrameType.COUNTED).map(({ payload }) => decodeCounts(payload)).reduce(addCounts, NO_COUNTS)

it('a handler that leaves no memory for a log line is over all the same, and the next one runs', async () => {
  const test = await harness.start(`
    const { sockets } = require('@lafjs/cloud').default
    exports.main = ({ params, socket }) => {
      if (!params) return
      if (String(params.data) === 'flood') for (;;) sockets.in('nobody').send('x')
      socket.send('still there')
    }`, { limits: { turnCpuMs: 10_000 } })
  test.open(1)
  const flood = test.event(FrameType.MESSAGE, 1, 'flood')
  await test.until((frames) => acknowledged(frames).includes(flood) || test.downs.length > 0)
  // In an isolate without memory it may also be V8 that ends it.
  if (test.downs.length > 0) return
  test.event(FrameType.MESSAGE, 1, 'x')
  await test.until(() => test.texts().includes('still there'))
}, 30_000)

describe('what is counted of an app', () => {
  const code = `exports.main = ({ params }) => { if (params) for (let n = 0; n < 30; n++) console.log('line'); throw new Error('no') }`

  it('comes to the pool by itself, in parts that add up, and with the end of the isolate', async () => {
    const test = await harness.start(code, { limits: { logLinesPerSecond: 10 } })
    for (const sequence of [test.open(1), test.event(FrameType.MESSAGE, 1, 'x')]) await test.until((frames) => acknowledged(frames).includes(sequence))
    const first = await test.until(() => countsOf(test).turns > 0 && countsOf(test))
    expect(first).toMatchObject({ errors: 2 })
    expect(first.logLinesDropped).toBeGreaterThanOrEqual(20)
    expect(first.cpuMs).toBeGreaterThan(0)
    const last = test.event(FrameType.MESSAGE, 1, 'x')
    await test.until((frames) => acknowledged(frames).includes(last))
    test.app.dispose()
    await test.until(() => countsOf(test).errors === 3)
    expect(countsOf(test).turns).toBeGreaterThan(first.turns)
  })

  it('has the CPU of a turn that was stopped in it', async () => {
    const test = await harness.start(`exports.main = ({ params }) => { if (params) for (;;); }`, { limits: { turnCpuMs: 200 } })
    test.open(1)
    test.event(FrameType.MESSAGE, 1, 'x')
    await test.until(() => test.downs.length === 1 && countsOf(test).cpuMs >= 200)
  })

  it('of dropped log lines is said in the log, though nothing is logged after them', async () => {
    const test = await harness.start(code.replace("throw new Error('no')", ''), { limits: { logLinesPerSecond: 10 } })
    test.open(1)
    test.event(FrameType.MESSAGE, 1, 'x')
    const warnings = (): string[] => test.logs().filter(({ level }) => level === 'warn').map(({ message }) => message)
    expect(await test.until(() => warnings().length > 0 && warnings())).toEqual([expect.stringMatching(/^\d+ log lines were dropped: the limit is 10 a second \(limit logLinesPerSecond\)$/)])
  })
})

describe('a long message', () => {
  // A text was counted with two bytes for each unit, and what stands around a message in its frame not at all. The gateway gave up the link to the worker, that
  // ended itself, and all apps in it lost their isolates, again with each such message.
  const CODE = `
    const { sockets } = require('@lafjs/cloud').default
    const MAX = ${MAX_MESSAGE_BYTES} - 100
    exports.main = ({ method, params, socket }) => {
      socket.join('room')
      if (method !== 'WebSocket:message') return
      try { new Function('socket', 'sockets', 'MAX', String(params.data))(socket, sockets, MAX); socket.send('sent') } catch (error) { socket.send(error.name + ': ' + error.message) }
    }`

  /** Lengths of what has come since, and the answer. */
  async function say(test: TestApp, text: string): Promise<(number | string)[]> {
    const before = test.gateway.frames.length
    const event = test.event(FrameType.MESSAGE, 1, text)
    await test.until((frames) => acknowledged(frames).includes(event))
    const messages = test.gateway.frames.slice(before).filter(({ head }) => ([FrameType.SEND, FrameType.SEND_MANY, FrameType.SEND_ROOM] as number[]).includes(head.type))
    return messages.map(({ payload }) => payload.length < 200 ? payload.toString() : payload.length)
  }

  it('is sent up to 60 MiB as they leave, with its receivers or its room, and beyond that send throws', async () => {
    const test = await harness.start(CODE, { limits: { ...LIMITS, heapMiB: 1_024 } })
    for (const connection of [1, 2, 3]) test.open(connection)
    const max = MAX_MESSAGE_BYTES - 100
    const refused = ['RangeError: a message was longer than 60 MiB (limit turnBytes)']
    expect(await say(test, `socket.send('€'.repeat(23e6))`)).toEqual(refused)
    expect(await say(test, `socket.send('x'.repeat(MAX + 101))`)).toEqual(refused)
    expect(await say(test, `socket.send(new Uint8Array(MAX + 101))`)).toEqual(refused)
    expect(await say(test, `sockets.in('room').send(new Uint8Array(MAX + 70))`)).toEqual(refused)
    expect(await say(test, `socket.send('€'.repeat(20e6))`)).toEqual([60e6, 'sent'])
    expect(await say(test, `socket.send('x'.repeat(MAX))`)).toEqual([max, 'sent'])
    expect(await say(test, `const data = new Uint8Array(MAX); for (let n = 0; n < 3; n++) for (const one of sockets) one.send(data)`)).toEqual([4 + max + 9 * 4, 'sent'])
    expect(await say(test, `sockets.in('room').send(new Uint8Array(MAX), { except: sockets })`)).toEqual([4 + 4 + 4 + 3 * 8 + max, 'sent'])
    expect(test.downs).toEqual([])
  }, 30_000)

  it('has so many receivers at most that its frame can be sent: for more it is sent again', async () => {
    const test = await harness.start(CODE, { limits: LIMITS })
    test.open(1)
    const joined = MAX_JOINED_BYTES / 4
    const [first, second, answer] = await say(test, `const data = new Uint8Array(2048); for (let n = 0; n < ${joined * 1.5}; n++) socket.send(data)`) as [number, number, string]
    expect(first).toBeLessThan(MAX_JOINED_BYTES + 3_000)
    expect((first + second - 2 * (4 + 2048)) / 4).toBe(joined * 1.5)
    expect(answer).toBe('sent')
  }, 30_000)

  it('counts with its bytes, and what is ASCII with one for each unit', async () => {
    const test = await harness.start(CODE, { limits: LIMITS })
    test.open(1)
    expect(await say(test, `for (let n = 0; n < 63; n++) socket.send(n + 'x'.repeat(1024 * 1024))`)).toHaveLength(64)
    expect((await say(test, `for (let n = 0; n < 64; n++) socket.send(n + 'x'.repeat(1024 * 1024))`)).at(-1)).toBe('RangeError: more than 64 MiB were sent at once (limit turnBytes)')
    expect((await say(test, `for (let n = 0; n < 32; n++) socket.send(n + 'ü'.repeat(1024 * 1024))`)).at(-1)).toBe('RangeError: more than 64 MiB were sent at once (limit turnBytes)')
    expect(linesAbout(test, 'turnBytes')).not.toHaveLength(0)
  }, 30_000)
})

describe('a turn that sends all that it may', () => {
  it('acknowledges all handlers that settle in it', async () => {
    const test = await harness.start(`
      const waiting = []
      exports.main = async ({ method, params, socket }) => {
        if (method !== 'WebSocket:message') return
        if (String(params.data) === 'wait') return await new Promise((resolve) => waiting.push(resolve))
        let n = 0
        try { for (;;) socket.send('€'.repeat(1000) + n++) } catch {}
        try { for (;;) socket.send('' + (n++ & 1)) } catch {}
        while (waiting.length > 0) waiting.pop()()
      }`, { limits: { ...LIMITS, handlerMs: 60_000 } })
    test.open(1)
    const events = Array.from({ length: 40 }, () => test.event(FrameType.MESSAGE, 1, 'wait'))
    events.push(test.event(FrameType.MESSAGE, 1, 'go'))
    await test.until((frames) => {
      const all = acknowledged(frames)
      return events.every((event) => all.includes(event))
    })
    expect(test.logs().filter(({ level }) => level === 'error')).toEqual([])
  }, 30_000)
})

describe('messages to rooms in one turn', () => {
  it('have five million receivers at most: one more throws a RangeError, is said once, and counted', async () => {
    const test = await harness.start(`
      const { default: cloud } = require('@lafjs/cloud')
      exports.main = ({ method, params, socket }) => {
        if (method === 'WebSocket:connection') socket.join('room')
        if (method !== 'WebSocket:message') return
        let sent = 0, thrown = ''
        for (let n = 0; n < ${MAX_TURN_DELIVERIES / 1_000 + 50}; n++) try { (n % 2 ? cloud.sockets : cloud.sockets.in('room')).send('x'); sent++ } catch (error) { thrown = error.name + ' ' + error.message }
        socket.send(JSON.stringify([sent, thrown]))
      }`, { limits: LIMITS })
    let last = 0
    for (let connection = 1; connection <= 1_000; connection++) last = test.open(connection)
    await test.until((frames) => acknowledged(frames).includes(last))
    // Both messages come in one turn: the app is held until both wait.
    test.event(FrameType.BACKPRESSURE, 0, '')
    test.event(FrameType.MESSAGE, 1, 'go')
    last = test.event(FrameType.MESSAGE, 1, 'go')
    test.event(FrameType.BACKPRESSURE, 0, '', Flag.END)
    await test.until((frames) => acknowledged(frames).includes(last))
    const most = MAX_TURN_DELIVERIES / 1_000
    expect(test.texts().map((text) => JSON.parse(text))).toEqual([[most, `RangeError messages to rooms had more than ${MAX_TURN_DELIVERIES} receivers in one turn`], [0, expect.stringContaining('RangeError')]])
    expect(framesOf(test, FrameType.SEND_ROOM)).toHaveLength(most)
    await expect(reached(test, 'turnDeliveries', most + 100)).resolves.toBe(most + 100)
    expect(linesAbout(test, 'turnDeliveries')).toHaveLength(1)
  }, 30_000)
})

describe('a limit that is reached in every turn', () => {
  const LOGS_TWICE = `exports.main = () => { console.log('one'); console.log('two') }`

  /** So many messages, each in a turn of its own. */
  async function turns(test: TestApp, count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const event = test.event(FrameType.MESSAGE, 1, 'x')
      await test.until((frames) => acknowledged(frames).includes(event))
    }
  }

  it('is told to the pool now and then, and not with each turn', async () => {
    const test = await harness.start(LOGS_TWICE, { limits: { ...LIMITS, logLinesPerSecond: 0 } })
    test.open(1)
    const start = performance.now()
    await turns(test, 50)
    await expect(reached(test, 'logLinesPerSecond', 102)).resolves.toBe(102)
    expect(told(test, 'logLinesPerSecond').length).toBeLessThanOrEqual(1 + (performance.now() - start) / 100)
  })

  it('is told before stats are', async () => {
    const test = await harness.start(LOGS_TWICE, { limits: { ...LIMITS, logLinesPerSecond: 0 } })
    test.open(1)
    let isSent = false
    // On a slow machine it may be told for its own sake just before.
    for (let tries = 0; tries < 20 && !isSent; tries++) {
      await turns(test, 1)
      const before = test.pool.link.pendingBytes
      const stats = test.app.stats()
      isSent = test.pool.link.pendingBytes > before
      await stats
    }
    expect(isSent).toBe(true)
  })

  it('is told before the end of the isolate', async () => {
    const test = await harness.start(LOGS_TWICE, { limits: { ...LIMITS, logLinesPerSecond: 0 } })
    test.open(1)
    await turns(test, 1)
    test.app.dispose()
    await expect(reached(test, 'logLinesPerSecond', 4)).resolves.toBe(4)
    await test.until(() => test.pool.frames.some(({ head }) => head.type === FrameType.FETCH_ABORT))
    expect(test.pool.frames.at(-1)!.head.type).toBe(FrameType.FETCH_ABORT)
  })
})

describe('a gateway that has much to deliver', () => {
  it('holds the app: no event is begun and no timer runs, until that gateway lets it go on', async () => {
    const test = await harness.start(`exports.main = ({ method, params, socket }) => { if (method !== 'WebSocket:message') return; socket.send('heard ' + params.data); setTimeout(() => socket.send('later'), 1) }`, { gateways: 2 })
    test.open(1)
    const first = test.event(FrameType.MESSAGE, 1, 'a')
    await test.until((frames) => acknowledged(frames).includes(first) && test.texts().length === 2)
    for (const gateway of [0, 1]) test.event(FrameType.BACKPRESSURE, 0, '', 0, gateway)
    test.event(FrameType.MESSAGE, 1, 'b')
    test.event(FrameType.BACKPRESSURE, 0, '', Flag.END, 0)
    // What is not for the app's code goes on: a publish waits for it.
    await expect(test.app.stats()).resolves.toMatchObject({ waiting: 1, running: false })
    await test.app.forget(new Uint8Array([0x01]))
    expect(test.texts()).toEqual(['heard a', 'later'])
    test.event(FrameType.BACKPRESSURE, 0, '', Flag.END, 1)
    await test.until(() => test.texts().length === 4)
    expect(test.texts()).toEqual(['heard a', 'later', 'heard b', 'later'])
  })
})

describe('cloud.shared in one turn', () => {
  it('can have 200,000 entries changed: more throws a RangeError, what was before stays, and the next turn may go on', async () => {
    const test = await harness.start(`
      const { default: cloud } = require('@lafjs/cloud')
      exports.main = ({ method, params, socket }) => {
        if (method !== 'WebSocket:message') return
        const map = new Map()
        for (let n = 0; n < Number(params.data); n++) map.set(n, 0)
        try { cloud.shared.set('key', map); socket.send('kept') } catch (error) { socket.send(error.name + ' ' + error.message) }
      }`, { limits: { ...LIMITS, sharedBytes: 48 * 1024 * 1024 } })
    test.open(1)
    for (const [index, [count, answer]] of ([[10_000, 'kept'], [MAX_TURN_SHARED_CHANGES + 10, `RangeError cloud.shared cannot have more than ${MAX_TURN_SHARED_CHANGES} entries changed in one turn`], [100_000, 'kept']] as const).entries()) {
      const event = test.event(FrameType.MESSAGE, 1, String(count))
      await test.until((frames) => acknowledged(frames).includes(event))
      expect(test.texts()[index]).toBe(answer)
    }
    await expect(reached(test, 'sharedChanges', 1)).resolves.toBe(1)
    expect(linesAbout(test, 'sharedChanges')).toHaveLength(1)
    expect(test.downs).toEqual([])
  }, 30_000)
})
