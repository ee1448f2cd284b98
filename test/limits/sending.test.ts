import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRaw } from '../conformance/support/raw-client.ts'
import { text } from '../conformance/support/frames.ts'
import { connect } from '../support/client.ts'
import type { Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { appWith, expectBounded, startWithNeighbour, tollOf } from './support/load.ts'

/** Clients that do not read what they are sent: sendBufferBytes. */
let platform: Platform
beforeAll(async () => {
  platform = await startWithNeighbour()
})
afterAll(() => platform.close())

const MiB = 1024 * 1024

/** `N`: sends N times 64 KiB, and then says so over HTTP. `all N`: to everybody. */
const SENDER = `
  import cloud from '@lafjs/cloud'
  const data = new Uint8Array(65536)
  export function main(ctx) {
    if (ctx.method === 'WebSocket:close') cloud.shared.set('closes', [...(cloud.shared.get('closes') ?? []), ctx.params.code])
    if (ctx.method !== 'WebSocket:message') return
    const [who, count] = ctx.params.data.toString().split(' ')
    for (let n = 0; n < Number(count); n++) {
      if (who === 'all') cloud.sockets.forEach((socket) => socket.send(data))
      else ctx.socket.send(data)
    }
  }`
const CLOSES = `import cloud from '@lafjs/cloud'; export default () => cloud.shared.get('closes') ?? []`

describe('sendBufferBytes', () => {
  it('a client that does not read is closed with 1013, and memory stays', async () => {
    await appWith(platform, 'slow', { sendBufferBytes: MiB, heapMiB: 256 }, { __websocket__: SENDER, closes: CLOSES })
    const client = await openRaw(platform.gatewayPort, '/slow/__websocket__')
    client.socket.pause()
    const toll = await tollOf(platform, async () => {
      // More than the system takes on its own account.
      for (let n = 0; n < 20; n++) client.write(text('me 16'))
      await until('its close event', async () => (await platform.request('slow', '/closes')).json.length === 1)
    })
    expectBounded(toll, 200)
    client.destroy()
  })

  it('its close says why, to one that reads at last', async () => {
    await appWith(platform, 'late', { sendBufferBytes: MiB, heapMiB: 256 }, { __websocket__: SENDER, closes: CLOSES })
    const client = await openRaw(platform.gatewayPort, '/late/__websocket__')
    client.socket.pause()
    for (let n = 0; n < 20; n++) client.write(text('me 16'))
    await until('the connection is closing', async () => {
      const { json } = await platform.admin('GET', '/apps/late/connections')
      return json.items.length === 0 || json.items[0].buffered > MiB
    })
    client.socket.resume()
    expect(await client.closeFrame()).toEqual({ code: 1013, reason: 'the client reads too slowly' })
    client.destroy()
  })

  it('a broadcast reaches everybody but those who do not read', async () => {
    await appWith(platform, 'all', { sendBufferBytes: MiB, heapMiB: 256 }, { __websocket__: SENDER, closes: CLOSES })
    const deaf = await openRaw(platform.gatewayPort, '/all/__websocket__')
    deaf.socket.pause()
    const readers = await Promise.all(Array.from({ length: 5 }, () => connect(platform.url('all'))))
    const toll = await tollOf(platform, async () => {
      for (let round = 0; round < 20; round++) {
        readers[0]!.send('all 16')
        for (const reader of readers) for (let n = 0; n < 16; n++) expect((await reader.next()).length).toBe(65_536)
      }
      await until('the close event of the deaf', async () => (await platform.request('all', '/closes')).json.length === 1)
    })
    for (const reader of readers) expect(reader.ws.readyState).toBe(reader.ws.OPEN)
    expectBounded(toll, 250)
    deaf.destroy()
    await Promise.all(readers.map((reader) => reader.close()))
  })

  it('pings that are not read do not pile up either', async () => {
    await appWith(platform, 'pings', { sendBufferBytes: MiB })
    const client = await openRaw(platform.gatewayPort, '/pings/__websocket__')
    client.socket.pause()
    const packet = Buffer.concat(Array.from({ length: 500 }, () => pingOf(125)))
    const toll = await tollOf(platform, async () => {
      // 64 MiB of pings ask for 64 MiB of pongs.
      for (let n = 0; n < 1000 && !client.ended; n++) {
        if (!client.socket.write(packet)) await Promise.race([new Promise((done) => client.socket.once('drain', done)), new Promise((done) => setTimeout(done, 200))])
      }
    })
    client.destroy()
    expectBounded(toll, 60)
  })
})

function pingOf(size: number): Buffer {
  const frame = text('x'.repeat(size))
  frame[0] = 0x89
  return frame
}
