import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { binary, close, Opcode, text } from '../conformance/support/frames.ts'
import { openRaw, type RawClient } from '../conformance/support/raw-client.ts'
import { connect } from '../support/client.ts'
import type { Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { appWith, expectBounded, startWithNeighbour, tollOf } from './support/load.ts'

/** Clients that send more than they may, or more than the app takes: API.md, Limits. */
let platform: Platform
beforeAll(async () => {
  platform = await startWithNeighbour()
})
afterAll(() => platform.close())

const MiB = 1024 * 1024
const pathOf = (appid: string): string => `/${appid}/__websocket__`
const stats = async (appid: string): Promise<{ events: Record<string, number>; queue: { events: number; bytes: number }; limits: Record<string, number> }> => (await platform.admin('GET', `/apps/${appid}/stats`)).json

describe('messagesPerSecond', () => {
  it('pauses reading for whoever is above it, closes with 1008 after ten seconds of that, and bothers nobody else', async () => {
    await appWith(platform, 'flood', { messagesPerSecond: 50 })
    const flood = await openRaw(platform.gatewayPort, pathOf('flood'))
    const calm = await connect(platform.url('flood'))
    const packet = Buffer.concat(Array.from({ length: 1000 }, () => text('flood')))
    const start = Date.now()
    const toll = await tollOf(platform, async () => {
      const sending = setInterval(() => {
        if (flood.socket.writableLength < 1024 * 1024) flood.write(packet)
      }, 10)
      for (let n = 0; n < 5; n++) {
        calm.send(`calm ${n}`)
        expect(await calm.next()).toBe(`calm ${n}`)
      }
      expect((await flood.closeFrame())?.code).toBe(1008)
      clearInterval(sending)
    })
    expect(Date.now() - start).toBeGreaterThan(9_000)
    expectBounded(toll, 150)
    // What was read is what the rate lets through, and the burst, and what was in the packets that were read when it paused.
    expect((await stats('flood')).events['message']).toBeLessThan(20_000)
    flood.destroy()
    await calm.close()
  })

  it('lets a burst of twice that through, and whoever comes back below it stays', async () => {
    await appWith(platform, 'burst', { messagesPerSecond: 20 })
    const client = await connect(platform.url('burst'))
    for (let n = 0; n < 40; n++) client.send(`${n}`)
    for (let n = 0; n < 40; n++) expect(await client.next()).toBe(`${n}`)
    // Above the burst: nothing is lost, it only comes later.
    for (let n = 0; n < 60; n++) client.send(`more ${n}`)
    for (let n = 0; n < 60; n++) expect(await client.next()).toBe(`more ${n}`)
    await client.close()
  })
})

describe('messageBytes', () => {
  it('a message of the limit passes, one more byte closes with 1009', async () => {
    await appWith(platform, 'size', { messageBytes: 1000 })
    const client = await openRaw(platform.gatewayPort, pathOf('size'))
    client.write(binary(Buffer.alloc(1000)))
    expect(((await client.message()) as Buffer).byteLength).toBe(1000)
    client.write(binary(Buffer.alloc(1001)))
    expect((await client.closeFrame())?.code).toBe(1009)
    await client.end()
  })

  it('holds for who is connected when it is lowered', async () => {
    await appWith(platform, 'lowered', { messageBytes: 1000 })
    const client = await openRaw(platform.gatewayPort, pathOf('lowered'))
    await platform.admin('PATCH', '/apps/lowered', { limits: { messageBytes: 10 } })
    client.write(binary(Buffer.alloc(11)))
    expect((await client.closeFrame())?.code).toBe(1009)
    client.write(close(1009))
    await client.end()
  })

  it('a hundred clients that announce 16 MiB and send no byte of it take no memory', async () => {
    await appWith(platform, 'announced', { messageBytes: 16 * 1024 * 1024 })
    const clients = await Promise.all(Array.from({ length: 100 }, () => openRaw(platform.gatewayPort, pathOf('announced'))))
    const toll = await tollOf(platform, async () => {
      for (const client of clients) client.writeTogether(text('first'), binary(Buffer.alloc(100), { announced: 16n * 1024n * 1024n }))
      // Each sends a whole message first: when that is back, what stood behind it in the same packet was read as well.
      for (const client of clients) expect(await client.message()).toBe('first')
    })
    for (const client of clients) client.destroy()
    expectBounded(toll, 60)
  })
})

describe('queueEvents and queueBytes', () => {
  /** Every handler waits for three seconds after the first message, or for a message \`open\`. */
  const BLOCKED = `
    let open, opened = new Promise((done) => { open = done })
    export async function main(ctx) {
      if (ctx.method !== 'WebSocket:message') return
      const text = ctx.params.data.toString()
      if (text === 'open') return open()
      if (text.startsWith('0 ')) setTimeout(open, 3000)
      await opened
      ctx.socket.send(text)
    }`
  /** Of a short frame of a client, with its mask. */
  const FRAME_HEAD_BYTES = 6
  /** What an event counts for beside its payload (apps/gateway/src/outbox.ts). */
  const EVENT_BYTES = 400
  const CASES: [string, Record<string, number>, number, number][] = [
    ['queueEvents', { queueEvents: 100 }, 40_000, 10],
    ['queueBytes', { queueBytes: 64 * 1024 }, 500, 8_000]
  ]

  it.each(CASES)('%s: while handlers wait, sockets are not read; then it catches up, and nothing is lost', async (name, limits, messages, size) => {
    const appid = name.toLowerCase()
    await appWith(platform, appid, { ...limits, messagesPerSecond: 1_000_000 }, { __websocket__: BLOCKED })
    const client = await openRaw(platform.gatewayPort, pathOf(appid))
    const sent = Array.from({ length: messages }, (_, n) => `${n} `.padEnd(size, 'x'))
    const toll = await tollOf(platform, async () => {
      client.write(...sent.map((message) => text(message)))
      const full = await fullestQueue(appid, client)
      // What stood in the read that filled it is taken too, and what the receiver holds beside: reads of 64 KiB, three at most.
      const readBytes = (65_536 / (size + FRAME_HEAD_BYTES)) * (size + EVENT_BYTES)
      expect(full.bytes).toBeLessThan((limits['queueBytes'] ?? 0) + 3 * readBytes + 100 * (size + EVENT_BYTES))
      expect(full.events).toBeGreaterThan(1)
      expect(full.events).toBeLessThan(messages)
      for (const message of sent) expect(await client.message()).toBe(message)
    })
    expectBounded(toll, 150)
    client.destroy()
  })

  it('sockets are read again when the limit is raised', async () => {
    await appWith(platform, 'raised', { queueEvents: 5 }, { __websocket__: BLOCKED })
    const client = await connect(platform.url('raised'))
    for (let n = 1; n <= 10; n++) client.send(`${n} `)
    // Not how many wait: the connection event may be one of those that filled it, and has its answer then.
    await until('the queue is full', async () => (await stats('raised')).limits['queueEvents'])
    const key = await connect(platform.url('raised'))
    await platform.admin('PATCH', '/apps/raised', { limits: { queueEvents: 1000 } })
    key.send('open')
    for (let n = 1; n <= 10; n++) expect(await client.next(5_000)).toBe(`${n} `)
    await client.close()
    await key.close()
  })

  /** The most that waited until the handlers began to answer. */
  async function fullestQueue(appid: string, client: RawClient): Promise<{ events: number; bytes: number }> {
    let fullest = { events: 0, bytes: 0 }
    await until('the first answer', async () => {
      const { queue } = await stats(appid)
      if (queue.events > fullest.events) fullest = queue
      return client.bytes > 0
    })
    return fullest
  }

  it('a function that is slow, not stuck, is sent as much as it takes', async () => {
    const slow = `export async function main(ctx) { if (ctx.method !== 'WebSocket:message') return; await new Promise((done) => setTimeout(done, 20)); ctx.socket.send(ctx.params.data.toString()) }`
    await appWith(platform, 'slow', { queueEvents: 20, messagesPerSecond: 1_000_000 }, { __websocket__: slow })
    const client = await openRaw(platform.gatewayPort, pathOf('slow'))
    const sent = Array.from({ length: 2000 }, (_, n) => `${n}`)
    for (const message of sent) client.write(text(message))
    for (const message of sent) expect(await client.message()).toBe(message)
    client.destroy()
  })
})

describe('--queue-mib', () => {
  const SLOW = `export async function main(ctx) {
    if (ctx.method !== 'WebSocket:message') return
    ctx.socket.send(String(ctx.params.data.length))
    await new Promise((done) => setTimeout(done, 2000))
  }`

  it('what waits for many apps takes no more than that together, others are answered, and nothing is lost', async () => {
    const small = await startWithNeighbour({ args: ['--queue-mib', '8'] })
    try {
      const appids = ['one', 'two', 'three', 'four']
      for (const appid of appids) await appWith(small, appid, {}, { __websocket__: SLOW })
      const clients = await Promise.all(appids.map((appid) => openRaw(small.gatewayPort, pathOf(appid))))
      const message = 'x'.repeat(50_000)
      const all = async (): Promise<{ queue: { bytes: number }; limits: Record<string, number> }[]> =>
        Promise.all(appids.map(async (appid) => (await small.admin('GET', `/apps/${appid}/stats`)).json))
      let most = 0
      const over = new AbortController()
      const watching = (async () => {
        while (!over.signal.aborted) most = Math.max(most, (await all()).reduce((sum, { queue }) => sum + queue.bytes, 0))
      })()
      const toll = await tollOf(small, async () => {
        for (const client of clients) for (let n = 0; n < 100; n++) client.write(text(message))
        for (const client of clients) for (let n = 0; n < 100; n++) expect(await client.message()).toBe('50000')
      })
      over.abort()
      await watching
      expect(most).toBeGreaterThan(7 * MiB)
      // Beyond it what each app may have in any case, and what stood in the reads that filled it.
      expect(most).toBeLessThan(9 * MiB)
      expectBounded(toll, 150)
      expect((await all()).reduce((sum, { limits }) => sum + (limits['gatewayQueue'] ?? 0), 0)).toBeGreaterThan(0)
      for (const client of clients) client.destroy()
    } finally {
      await small.close()
    }
  })
})

describe('fragments by the million', () => {
  it.each([
    ['empty', 0],
    ['of one byte', 1]
  ])('%s: closed with 1008 or 1009, and memory stays', async (_what, size) => {
    const appid = `fragments-${size}`
    await appWith(platform, appid, { messageBytes: 16 * 1024 * 1024 })
    const client = await openRaw(platform.gatewayPort, pathOf(appid))
    const packet = Buffer.concat(Array.from({ length: 10_000 }, () => text(Buffer.alloc(size), { fin: false }))).map((byte, index) => (index % (6 + size) === 0 ? Opcode.CONTINUATION : byte))
    const toll = await tollOf(platform, async () => {
      client.write(text('', { fin: false }))
      for (let n = 0; n < 100 && !client.ended; n++) {
        client.write(packet)
        await new Promise((done) => setImmediate(done))
      }
      expect([1008, 1009]).toContain((await client.closeFrame())?.code)
    })
    await client.end()
    expectBounded(toll, 100)
  })

  it('a message octet by octet in packets of their own is held in bounded memory', async () => {
    await appWith(platform, 'octets', { messageBytes: 16 * 1024 * 1024 })
    const client = await openRaw(platform.gatewayPort, pathOf('octets'))
    client.write(binary(Buffer.alloc(0), { announced: 1_000_000n }))
    const toll = await tollOf(platform, async () => {
      for (let n = 0; n < 20_000 && !client.ended; n++) {
        client.write(Buffer.of(n & 0xff))
        if (n % 50 === 0) await new Promise((done) => setImmediate(done))
      }
    })
    client.destroy()
    expectBounded(toll, 100)
  })
})
