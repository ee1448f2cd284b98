import { connect as connectSocket, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRaw, RawClient } from '../conformance/support/raw-client.ts'
import { close, text } from '../conformance/support/frames.ts'
import { connect } from '../support/client.ts'
import { startPlatform, type Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { ECHO } from './support/load.ts'

/** A gateway that may open few files: new clients are refused when they are as many as it can take, the others go on, and it recovers. */
let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ openFiles: 256 })
  await platform.app('few', { __websocket__: ECHO, push: `import cloud from '@lafjs/cloud'; export default () => cloud.sockets.size` })
})
afterAll(() => platform.close())

async function gatewayPid(): Promise<number> {
  return (await platform.processes('gateway'))[0]!.pid
}

describe('running out of file descriptors', () => {
  it('refuses new clients, serves the others, does not end, and recovers', async () => {
    const pid = await gatewayPid()
    const first = await connect(platform.url('few'))
    // Not all at once: the backlog takes what is not accepted yet, which is no refusal.
    const clients: RawClient[] = []
    const idle: RawClient[] = []
    for (let n = 0; n < 300; n++) {
      const client = await openRaw(platform.gatewayPort, '/few/__websocket__').catch(() => null)
      if (client === null) break
      clients.push(client)
    }
    expect(clients.length).toBeGreaterThan(100)
    expect(clients.length).toBeLessThan(256)
    // A crowd of those who want in and are not let in.
    for (let n = 0; n < 300; n++) idle.push(new RawClient(platform.gatewayPort))
    await Promise.all(idle.map((client) => client.end()))
    expect(platform.errors()).toContain('gateway: refusing clients: 192 connections are open')
    for (let n = 0; n < 20; n++) {
      first.send(`still ${n}`)
      expect(await first.next()).toBe(`still ${n}`)
    }
    for (const client of clients) client.write(text('and you'))
    for (const client of clients) expect(await client.message()).toBe('and you')
    // Publishing, which needs descriptors too, goes on.
    expect((await platform.admin('PUT', '/apps/few/functions/other', `export default () => 'x'`)).status).toBe(201)
    for (const client of clients) client.write(close(1000))
    await Promise.all(clients.map((client) => client.end()))
    const again = await until('new clients are let in again', () => connect(platform.url('few')).catch(() => null))
    again.send('back')
    expect(await again.next()).toBe('back')
    expect(await gatewayPid()).toBe(pid)
    await again.close()
    await first.close()
  })

  // The link of the new worker needs a descriptor. Without some that are kept free (`maxConnections`), whoever wants in is
  // given the one that the dead worker leaves, the link is refused, and nobody is answered any more.
  it('a worker that dies then is replaced, although others wait to get in, and the clients stay', async () => {
    const clients: RawClient[] = []
    for (let n = 0; n < 300; n++) {
      const client = await openRaw(platform.gatewayPort, '/few/__websocket__').catch(() => null)
      if (client === null) break
      clients.push(client)
    }
    const disperse = crowd(platform.gatewayPort, 50)
    for (const { pid: worker } of await platform.processes('worker')) process.kill(worker, 'SIGKILL')
    for (const client of clients) client.write(text('after'))
    for (const client of clients) expect(await client.message()).toBe('after')
    disperse()
    for (const client of clients) client.destroy()
    await until('they are gone', async () => (await platform.admin('GET', '/apps/few/stats')).json.connections === 0)
  })
})

/** So many who want in, stay if they are let in, and come again at once if not. Returns what ends that. */
function crowd(port: number, count: number): () => void {
  let over = false
  const all = new Set<Socket>()
  const come = (): void => {
    const socket = connectSocket(port, '127.0.0.1')
    all.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      all.delete(socket)
      if (!over) come()
    })
  }
  for (let n = 0; n < count; n++) come()
  return () => {
    over = true
    for (const socket of all) socket.destroy()
  }
}
