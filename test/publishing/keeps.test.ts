import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../support/client.ts'
import { LONG } from '../support/long.ts'
import { startPlatform, type Platform } from '../support/platform.ts'

const FIRST = LONG ? 100 : 40
const MORE = LONG ? 400 : 60
/** Each version holds a megabyte: a few of them wait to be collected. */
const MAX_HEAP_MIB = 40
const GROWTH_MIB = 40
/** Its heap grows before it is collected at all (measured: with a collection now and then it stays where it is). */
const CONSOLE_GROWTH_MIB = 120

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform()
})
afterAll(() => platform.close())

async function publish(appid: string, code: string): Promise<void> {
  const { status, text } = await platform.admin('PUT', `/apps/${appid}/functions/__websocket__`, code)
  expect({ status, text }).toMatchObject({ status: 200 })
}

describe('a publish leaves alone', () => {
  it('shared values and sockets, by identity', async () => {
    const version = (n: number): string => `
      import cloud from '@lafjs/cloud'
      let calls = 0
      export async function main(ctx) {
        const shared = cloud.shared
        if (ctx.method === 'WebSocket:connection') {
          const value = { socket: ctx.socket, map: new Map(), self: null }
          value.self = value
          shared.set('value', value)
          shared.set('also', value)
          shared.set('made by', ${n})
        }
        if (ctx.method === 'WebSocket:message') {
          const value = shared.get('value')
          value.map.set(${n}, (value.map.get(${n}) ?? 0) + 1)
          calls++
          ctx.socket.send(JSON.stringify({ version: ${n}, calls, socket: value.socket === ctx.socket, also: shared.get('also') === value, self: value.self === value, by: shared.get('made by'), map: [...value.map] }))
        }
      }`
    await platform.app('identity', { __websocket__: version(1) })
    const client = await connect(platform.url('identity'))
    const ask = async (): Promise<unknown> => {
      client.send('?')
      return JSON.parse(String(await client.next()))
    }
    const same = { socket: true, also: true, self: true, by: 1 }
    expect(await ask()).toEqual({ version: 1, calls: 1, ...same, map: [[1, 1]] })
    await publish('identity', version(2))
    expect(await ask()).toEqual({ version: 2, calls: 1, ...same, map: [[1, 1], [2, 1]] })
    expect(await ask()).toEqual({ version: 2, calls: 2, ...same, map: [[1, 1], [2, 2]] })
    const back = await platform.admin('POST', '/apps/identity/functions/__websocket__/rollback', { version: 1 })
    expect(back.json).toMatchObject({ version: 3 })
    expect(await ask()).toEqual({ version: 1, calls: 1, ...same, map: [[1, 2], [2, 2]] })
    await client.close()
  })

  it('timers, listeners and handlers of the old version, which go on until they end', async () => {
    const old = `
      let ticks = 0
      export async function main(ctx) {
        const { socket } = ctx
        if (ctx.method === 'WebSocket:connection') {
          socket.on('message', (data) => socket.send('old listener ' + data))
          const timer = setInterval(() => {
            socket.send('old tick ' + ++ticks)
            if (globalThis.stop) clearInterval(timer)
          }, 20)
        }
        if (ctx.method === 'WebSocket:message' && String(ctx.params.data) === 'wait') {
          await new Promise((resolve) => (globalThis.go = resolve))
          socket.send('old handler')
        }
      }`
    const next = `
      export const main = (ctx) => {
        if (ctx.method !== 'WebSocket:message') return
        if (String(ctx.params.data) === 'go') globalThis.go()
        if (String(ctx.params.data) === 'stop') globalThis.stop = true
        ctx.socket.send('new handler ' + ctx.params.data)
      }`
    await platform.app('goes-on', { __websocket__: old })
    const client = await connect(platform.url('goes-on'))
    client.send('wait')
    await client.nextMatching(/^old listener wait$/)
    await publish('goes-on', next)
    await client.nextMatching(/^old tick/)
    client.send('go')
    const seen: string[] = []
    while (!['old handler', 'old listener go', 'new handler go'].every((text) => seen.includes(text))) seen.push(String(await client.next()))
    await client.nextMatching(/^old tick/)
    client.send('stop')
    await client.nextMatching(/^new handler stop$/)
    await client.close()
  })
})

it('code that relies on shared values while it loads is tried with a copy of them, and changes nothing there', async () => {
  await platform.app('relies', { __websocket__: `import cloud from '@lafjs/cloud'; export const main = ({ socket }) => { cloud.shared.set('config', new Map([['name', 'first'], ['socket', socket]])); socket.send('set') }` })
  const client = await connect(platform.url('relies'))
  expect(await client.next()).toBe('set')
  await publish('relies', `
    import cloud from '@lafjs/cloud'
    const config = cloud.shared.get('config')
    const name = config.get('name')
    config.set('loads', (config.get('loads') ?? 0) + 1)
    const state = config.get('socket').readyState
    export const main = ({ socket }) => socket.send([name, config.get('loads'), state, config.get('socket') === socket].join())`)
  client.send('?')
  // It was loaded twice, and only the second time is what counts.
  expect(await client.next()).toBe('first,1,1,true')
  const { status, json } = await platform.admin('PUT', '/apps/relies/functions/__websocket__', `import cloud from '@lafjs/cloud'; cloud.shared.get('nothing').x; export const main = () => {}`)
  expect(status).toBe(422)
  expect(json.error.message).toMatch(/Cannot read properties of undefined/)
  await client.close()
})

describe('memory', () => {
  it(`does not grow over ${FIRST + MORE} publishes`, async () => {
    const bulk = 'x'.repeat(20_000)
    const version = (n: number): string => `
      const held = new Array(128 * 1024).fill(${n})
      export const text = '${bulk} ${n}'
      export const main = (ctx) => ctx.socket?.send(${n} + ' ' + held[7])`
    await platform.app('grows', { __websocket__: version(0) })
    const client = await connect(platform.url('grows'))
    await client.next()
    /** MiB: the heap of the isolate, and each process. */
    const used = async (): Promise<Record<string, number>> => {
      const { json: stats } = await platform.admin('GET', '/apps/grows/stats')
      const rss = Object.fromEntries((await platform.processes()).map(({ kind, rssBytes }) => [kind, rssBytes / 2 ** 20]))
      // An isolate that is full is replaced, and its heap is small again.
      expect(stats.restarts).toBe(0)
      return { heap: stats.heapBytes / 2 ** 20, ...rss }
    }
    let last = 0
    const publishMany = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        await publish('grows', version(++last))
        client.send('?')
        expect(await client.next()).toBe(`${last} ${last}`)
      }
    }
    await publishMany(FIRST)
    const before = await used()
    await publishMany(MORE)
    const after = await used()
    expect(after.heap).toBeLessThan(MAX_HEAP_MIB)
    for (const [kind, mebibytes] of Object.entries(after)) expect(mebibytes - before[kind]!, `${kind}, MiB more than before`).toBeLessThan(kind === 'console' ? CONSOLE_GROWTH_MIB : GROWTH_MIB)
    await client.close()
  }, 120_000)
})
