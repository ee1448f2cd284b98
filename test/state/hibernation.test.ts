import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../support/client.ts'
import { LONG } from '../support/long.ts'
import { startPlatform, type Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ args: ['--gateways', '2', '--ping-seconds', '1'] })
})
afterAll(() => platform.close())

/** An app whose isolate is put away after so many milliseconds. */
async function app(appid: string, functions: Record<string, string>, idleMs = 300): Promise<void> {
  await platform.app(appid, functions)
  const { status } = await platform.admin('PATCH', `/apps/${appid}`, { limits: { idleMs } })
  expect(status).toBe(200)
}

async function isHibernated(appid: string): Promise<boolean> {
  return (await platform.admin('GET', `/apps/${appid}/stats`)).json.hibernated
}

const STATE = `
  import cloud from '@lafjs/cloud'
  let life = Math.random()
  export async function main({ method, socket, params, redelivered }) {
    if (method === 'WebSocket:connection') {
      socket.data = { name: 'client ' + cloud.sockets.size }
      socket.join('room')
      if (!cloud.shared.has('users')) cloud.shared.set('users', new Map())
      cloud.shared.get('users').set(socket.data.name, socket)
    }
    if (method === 'WebSocket:message') {
      const users = cloud.shared.get('users')
      const text = params.data.toString()
      if (text === 'timer') setTimeout(() => {}, 1_500)
      if (text === 'listener') socket.on('message', () => {})
      if (text === 'all') cloud.sockets.forEach((one) => one.send('to all'))
      socket.send(JSON.stringify({ life, data: socket.data, rooms: [...socket.rooms], members: cloud.sockets.in('room').size, names: [...users.keys()], same: users.get(socket.data.name) === socket, all: cloud.sockets.size, redelivered }))
    }
    if (method === 'WebSocket:close') {
      cloud.shared.get('users').delete(socket.data.name)
      cloud.shared.set('gone', [...(cloud.shared.get('gone') ?? []), socket.data.name])
    }
  }`

describe('an app that is idle', () => {
  it('loses its isolate, and keeps connections, data, rooms and shared values; the next event wakes it', async () => {
    await app('idle', { __websocket__: STATE })
    const clients = await Promise.all(Array.from({ length: 6 }, () => connect(platform.url('idle'))))
    const [one, two] = clients as [(typeof clients)[0], (typeof clients)[0]]
    // Whose handshake is over, of him the app may not have heard yet.
    const before = await until('the app knows all of them', async () => {
      one.send('look')
      const seen = JSON.parse(String(await one.next()))
      return seen.all === 6 && seen
    })
    await until('it is hibernated', () => isHibernated('idle'))
    one.send('look')
    const after = JSON.parse(String(await one.next()))
    expect(after).toEqual({ ...before, life: expect.any(Number) })
    expect(after.life).not.toBe(before.life)
    expect(after).toMatchObject({ rooms: ['room'], members: 6, same: true, all: 6 })
    expect(after).not.toHaveProperty('redelivered')
    // All clients are reached, at whichever gateway they are.
    await until('it is hibernated', () => isHibernated('idle'))
    two.send('all')
    expect(await Promise.all(clients.map((client) => client.next()))).toEqual(clients.map(() => 'to all'))
    // A client that leaves while it sleeps is heard of.
    await until('it is hibernated', () => isHibernated('idle'))
    await two.close()
    await until('the close event was handled', async () => (await platform.admin('GET', '/apps/idle/shared/gone')).status === 200)
    for (const { ws } of clients) ws.terminate()
  })

  it('answers the pings of its clients, and pings them', async () => {
    await app('pings', { __websocket__: STATE })
    const client = await connect(platform.url('pings'))
    await until('it is hibernated', () => isHibernated('pings'))
    let pongs = 0
    let pings = 0
    client.ws.on('pong', () => pongs++)
    client.ws.on('ping', () => pings++)
    client.ws.ping('hello')
    await until('both', () => pongs > 0 && pings > 1)
    expect(await isHibernated('pings')).toBe(true)
    await client.close()
  })

  it('stays where it is while a timer, a listener or a handler would be lost', async () => {
    await app('busy', { __websocket__: STATE }, 200)
    const client = await connect(platform.url('busy'))
    const lives: number[] = []
    for (const text of ['timer', 'look', 'listener', 'look']) {
      client.send(text)
      lives.push(JSON.parse(String(await client.next())).life)
      if (text !== 'look') await new Promise((resolve) => setTimeout(resolve, 700))
    }
    expect(new Set(lives).size).toBe(1)
    await client.close()
    await until('it is hibernated', () => isHibernated('busy'))
  })

  it('is woken by a request as well, and by many events at once, none of which is lost or doubled', async () => {
    await app('woken', { __websocket__: STATE, count: `import cloud from '@lafjs/cloud'; export default async () => { await cloud.shared.update('n', (n = 0) => n + 1); return { n: cloud.shared.get('n') } }` }, 150)
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect(platform.url('woken'))))
    let requests = 0
    for (let round = 0; round < 5; round++) {
      await until('it is hibernated', () => isHibernated('woken'))
      const answers = await Promise.all([...clients.map(async (client) => (client.send('look'), JSON.parse(String(await client.next())))), ...Array.from({ length: 5 }, () => platform.request('woken', '/count'))])
      requests += 5
      expect(answers.slice(0, 5).every(({ redelivered, all }) => redelivered === undefined && all === 5)).toBe(true)
      expect(answers.slice(5).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    }
    expect((await platform.request('woken', '/count')).json.n).toBe(requests + 1)
    for (const { ws } of clients) ws.terminate()
  })
})

const APPS = LONG ? 200 : 20

it(`${APPS} apps sleep with a connection each, and all answer`, async () => {
  const appids = Array.from({ length: APPS }, (_, index) => `sleeper-${index}`)
  const clients: Awaited<ReturnType<typeof connect>>[] = []
  for (let at = 0; at < appids.length; at += 20) {
    await Promise.all(appids.slice(at, at + 20).map((appid) => app(appid, { __websocket__: STATE }, 500)))
    clients.push(...(await Promise.all(appids.slice(at, at + 20).map((appid) => connect(platform.url(appid))))))
  }
  await until('all are hibernated', async () => {
    const states = await Promise.all(appids.map(isHibernated))
    return states.every(Boolean)
  })
  const answers = await Promise.all(clients.map(async (client) => (client.send('look'), JSON.parse(String(await client.next())))))
  expect(answers.every(({ all, same }) => all === 1 && same)).toBe(true)
  for (const { ws } of clients) ws.terminate()
})
