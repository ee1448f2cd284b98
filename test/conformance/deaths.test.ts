import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../support/client.ts'
import { startPlatform, type Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { binary, close, frame, fragments, Opcode, text } from './support/frames.ts'
import { handshake, openRaw, RawClient } from './support/raw-client.ts'

/**
 * Keeps what happens to each client, by the name in its URL, in cloud.shared and in the log: that is still there when the app
 * is not. The name is an extra property of the socket, so that the events of one connection are known to be of one.
 */
const RECORDER = `
  import cloud from '@lafjs/cloud'
  export function main(ctx) {
    const { socket, method, params } = ctx
    const all = cloud.shared.get('events') ?? new Map()
    cloud.shared.set('events', all)
    if (method === 'WebSocket:connection') socket.who ??= new URL(ctx.url, 'http://x').searchParams.get('who')
    const told = [method.slice('WebSocket:'.length)]
    if (method === 'WebSocket:message') told.push(params.isBinary ? params.data.length : params.data.toString())
    if (method === 'WebSocket:error') told.push(params.code)
    if (method === 'WebSocket:close') told.push(params.code, params.reason.toString(), socket.readyState, cloud.sockets.has(socket) ? 'still in cloud.sockets' : 'gone')
    all.set(socket.who, [...(all.get(socket.who) ?? []), told.join(' ')])
    console.log(socket.who + ': ' + told.join(' '))
    const order = method === 'WebSocket:message' && !params.isBinary ? params.data.toString() : ''
    if (order.startsWith('close')) socket.close(...order.split(' ').slice(1).map((part, index) => (index === 0 ? Number(part) : part)))
    if (order === 'terminate') socket.terminate()
  }`
const EVENTS = `
  import cloud from '@lafjs/cloud'
  export default (ctx) => ({ events: cloud.shared.get('events')?.get(ctx.query.who) ?? [], sockets: cloud.sockets.size })`

let platform: Platform
let count = 0
beforeAll(async () => {
  platform = await startPlatform()
  await newApp('deaths')
})
afterAll(() => platform.close())

async function newApp(appid: string, limits: Record<string, number> = {}): Promise<void> {
  await platform.app(appid, { __websocket__: RECORDER, events: EVENTS })
  await platform.admin('PATCH', `/apps/${appid}`, { limits: { messageBytes: 1000, logLinesPerSecond: 100_000, idleMs: 60_000, ...limits } })
}

interface Named {
  who: string
  path: string
}

function named(appid = 'deaths'): Named {
  const who = `client-${++count}`
  return { who, path: `/${appid}/__websocket__?who=${who}` }
}

async function eventsOf(who: string, appid = 'deaths'): Promise<string[]> {
  return (await platform.request(appid, `/events?who=${who}`)).json.events
}

/** All of a client's events, once it has closed, and after that what comes until a later client has come and gone. */
async function allEvents(who: string, appid = 'deaths'): Promise<string[]> {
  await until(`the close event of ${who}`, async () => (await eventsOf(who, appid)).some((event) => event.startsWith('close')))
  const later = named(appid)
  const client = await openRaw(platform.gatewayPort, later.path)
  client.write(close(1000))
  await until('the close event of a later one', async () => (await eventsOf(later.who, appid)).length === 2)
  return eventsOf(who, appid)
}

async function connectionIds(appid: string): Promise<string[]> {
  const { json } = await platform.admin('GET', `/apps/${appid}/connections`)
  return json.items.map(({ id }: { id: string }) => id)
}

/** How it dies, and what the function hears between its connection event and the end. */
const DEATHS: [string, (client: RawClient) => Promise<void> | void, string[]][] = [
  ['a close without a code', (client) => client.write(close()), ['close 1005  3 gone']],
  ['a close with a code', (client) => client.write(close(1000)), ['close 1000  3 gone']],
  ['a close with a code and a reason', (client) => client.write(close(4321, 'tschüß')), ['close 4321 tschüß 3 gone']],
  ['messages and a close in one packet', (client) => client.writeTogether(text('a'), binary(Buffer.of(1, 2)), close(3000)), ['message a', 'message 2', 'close 3000  3 gone']],
  ['an end without a close', (client) => void client.socket.end(), ['close 1006  3 gone']],
  ['a message and an end without a close', (client) => void client.socket.end(text('last words')), ['message last words', 'close 1006  3 gone']],
  ['a reset', (client) => void client.socket.resetAndDestroy(), ['close 1006  3 gone']],
  ['an end within a frame', (client) => void client.socket.end(text('x'.repeat(100)).subarray(0, 50)), ['close 1006  3 gone']],
  ['an end within fragments', (client) => void client.socket.end(fragments(Opcode.TEXT, ['a', 'b'])[0]!), ['close 1006  3 gone']],
  ['reserved bits', (client) => client.write(text('x', { rsv: 2 })), ['error WS_ERR_UNEXPECTED_RSV_2_3', 'close 1006  3 gone']],
  ['a reserved opcode behind a message', (client) => client.write(text('a'), frame(5)), ['message a', 'error WS_ERR_INVALID_OPCODE', 'close 1006  3 gone']],
  ['a frame without a mask', (client) => client.write(text('x', { mask: null })), ['error WS_ERR_EXPECTED_MASK', 'close 1006  3 gone']],
  ['invalid UTF-8', (client) => client.write(text(Buffer.of(0xff))), ['error WS_ERR_INVALID_UTF8', 'close 1006  3 gone']],
  ['an invalid close code', (client) => client.write(close(1005)), ['error WS_ERR_INVALID_CLOSE_CODE', 'close 1006  3 gone']],
  ['a message that is too large', (client) => client.write(binary(Buffer.alloc(1001))), ['error WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'close 1006  3 gone']],
  ['a violation and a reset', (client) => {
    client.write(frame(15))
    client.socket.resetAndDestroy()
  }, ['close 1006  3 gone']],
  ['a close by the function, which the client answers', async (client) => {
    client.write(text('close 4001 enough'))
    await client.closeFrame()
    client.write(close(4001, 'enough'))
  }, ['message close 4001 enough', 'close 4001 enough 3 gone']],
  ['a close by the function, which the client answers with another code', async (client) => {
    client.write(text('close 4001'))
    await client.closeFrame()
    client.write(close(4002))
  }, ['message close 4001', 'close 4002  3 gone']],
  ['a close by the function, which the client answers with its end', async (client) => {
    client.write(text('close 4001'))
    await client.closeFrame()
    client.socket.end()
  }, ['message close 4001', 'close 1006  3 gone']],
  ['terminate by the function', (client) => client.write(text('terminate')), ['message terminate', 'close 1006  3 gone']],
  ['a close by the admin REST', async (client) => {
    for (const id of await connectionIds('by-admin')) expect((await platform.admin('DELETE', `/apps/by-admin/connections/${id}?code=4100&reason=moved`)).status).toBe(204)
    expect(await client.closeFrame()).toEqual({ code: 4100, reason: 'moved' })
    client.write(close(4100, 'moved'))
  }, ['close 4100 moved 3 gone']]
]

describe('however a connection dies, its close event comes once, and last', () => {
  it.each(DEATHS)('%s', async (what, die, expected) => {
    const appid = what.includes('admin') ? 'by-admin' : 'deaths'
    if (appid !== 'deaths') await newApp(appid)
    const { who, path } = named(appid)
    const client = await openRaw(platform.gatewayPort, path)
    await until('the connection event', async () => (await eventsOf(who, appid)).length === 1)
    await die(client)
    const events = await allEvents(who, appid)
    // A reset may overtake what was written before it: then ws never saw the violation.
    if (what === 'a violation and a reset' && events.length === 3) expect(events[1]).toBe('error WS_ERR_INVALID_OPCODE')
    else expect(events).toEqual(['connection', ...expected])
    client.destroy()
  })

  it('a client that never answers the close of the function is ended after ten seconds', async () => {
    const { who, path } = named()
    const client = await openRaw(platform.gatewayPort, path)
    client.write(text('close 4001'))
    expect((await client.closeFrame())?.code).toBe(4001)
    await client.end(20_000)
    expect(await allEvents(who)).toEqual(['connection', 'message close 4001', 'close 1006  3 gone'])
  })

  it('a suspended app hears of the close of its clients', async () => {
    await newApp('suspended')
    const { who, path } = named('suspended')
    const client = await openRaw(platform.gatewayPort, path)
    await until('the connection event', async () => (await eventsOf(who, 'suspended')).length === 1)
    const answered = client.closeFrame().then((answer) => {
      client.write(close(1001))
      return answer
    })
    await platform.admin('PATCH', '/apps/suspended', { state: 'suspended' })
    expect(await answered).toEqual({ code: 1001, reason: 'the app is suspended' })
    await client.end()
    const lines = await until('the log of the close', async () => {
      const { json } = await platform.admin('GET', '/apps/suspended/logs')
      const messages: string[] = json.items.map(({ message }: { message: string }) => message)
      return messages.some((message) => message.includes(' close ')) ? messages : null
    }, 5_000)
    expect(lines.toReversed()).toEqual([`${who}: connection`, `${who}: close 1001  3 gone`])
  })

  it('the clients of a deleted app are closed with 1001', async () => {
    await newApp('deleted')
    const client = await openRaw(platform.gatewayPort, named('deleted').path)
    expect((await platform.admin('DELETE', '/apps/deleted')).status).toBe(204)
    expect((await client.closeFrame())?.code).toBe(1001)
    client.write(close(1001))
    await client.end()
  })
})

describe('a connection that closes before its connection handler has run', () => {
  const SHORT: [string, (client: RawClient, path: string) => void, RegExp][] = [
    ['handshake and close in one packet', (client, path) => client.writeTogether(handshake({ path }), close(4000, 'bye')), /^connection,close 4000 bye 3 gone$/],
    ['handshake, message and close in one packet', (client, path) => client.writeTogether(handshake({ path }), text('hi'), close(4000)), /^connection,message hi,close 4000 {2}3 gone$/],
    ['handshake and violation in one packet', (client, path) => client.writeTogether(handshake({ path }), frame(7)), /^connection,error WS_ERR_INVALID_OPCODE,close 1006 {2}3 gone$/]
  ]

  it.each(SHORT)('%s, a hundred times at once', async (_what, act, expected) => {
    const clients = Array.from({ length: 100 }, () => ({ ...named(), client: new RawClient(platform.gatewayPort) }))
    for (const { client, path } of clients) act(client, path)
    await Promise.all(clients.map(({ client }) => client.end()))
    for (const { who } of clients) expect(String(await allEventsQuick(who))).toMatch(expected)
    await until('no connection is left', async () => (await platform.request('deaths', '/events')).json.sockets === 0)
  })

  it('a reset right after the handshake: both events or none', async () => {
    const clients = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const { who, path } = named()
        return { who, client: await openRaw(platform.gatewayPort, path) }
      })
    )
    for (const { client } of clients) client.socket.resetAndDestroy()
    for (const { who } of clients) expect(await allEventsQuick(who)).toEqual(['connection', 'close 1006  3 gone'])
  })

  it('also where the isolate has to start first', async () => {
    await newApp('cold')
    await platform.admin('POST', '/apps/cold/restart')
    const { who, path } = named('cold')
    const client = new RawClient(platform.gatewayPort)
    client.writeTogether(handshake({ path }), close(4000))
    await client.end()
    expect(await allEvents(who, 'cold')).toEqual(['connection', 'close 4000  3 gone'])
  })

  it('also where the connection handler waits: close comes after it began, once', async () => {
    const slow = RECORDER.replace('export function main', 'export async function main').replace('const order', `if (method === 'WebSocket:connection') await new Promise((done) => setTimeout(done, 100))\n    const order`)
    await platform.app('slow', { __websocket__: slow, events: EVENTS })
    const { who, path } = named('slow')
    const client = new RawClient(platform.gatewayPort)
    client.writeTogether(handshake({ path }), close(4000))
    await client.end()
    expect(await allEvents(who, 'slow')).toEqual(['connection', 'close 4000  3 gone'])
  })

  async function allEventsQuick(who: string): Promise<string[]> {
    return until(`the close event of ${who}`, async () => {
      const events = await eventsOf(who)
      return events.some((event) => event.startsWith('close')) ? events : null
    })
  }
})

