import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../support/client.ts'
import type { Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { appWith, expectBounded, logOf, startWithNeighbour, tollOf, type LogItem } from './support/load.ts'

/** Limits of what a function does while it handles a socket's events. */
let platform: Platform
beforeAll(async () => {
  platform = await startWithNeighbour()
})
afterAll(() => platform.close())

/** Does what the message says; `x` is answered. */
const on = (cases: Record<string, string>): string => `
  export async function main(ctx) {
    if (ctx.method !== 'WebSocket:message') return
    const text = ctx.params.data.toString()
    ${Object.entries(cases).map(([name, code]) => `if (text === ${JSON.stringify(name)}) { ${code} }`).join('\n    ')}
    ctx.socket.send(text)
  }`

async function logHas(appid: string, pattern: RegExp): Promise<LogItem> {
  return until(`${pattern} in the log of ${appid}`, async () => (await logOf(platform, appid)).find(({ message }) => pattern.test(message)))
}

describe('logLinesPerSecond and logLineBytes', () => {
  it('a flood of lines is dropped and counted, and costs no one else', async () => {
    await appWith(platform, 'chatty', { logLinesPerSecond: 20 }, { __websocket__: on({ flood: `for (let n = 0; n < 5000; n++) console.log('line ' + n)`, long: `console.log('x'.repeat(100000))` }) })
    const client = await connect(platform.url('chatty'))
    const toll = await tollOf(platform, async () => {
      for (let n = 0; n < 20; n++) {
        client.send('flood')
        expect(await client.next()).toBe('flood')
      }
      // It does not wait for whatever is logged next.
      await until('the line that says how many', async () => {
        return (await logOf(platform, 'chatty')).some(({ message }) => /^\d+ log lines were dropped: the limit is 20 a second \(limit logLinesPerSecond\)$/.test(message))
      })
    })
    expectBounded(toll, 100)
    expect((await platform.admin('GET', '/apps/chatty/stats')).json.logLinesDropped).toBeGreaterThan(50_000)
    const lines = (await logOf(platform, 'chatty')).filter(({ message }) => message.startsWith('line '))
    expect(lines.length).toBeLessThan(1000)
    await client.close()
  })

  it('a long line is cut', async () => {
    await appWith(platform, 'wordy', { logLineBytes: 100 }, { __websocket__: on({ long: `console.log('start' + 'x'.repeat(100000))` }) })
    const client = await connect(platform.url('wordy'))
    client.send('long')
    await client.next()
    expect((await logHas('wordy', /^start/)).message.length).toBeLessThanOrEqual(100)
    await client.close()
  })
})

describe('timers', () => {
  it('one too many throws a RangeError in the handler, and room comes back with clearTimeout', async () => {
    const source = on({
      fill: `globalThis.all = Array.from({ length: 50 }, () => setTimeout(() => {}, 60000))`,
      more: `try { setTimeout(() => {}, 1); ctx.socket.send('set') } catch (error) { ctx.socket.send(error.name) }`,
      clear: `globalThis.all.forEach(clearTimeout)`
    })
    await appWith(platform, 'timers', { timers: 50 }, { __websocket__: source })
    const client = await connect(platform.url('timers'))
    for (const [sent, answers] of [['fill', ['fill']], ['more', ['RangeError', 'more']], ['clear', ['clear']], ['more', ['set', 'more']]] as const) {
      client.send(sent)
      for (const answer of answers) expect(await client.next()).toBe(answer)
    }
    await client.close()
  })

  it('unhandled, it is in the log, and the connection stays', async () => {
    await appWith(platform, 'timeless', { timers: 1 }, { __websocket__: on({ set: `setTimeout(() => {}, 60000); setTimeout(() => {}, 60000)` }) })
    const client = await connect(platform.url('timeless'))
    client.send('set')
    await logHas('timeless', /RangeError/)
    client.send('x')
    expect(await client.next()).toBe('x')
    await client.close()
  })
})

describe('handlerMs', () => {
  it('a handler that never settles is given up, which the log says; the connection stays, and the queue is empty', async () => {
    await appWith(platform, 'waiting', { handlerMs: 200 }, { __websocket__: on({ wait: `await new Promise(() => {})` }) })
    const client = await connect(platform.url('waiting'))
    for (let n = 0; n < 10; n++) client.send('wait')
    await logHas('waiting', /took more than 200 ms/)
    await until('none of them is kept', async () => (await platform.admin('GET', '/apps/waiting/stats')).json.queue.events === 0)
    client.send('x')
    expect(await client.next()).toBe('x')
    expect(client.ws.readyState).toBe(client.ws.OPEN)
    await client.close()
  })
})

describe('handlerMs of an HTTP function', () => {
  const LATE = `export default (ctx) => new Promise((resolve) => setTimeout(() => { console.log('goes on'); resolve('too late') }, 400))`
  const NEVER = `export default () => new Promise(() => {})`
  const HALF = `export default (ctx) => { ctx.response.write('half'); return new Promise(() => {}) }`
  beforeAll(() => appWith(platform, 'late', { handlerMs: 200 }, { late: LATE, never: NEVER, half: HALF, quick: `export default () => 'quick'` }))

  it('the client of one that takes too long gets 500 with the id of its request, and the log has why', async () => {
    const answer = await platform.request('late', '/late')
    expect([answer.status, answer.headers.get('content-type')]).toEqual([500, 'application/json; charset=utf-8'])
    expect(answer.json).toEqual({ error: 'Internal Server Error', requestId: answer.headers.get('request-id') })
    const why = await logHas('late', /took more than 200 ms/)
    expect(why).toMatchObject({ level: 'error', function: 'late', requestId: answer.json.requestId, message: 'the handler took more than 200 ms; what it still does is not waited for (limit handlerMs)' })
  })

  // It was said of whatever had run before: the log showed an error of a request that had none.
  it('that one has taken too long is said of its own request, whatever has run since', async () => {
    const never = platform.request('late', '/never')
    expect((await platform.request('late', '/quick')).text).toBe('quick')
    const { requestId } = (await never).json
    const lines = await until('a line about it', async () => {
      const all = await logOf(platform, 'late', `&requestId=${requestId}`)
      return all.some(({ level, message }) => level === 'error' && message.includes('the handler took too long')) ? all : null
    })
    expect(lines.filter((line) => line.function !== 'never')).toEqual([])
    expect((await logOf(platform, 'late')).filter((line) => line.function === 'quick')).toEqual([])
  })

  it('what it does afterwards it does, and nobody hears of it', async () => {
    const { requestId } = (await platform.request('late', '/late')).json
    const messages = async (): Promise<string[]> => (await logOf(platform, 'late', `&requestId=${requestId}`)).map(({ message }) => message)
    await until('it has gone on', async () => (await messages()).at(-1) === 'goes on')
    // What it returns is no answer any more, and that is no error.
    const next = (await platform.request('late', '/late')).json.requestId
    await until('what came later is in the log', async () => (await logOf(platform, 'late', `&requestId=${next}`)).length > 0)
    expect((await messages()).at(-1)).toBe('goes on')
  })

  it('an answer that has begun ends where it is', async () => {
    expect(await platform.request('late', '/half')).toMatchObject({ status: 200, text: 'half' })
  })

  it('HEAD gets the same without a body; none of them is kept, and each is counted', async () => {
    const before = (await platform.admin('GET', '/apps/late/stats')).json.limits.handlerMs
    expect(await platform.request('late', '/never', { method: 'HEAD' })).toMatchObject({ status: 500, text: '' })
    const { queue, limits } = await until('it is over', async () => {
      const { json } = await platform.admin('GET', '/apps/late/stats')
      return json.queue.events === 0 && json
    })
    expect([queue.events, limits.handlerMs]).toEqual([0, before + 1])
  })
})

describe('turnCpuMs', () => {
  it('a handler that computes for too long loses its isolate; its connection and those of others stay', async () => {
    await appWith(platform, 'busy', { turnCpuMs: 100 }, { __websocket__: on({ loop: `for (;;) {}` }) })
    const [busy, other] = [await connect(platform.url('busy')), await connect(platform.url('busy'))]
    const toll = await tollOf(platform, async () => {
      busy.send('loop')
      await logHas('busy', /more than 100 ms of CPU/)
      busy.send('x')
      other.send('x')
      expect([await busy.next(), await other.next()]).toEqual(['x', 'x'])
    })
    // Its message is delivered again, and ends a second isolate: from then on it has a worker of its own.
    expectBounded(toll, 300)
    expect([busy.ws.readyState, other.ws.readyState]).toEqual([1, 1])
    await busy.close()
    await other.close()
  })

  it('also in the connection handler and in the close handler', async () => {
    await platform.app('ends', { __websocket__: `export function main(ctx) { if (ctx.method !== 'WebSocket:message') for (;;) {} ; ctx.socket.send('x') }` })
    await platform.admin('PATCH', '/apps/ends', { limits: { turnCpuMs: 100 } })
    const client = await connect(platform.url('ends'))
    client.send('x')
    expect(await client.next()).toBe('x')
    await client.close(1000)
    await until('the close event is over', async () => (await platform.admin('GET', '/apps/ends/stats')).json.queue.events === 0)
    const dropped = await until('both are in the log', async () => {
      const lines = (await logOf(platform, 'ends')).filter(({ message }) => /dropped/.test(message))
      return lines.length === 2 && lines.map(({ message }) => /WebSocket:\w+/.exec(message)![0])
    })
    expect(dropped).toEqual(['WebSocket:connection', 'WebSocket:close'])
  })
})

describe('heapMiB', () => {
  it('a handler that takes all memory loses its isolate; its connection stays', async () => {
    await appWith(platform, 'greedy', { heapMiB: 16 }, { __websocket__: on({ grow: `const all = []; for (let n = 0; ; n++) all.push(new Array(1000).fill(n + 0.5))` }) })
    const client = await connect(platform.url('greedy'))
    client.send('grow')
    await until('the log tells', async () => (await logOf(platform, 'greedy', '&level=error')).length > 0)
    client.send('x')
    expect(await client.next()).toBe('x')
    await client.close()
  })
})
