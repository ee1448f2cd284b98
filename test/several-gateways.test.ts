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