describe('the count of connections', () => {
  it('is what it was, after all of this', async () => {
    await until('none is left', async () => (await platform.admin('GET', '/apps/deaths/stats')).json.connections === 0)
    expect(await connectionIds('deaths')).toEqual([])
    expect((await platform.request('deaths', '/events')).json.sockets).toBe(0)
    const { json } = await platform.admin('GET', '/apps/deaths/stats')
    expect(json.events.close).toBe(json.events.connection)
    expect(json.queue).toEqual({ events: 0, bytes: 0 })
  })
})

describe('a peer that is half open', () => {
  it('is pinged, and is gone when nothing comes back: with 1006, once and last, while who answers stays', async () => {
    const pinging = await startPlatform({ args: ['--ping-seconds', '1'] })
    try {
      await pinging.app('halfopen', { __websocket__: RECORDER, events: EVENTS })
      const silent = await openRaw(pinging.gatewayPort, '/halfopen/__websocket__?who=silent')
      const lively = await connect(pinging.url('halfopen', '/__websocket__?who=lively'))
      const eventsFor = async (who: string): Promise<string[]> => (await pinging.request('halfopen', `/events?who=${who}`)).json.events
      await until('the silent peer is gone', async () => (await eventsFor('silent')).length === 2)
      expect(await eventsFor('silent')).toEqual(['connection', 'close 1006  3 gone'])
      lively.send('still here')
      await until('the other one is heard', async () => (await eventsFor('lively')).length === 2)
      expect(await eventsFor('lively')).toEqual(['connection', 'message still here'])
      silent.destroy()
      await lively.close()
    } finally {
      await pinging.close()
    }
  })
})
