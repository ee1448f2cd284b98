import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect, type Client } from './support/client.ts'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'

/** The sockets of an app are at two gateways; for its function they are one set. */
let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ args: ['--gateways', '2'] })
})
afterAll(() => platform.close())

const FUNCTION = `
  import cloud from '@lafjs/cloud'
  export function main(ctx) {
    if (ctx.method !== 'WebSocket:message') return
    const [what, size] = ctx.params.data.toString().split(' ')
    const data = what === 'text' ? 'ö'.repeat(size) : Buffer.alloc(Number(size), 7)
    for (const socket of cloud.sockets) socket.send('before')
    for (const socket of cloud.sockets) socket.send(data)
    for (const socket of cloud.sockets) socket.send('after')
  }`

it('a plain loop reaches all of them, whole and in order', async () => {
  await platform.app('spread', { __websocket__: FUNCTION, size: `import cloud from '@lafjs/cloud'; export default () => cloud.sockets.size` })
  const clients: Client[] = []
  for (let n = 0; n < 40; n++) clients.push(await connect(platform.url('spread')))
  await until('the function knows all of them', async () => (await platform.request('spread', '/size')).json === 40)
  for (const [what, size] of [['text', 10], ['text', 50_000], ['bytes', 10], ['bytes', 50_000]] as const) {
    clients[0]!.send(`${what} ${size}`)
    for (const client of clients) {
      expect(await client.next()).toBe('before')
      expect(await client.next()).toEqual(what === 'text' ? 'ö'.repeat(size) : Buffer.alloc(size, 7))
      expect(await client.next()).toBe('after')
    }
  }
  await Promise.all(clients.map((client) => client.close()))
})

/**
 * All workers are linked with all gateways, and end with any of them. An app that has a worker of its own was not started anew then, but given up with
 * "no worker of its own could be started" until a gateway asked for it again: the one that was to be linked with it was not back yet.
 */
it('the death of a gateway is waited for also by an app that has a worker of its own', async () => {
  await platform.app('private', { __websocket__: `export const main = ({ method, params, socket }) => method === 'WebSocket:message' && socket.send(params.data)`, hello: `export default () => 'hello'` })
  await platform.admin('PATCH', '/apps/private', { limits: { dedicatedWorker: 1 } })
  const clients: Client[] = []
  for (let n = 0; n < 20; n++) clients.push(await connect(platform.url('private')))
  const gateway = (await platform.admin('GET', '/platform')).json.processes.find(({ kind }: { kind: string }) => kind === 'gateway')
  process.kill(gateway.pid, 'SIGKILL')
  const left = await until('its clients are gone', () => {
    const there = clients.filter(({ ws }) => ws.readyState === ws.OPEN)
    return there.length < clients.length ? there : null
  })
  // The other gateway takes it, and waits as it would for an app that has none of its own.
  expect((await platform.request('private', '/hello')).status).toBe(200)
  for (const client of left) {
    client.send('here')
    expect(String(await client.next())).toBe('here')
  }
  expect(platform.errors()).not.toContain('no worker of its own')
  await Promise.all(left.map((client) => client.close()))
})
