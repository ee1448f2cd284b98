import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { handshake, openRaw, RawClient } from '../conformance/support/raw-client.ts'
import { connect } from '../support/client.ts'
import type { Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { appWith, ECHO, expectBounded, startWithNeighbour, tollOf } from './support/load.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startWithNeighbour()
  await platform.app('door', { __websocket__: ECHO })
})
afterAll(() => platform.close())

const PATH = '/door/__websocket__'

describe('a handshake that never ends', () => {
  it.each([
    ['nothing at all', ''],
    ['half a request line', 'GET /door'],
    ['headers without an end', handshake({ path: PATH }).slice(0, -2)]
  ])('%s: is answered or ended in 10 to 16 seconds, and hundreds of them cost little', { concurrent: true, timeout: 40_000 }, async (_what, beginning) => {
    const clients = Array.from({ length: 200 }, () => new RawClient(platform.gatewayPort))
    await Promise.all(clients.map(({ socket }) => once(socket, 'connect')))
    const toll = await tollOf(platform, async () => {
      if (beginning !== '') for (const client of clients) client.write(beginning)
      const start = Date.now()
      await Promise.all(clients.map((client) => client.end(25_000)))
      expect(Date.now() - start).toBeGreaterThan(8_000)
    })
    expectBounded(toll, 150)
  })

  it('also when it goes on, an octet now and then', { timeout: 40_000 }, async () => {
    const client = new RawClient(platform.gatewayPort)
    client.write('GET / HTTP/1.1\r\nX-Slow: ')
    const trickle = setInterval(() => client.write('x'), 200)
    await client.end(25_000)
    clearInterval(trickle)
    client.destroy()
  })
})

describe('floods of headers', () => {
  it.each([
    ['one header of 20 KiB', `X-Large: ${'x'.repeat(20 * 1024)}\r\n`],
    ['many headers that are 20 KiB together', Array.from({ length: 1000 }, (_, n) => `X-${n}: ${'x'.repeat(12)}\r\n`).join('')],
    ['a name of 20 KiB', `${'X'.repeat(20 * 1024)}: x\r\n`]
  ])('%s: 431', async (_what, headers) => {
    const client = new RawClient(platform.gatewayPort)
    client.write(handshake({ path: PATH }).slice(0, -2), headers, '\r\n')
    const { status, body } = await client.response()
    expect([status, JSON.parse(body).error.code]).toEqual([431, 'headers_too_large'])
    await client.end()
  })

  it('a URL of 20 KiB: 431 or 414', async () => {
    const client = new RawClient(platform.gatewayPort)
    client.write(handshake({ path: `${PATH}?${'x'.repeat(20 * 1024)}` }))
    expect([414, 431]).toContain((await client.response()).status)
    client.destroy()
  })

  it('headers without an end, megabytes of them, take no memory', async () => {
    const toll = await tollOf(platform, async () => {
      const clients = Array.from({ length: 50 }, () => new RawClient(platform.gatewayPort))
      const part = 'X-More: y\r\n'.repeat(6_000)
      for (const client of clients) client.write('GET / HTTP/1.1\r\n')
      for (let n = 0; n < 20; n++) {
        for (const client of clients) if (!client.ended) client.write(part)
        await sleep(10)
      }
      await Promise.all(clients.map((client) => client.end()))
    })
    expectBounded(toll, 100)
  })
})

describe('connections', () => {
  it('above the limit a client gets 429 before the upgrade, and is let in when another has left', async () => {
    await appWith(platform, 'full', { connections: 3 })
    const clients = [await connect(platform.url('full')), await connect(platform.url('full')), await connect(platform.url('full'))]
    const refused = new RawClient(platform.gatewayPort)
    refused.write(handshake({ path: '/full' }))
    const { status, headers, body } = await refused.response()
    expect([status, JSON.parse(body).error.code, headers['retry-after']]).toEqual([429, 'too_many_connections', '1'])
    await clients.pop()!.close()
    clients.push(await until('there is room', () => connect(platform.url('full')).catch(() => null)))
    clients[0]!.send('still here')
    expect(await clients[0]!.next()).toBe('still here')
    await Promise.all(clients.map((client) => client.close()))
  })

  it('a crowd that comes at once does not get past it', async () => {
    await appWith(platform, 'crowd', { connections: 10 })
    const crowd = await Promise.all(Array.from({ length: 100 }, () => openRaw(platform.gatewayPort, '/crowd').catch((error: Error) => error)))
    const refusals = crowd.filter((one) => one instanceof Error)
    expect(crowd.length - refusals.length).toBe(10)
    expect(refusals.every(({ message }) => message.startsWith('refused with 429'))).toBe(true)
    for (const one of crowd) if (one instanceof RawClient) one.destroy()
    await until('all have left', async () => (await platform.admin('GET', '/apps/crowd/stats')).json.connections === 0)
  })

  it('handshakes that are given up under way do not count', async () => {
    await appWith(platform, 'given-up', { connections: 5 })
    for (let round = 0; round < 20; round++) {
      const clients = Array.from({ length: 5 }, () => new RawClient(platform.gatewayPort))
      for (const client of clients) client.socket.write(handshake({ path: '/given-up' }), () => client.socket.resetAndDestroy())
      await Promise.all(clients.map((client) => client.end()))
    }
    await until('none is counted', async () => (await platform.admin('GET', '/apps/given-up/stats')).json.connections === 0)
    const client = await openRaw(platform.gatewayPort, '/given-up')
    client.destroy()
  })
})
