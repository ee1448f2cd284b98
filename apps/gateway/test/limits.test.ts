import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, expect, test, vi } from 'vitest'
import { FrameType } from '@socklet/protocol'
import { routeOf, startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'

let platform: Platform
afterEach(async () => {
  vi.restoreAllMocks()
  await platform.stop()
})

test('a message above the limit closes with 1009, also for those who connected under a higher one', async () => {
  platform = await startPlatform()
  const worker = await platform.app('demo', 7, { limits: { messageBytes: 100 } })
  const [early, late] = [await platform.open('/demo'), await platform.open('/demo')]
  early.ws.send('x'.repeat(100))
  await worker.got(FrameType.MESSAGE)
  early.ws.send('x'.repeat(101))
  expect(await early.closed()).toBe(1009)
  await platform.pool.route(routeOf('demo', 7, { limits: { messageBytes: 10 } }))
  late.ws.send('x'.repeat(50))
  // The client does not know yet that it is being closed. Nobody hears what it says.
  late.ws.send('short')
  late.ws.ping()
  expect(await late.closed()).toBe(1009)
  await worker.got(FrameType.CLOSED, 1)
  expect(worker.count(FrameType.MESSAGE)).toBe(1)
})

test('a frame that comes octet by octet is held in so many pieces, then its connection is closed with 1008', async () => {
  platform = await startPlatform()
  const worker = await platform.app('demo', 7)
  const client = await platform.open('/demo')
  client.socket.on('error', () => {})
  client.socket.write(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
  // Each is read before the next one is sent: the gateway is in this process.
  for (let n = 0; n < 40_000 && client.code === null; n++) {
    client.socket.write('x')
    await new Promise((done) => setImmediate(done))
  }
  expect(await client.closed()).toBe(1008)
  await worker.got(FrameType.ERROR)
}, 30_000)

test('a connection above its rate is read at its rate, and those within it notice nothing', async () => {
  platform = await startPlatform()
  const worker = await platform.app('demo', 7, { limits: { messagesPerSecond: 1 } })
  worker.echo()
  const [flood, calm] = [await platform.open('/demo'), await platform.open('/demo')]
  const start = Date.now()
  // A burst of two is allowed. The third is still read, and then nothing for a while.
  for (const text of ['one', 'two', 'over']) flood.ws.send(text)
  await flood.heard(3)
  flood.ws.send('late')
  calm.ws.send('calm')
  await calm.heard(1)
  expect(flood.messages.length).toBe(3)
  await flood.heard(4)
  expect(Date.now() - start).toBeGreaterThan(900)
  expect(flood.code).toBeNull()
})

test('whoever goes on above the rate is closed with 1008', async () => {
  platform = await startPlatform({ times: { rateGrace: 400 } })
  const worker = await platform.app('demo', 7, { limits: { messagesPerSecond: 100 } })
  worker.echo()
  const client = await platform.open('/demo')
  const timer = setInterval(() => {
    for (let n = 0; n < 50; n++) client.ws.send('flood')
  }, 5)
  expect(await client.closed()).toBe(1008)
  clearInterval(timer)
  const { events } = await platform.traffic(7)
  expect(events.message).toBeLessThan(5_000)
  await worker.got(FrameType.CLOSED)
  expect(worker.log.at(-1)).toMatch(/^CLOSED/)
})

test('a client that reads too slowly is closed with 1013', async () => {
  platform = await startPlatform({ times: { slowClose: 3_000 } })
  const worker = await platform.app('demo', 7, { limits: { sendBufferBytes: 100_000 } })
  const client = await platform.open('/demo')
  const opened = await worker.got(FrameType.OPEN)
  client.socket.pause()
  const part = Buffer.alloc(50_000)
  const traffic = async (): Promise<number> => (await platform.pool.control!.call('connections', { app: 7, limit: 1, after: 0 })).items[0]?.buffered ?? -1
  while ((await traffic()) !== -1) worker.send(opened, part)
  client.socket.resume()
  expect(await client.closed()).toBe(1013)
  expect(client.reason).toBe('the client reads too slowly')
})

test('a client that does not even read its close is ended', async () => {
  platform = await startPlatform({ times: { slowClose: 50 } })
  const worker = await platform.app('demo', 7, { limits: { sendBufferBytes: 100_000 } })
  const client = await platform.open('/demo')
  const opened = await worker.got(FrameType.OPEN)
  client.socket.pause()
  const timer = setInterval(() => worker.send(opened, Buffer.alloc(500_000)), 2)
  await worker.got(FrameType.CLOSED)
  clearInterval(timer)
  expect(worker.log.at(-1)).toBe('CLOSED 1006')
})

test('above the queue limit no socket of the app is read; below half of it all are', async () => {
  platform = await startPlatform()
  const worker = await platform.app('demo', 7, { limits: { queueEvents: 20 } })
  const other = await platform.app('other', 8)
  other.echo()
  const [one, two, neighbour] = [await platform.open('/demo'), await platform.open('/demo'), await platform.open('/other')]
  for (let n = 0; n < 40; n++) {
    one.ws.send(`${n}`)
    // Each in a packet of its own, so that reading can stop between them.
    await new Promise((done) => setImmediate(done))
  }
  await until(() => worker.events.length > 20)
  two.ws.send('from another')
  neighbour.ws.send('hello')
  await neighbour.heard(1)
  const before = worker.events.length
  expect(worker.log).not.toContain('MESSAGE from another')
  // A new connection waits too, but its opening is an event like others.
  const three = await platform.open('/demo')
  three.ws.send('from a third')
  neighbour.ws.send('hello')
  await neighbour.heard(2)
  expect(worker.log).not.toContain('MESSAGE from a third')
  worker.ack(...worker.events.slice(0, 5))
  await platform.traffic(7)
  neighbour.ws.send('hello')
  await neighbour.heard(3)
  expect(worker.events.length).toBe(before + 1)
  worker.echo()
  worker.ack(...worker.events.slice(5))
  await worker.got(FrameType.MESSAGE, 41)
  expect(worker.log.filter((line) => /^MESSAGE \d+$/.test(line))).toEqual(Array.from({ length: 40 }, (_, n) => `MESSAGE ${n}`))
  expect(worker.log).toContain('MESSAGE from a third')
})

test('pauses for different reasons do not undo each other', async () => {
  platform = await startPlatform()
  const worker = await platform.app('demo', 7, { limits: { queueEvents: 4, messagesPerSecond: 1 } })
  const [flood, calm] = [await platform.open('/demo'), await platform.open('/demo')]
  for (const text of ['one', 'two', 'three']) flood.ws.send(text)
  await worker.got(FrameType.MESSAGE, 2)
  flood.ws.send('four')
  // The queue frees up at once; the rate goes on to hold the connection back.
  worker.echo()
  worker.ack(...worker.events)
  calm.ws.send('calm')
  await calm.heard(1)
  expect(worker.log).not.toContain('MESSAGE four')
  expect(await flood.heard(1)).toEqual(['four'])
})

test('a full queue refuses requests with 503', async () => {
  platform = await startPlatform()
  const worker = await platform.app('demo', 7, { limits: { queueEvents: 2, queueBytes: 1_000_000 }, functions: { __websocket__: [], f: [] } })
  const client = await platform.open('/demo')
  client.ws.send('x')
  await worker.got(FrameType.MESSAGE)
  const response = await fetch(`${platform.http}/demo/f`)
  expect(response.status).toBe(503)
  expect(await response.json()).toMatchObject({ error: { code: 'queue_full' } })
  worker.ack(...worker.events)
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(0)
  const large = await fetch(`${platform.http}/demo/f`, { method: 'POST', body: Buffer.alloc(1_000_001) })
  expect(large.status).toBe(503)
})

test('a peer that is gone without a word is found by the heartbeat; one that answers pings stays', async () => {
  platform = await startPlatform({ times: { heartbeat: 150 } })
  const worker = await platform.app('demo', 7)
  const alive = await platform.open('/demo')
  let pings = 0
  alive.ws.on('ping', () => pings++)
  const dead = await platform.open('/demo', [], { autoPong: false })
  await worker.got(FrameType.CLOSED)
  expect(await dead.closed()).toBe(1006)
  await until(() => pings >= 4)
  expect(alive.code).toBeNull()
})

test('a connection that the gateway itself does not read is not taken for dead', async () => {
  platform = await startPlatform({ times: { heartbeat: 60 } })
  const worker = await platform.app('demo', 7, { limits: { queueEvents: 1 } })
  const client = await platform.open('/demo')
  client.ws.send('x')
  await worker.got(FrameType.MESSAGE)
  // More than the system and Node take in advance: not even a pong gets through.
  client.ws.send(Buffer.alloc(1_000_000))
  const watcher = await platform.app('watcher', 8)
  watcher.echo()
  const other = await platform.open('/watcher')
  let pings = 0
  other.ws.on('ping', () => pings++)
  await until(() => pings >= 6)
  expect(client.code).toBeNull()
  worker.echo()
  worker.ack(...worker.events)
  client.ws.send('y')
  expect((await client.heard(2))[1]).toBe('y')
})

test('resets of clients hurt nobody', async () => {
  platform = await startPlatform()
  const worker = await platform.app('demo', 7)
  worker.echo()
  for (let n = 0; n < 20; n++) {
    const client = await platform.open('/demo')
    client.ws.send('x')
    client.socket.resetAndDestroy()
    const bare = connect(platform.port, '127.0.0.1').on('error', () => {})
    bare.on('connect', () => bare.resetAndDestroy())
  }
  await worker.got(FrameType.CLOSED, 19)
  const client = await platform.open('/demo')
  client.ws.send('still here')
  expect(await client.heard(1)).toEqual(['still here'])
  expect((await platform.traffic(7)).connections).toBe(1)
})

test('whoever was above the rate once, and then within it, stays', async () => {
  platform = await startPlatform({ times: { rateGrace: 2_000 } })
  const worker = await platform.app('demo', 7, { limits: { messagesPerSecond: 20 } })
  worker.echo()
  const client = await platform.open('/demo')
  for (let n = 0; n < 45; n++) client.ws.send('burst')
  await client.heard(45)
  // Longer than the grace.
  for (let n = 1; n <= 25; n++) {
    await sleep(100)
    client.ws.send('calm')
    await client.heard(45 + n)
  }
  expect(client.code).toBeNull()
}, 15_000)

test('a short message that waits for the app keeps nothing of what stood beside it in one read', async () => {
  platform = await startPlatform()
  const worker = await platform.app('demo', 7)
  const client = await platform.open('/demo')
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const short = Buffer.from([0x82, 0x81, 0, 0, 0, 0, 7])
  const long = Buffer.concat([Buffer.from([0x82, 0xfe, 0xea, 0x60, 0, 0, 0, 0]), Buffer.alloc(60_000)])
  worker.ack(await worker.got(FrameType.OPEN))
  gc()
  const before = process.memoryUsage().arrayBuffers
  for (let n = 0; n < 300; n++) {
    client.socket.write(Buffer.concat([short, long]))
    worker.ack(await worker.got(FrameType.MESSAGE, 2 * n + 1))
    // Else this test itself would keep them.
    worker.events.find(({ payload }) => payload.byteLength > 1)!.payload = Buffer.alloc(0)
  }
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(300)
  gc()
  await new Promise((done) => setImmediate(done))
  gc()
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024)
}, 30_000)
