import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect, type Client } from './support/client.ts'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'

/** The example of the project's users, word for word, where it lies beside the checkout. */
const EXAMPLES = new URL('../../shared/examples/', import.meta.url)
const hasExamples = existsSync(EXAMPLES)
const example = (name: string): string => readFileSync(new URL(name, EXAMPLES), 'utf8')
const sample = (name: string): string => readFileSync(new URL(`../packages/cloud/samples/demo/${name}`, import.meta.url), 'utf8')

const CLIENTS = 500

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ demo: true })
})
afterAll(() => platform.close())

describe.skipIf(!hasExamples)("the users' own example", () => {
  const push = (userId: string): string => example('push.ts').replace("const userID = ''", `const userID = ${JSON.stringify(userId)}`)
  const idIn = (message: unknown): string => /userID是：(\w+)$/.exec(String(message))![1]!

  it('runs as it stands: each client gets its id, its answer, and what the HTTP function pushes', async () => {
    await platform.admin('POST', '/apps', { appid: 'example' })
    const put = await platform.admin('PUT', '/apps/example/functions/__websocket__', example('chat.ts'))
    expect(put).toMatchObject({ status: 201, json: { name: '__websocket__', version: 1 } })
    const clients = [await connect(platform.url('example')), await connect(platform.url('example'))]
    const ids: string[] = []
    for (const client of clients) ids.push(idIn(await client.next()))
    expect(ids[0]).not.toBe(ids[1])
    for (const [index, client] of clients.entries()) {
      client.send('hi')
      expect(await client.next()).toBe(`服务端已接收到消息事件,你的userID是：${ids[index]}`)
    }
    await platform.admin('PUT', '/apps/example/functions/push', push(ids[1]!))
    expect((await platform.request('example', '/push')).status).toBe(200)
    expect(await clients[1]!.next()).toBe('消息测试')
    expect(clients[0]!.waiting).toBe(0)
    const logs = await until('the log has the messages', async () => {
      const { json } = await platform.admin('GET', '/apps/example/logs?function=__websocket__')
      return json.items.length >= 2 && json.items
    })
    expect(logs.map((entry: { message: string }) => entry.message)).toEqual(['接收到的信息： hi', '接收到的信息： hi'])
    await Promise.all(clients.map((client) => client.close()))
  })

  it('publishes the other version of it without closing a connection', async () => {
    const client = await connect(platform.url('example'))
    await client.next()
    const put = await platform.admin('PUT', '/apps/example/functions/__websocket__', example('echo.ts'))
    expect(put).toMatchObject({ status: 200, json: { version: 2 } })
    client.send('hi')
    expect(await client.next()).toBe('I have received your message')
    await client.close()
  })

  it(`keeps the id of each of ${CLIENTS} clients that connect at once, reaches each, and forgets each that leaves`, async () => {
    const pushToAny = example('push.ts').replace("const userID = ''", 'const userID = ctx.query.id')
    await platform.app('crowd', { __websocket__: example('chat.ts'), push: pushToAny, size: SIZE })
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connect(platform.url('crowd'))))
    const ids = await Promise.all(clients.map(async (client) => idIn(await client.next())))
    expect(new Set(ids).size).toBe(CLIENTS)
    expect((await platform.request('crowd', '/size')).json).toEqual({ wsMap: CLIENTS })
    await inGroups(ids, (id) => platform.request('crowd', `/push?id=${id}`))
    for (const client of clients) expect(await client.next()).toBe('消息测试')
    await closeAll(clients)
    await until('the Map is empty again', async () => (await platform.request('crowd', '/size')).json.wsMap === 0)
  })
})

describe('the sample app', () => {
  it('is there after the first start, and whispers to whom the HTTP function names', async () => {
    const one = await connect(platform.url('demo'))
    const name = /^Welcome, (\S+)!/.exec(String(await one.next()))![1]!
    const two = await connect(platform.url('demo'))
    await two.next()
    expect(await one.next()).toMatch(/^\S+ has joined\.$/)
    two.send('hello')
    expect(await two.next()).toMatch(/^You \(\S+\) said: hello$/)
    expect(await one.next()).toMatch(/^\S+: hello$/)
    const whispered = await platform.request('demo', `/whisper?to=${name}&text=psst`)
    expect(whispered).toMatchObject({ status: 200, json: { sent: true } })
    expect(await one.next()).toBe('(whispered) psst')
    expect((await platform.request('demo', '/whisper?to=nobody&text=x')).status).toBe(404)
    await two.close()
    expect(await one.next()).toMatch(/has left\.$/)
    await one.close()
  })

  it(`holds with ${CLIENTS} clients that connect at once`, async () => {
    await platform.app('lobby', { __websocket__: sample('__websocket__.ts'), whisper: sample('whisper.ts'), size: SIZE })
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connect(platform.url('lobby'))))
    const names = await Promise.all(clients.map(async (client) => /^Welcome, (\S+)!/.exec(await client.nextMatching(/^Welcome/))![1]!))
    expect(new Set(names).size).toBe(CLIENTS)
    expect((await platform.request('lobby', '/size')).json).toEqual({ lobby: CLIENTS })
    await inGroups(names, async (name, index) => {
      expect((await platform.request('lobby', `/whisper?to=${name}&text=${index}`)).status).toBe(200)
    })
    for (const [index, client] of clients.entries()) expect(await client.nextMatching(/^\(whispered/)).toBe(`(whispered) ${index}`)
    await closeAll(clients)
    await until('the lobby is empty again', async () => (await platform.request('lobby', '/size')).json.lobby === 0)
  })
})

describe('reaching an app', () => {
  it('works by Host as well as by path, and any path upgrades', async () => {
    const source = `export function main(ctx) { ctx.socket.send(ctx.url) }`
    await platform.app('hosted', { __websocket__: source, hello: `export default () => 'hello by host'` })
    const byHost = await connect(`${platform.gateway.replace('http', 'ws')}/any/path?x=1`, { headers: { host: 'hosted.localhost' } })
    expect(await byHost.next()).toBe('/any/path?x=1')
    const byPath = await connect(platform.url('hosted', '/other?y=2'))
    expect(await byPath.next()).toBe('/other?y=2')
    await byHost.close()
    await byPath.close()
  })
})

/** Tells the size of each Map in cloud.shared. */
const SIZE = `
  import cloud from '@lafjs/cloud'
  export default () => Object.fromEntries([...cloud.shared].map(([key, map]) => [key, map.size]))
`

async function inGroups<T>(items: T[], each: (item: T, index: number) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < items.length; start += 50) await Promise.all(items.slice(start, start + 50).map((item, offset) => each(item, start + offset)))
}

async function closeAll(clients: Client[]): Promise<void> {
  await Promise.all(clients.map((client) => client.close()))
}
