import { afterEach, beforeEach, expect, test } from 'vitest'
import { BINARY_TYPES, Flag, FrameType, Listen, readU32 } from '@socklet/protocol'
import type { Client } from './support/client.ts'
import { at, startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'
import { openingOf, type FakeWorker, type Got } from './support/worker.ts'

/** The machine may be busy. */
const PATIENT = { timeout: 4_000 }

let platform: Platform
let worker: FakeWorker
beforeEach(async () => {
  platform = await startPlatform()
  worker = await platform.app('demo', 7)
})
afterEach(() => platform.stop())

async function connected(options = {}): Promise<{ client: Client; opened: Got }> {
  const index = worker.count(FrameType.OPEN)
  const client = await platform.open('/demo', [], options)
  return { client, opened: await worker.got(FrameType.OPEN, index) }
}

/** The app gets a new life on another worker. */
async function move(generation: number): Promise<FakeWorker> {
  const next = await platform.worker(generation)
  await platform.pool.placed(7, at(7, generation, generation), true)
  return next
}

/** All that the worker sent before has had its effect. */
async function settled({ client, opened }: { client: Client; opened: Got }): Promise<void> {
  const heard = client.messages.length
  worker.send(opened, 'flush')
  await client.heard(heard + 1)
}

// --- data, rooms and pauses go with a connection -----------------------------------------------

test('a new life of the app gets what the old one made of its connections', async () => {
  const one = await connected()
  const two = await connected()
  worker.ack(one.opened)
  for (const { opened } of [one, two]) {
    worker.command(FrameType.DATA, opened, Buffer.from('first'))
    worker.command(FrameType.DATA, opened, Buffer.from('last'))
    for (const room of ['lobby', 'öl', 'left']) worker.command(FrameType.JOIN, opened, Buffer.from(room))
    worker.command(FrameType.LEAVE, opened, Buffer.from('left'))
    worker.command(FrameType.PAUSE, opened)
    worker.command(FrameType.BINARY_TYPE, opened, undefined, BINARY_TYPES.indexOf('blob'))
  }
  await settled(two)
  const next = await move(2)
  const attached = openingOf(await next.got(FrameType.ATTACH))
  const again = openingOf(await next.got(FrameType.OPEN))
  // What only the connection event tells is not told again.
  const { id, protocol, extensions } = openingOf(one.opened).head
  expect(attached).toEqual({ head: { id, protocol, extensions, rooms: ['lobby', 'öl'], paused: true, binaryType: 'blob' }, data: 'last' })
  expect(again).toEqual({ head: { ...openingOf(two.opened).head, rooms: ['lobby', 'öl'], paused: true, binaryType: 'blob' }, data: 'last' })
})

test('what was undone is not there', async () => {
  const one = await connected()
  worker.ack(one.opened)
  worker.command(FrameType.DATA, one.opened, Buffer.from('x'))
  worker.command(FrameType.DATA, one.opened)
  worker.command(FrameType.JOIN, one.opened, Buffer.from('x'))
  worker.command(FrameType.LEAVE, one.opened, Buffer.from('x'))
  worker.command(FrameType.PAUSE, one.opened)
  worker.command(FrameType.RESUME, one.opened)
  for (const type of [1, 0, 4, 255]) worker.command(FrameType.BINARY_TYPE, one.opened, undefined, type)
  await settled(one)
  const next = await move(2)
  const { head, data } = openingOf(await next.got(FrameType.ATTACH))
  expect(data).toBe('')
  expect(head.rooms ?? []).toEqual([])
  expect(head.paused ?? false).toBe(false)
  expect(head.binaryType ?? 'nodebuffer').toBe('nodebuffer')
  expect(head.closing ?? false).toBe(false)
})

test('what the app has closed is closing for its next life as well, and what it makes of its messages can still change', async () => {
  const one = await connected()
  const other = await connected()
  worker.ack(one.opened)
  // A client that does not answer.
  one.client.socket.pause()
  worker.close(one.opened, 4000)
  worker.command(FrameType.BINARY_TYPE, one.opened, undefined, BINARY_TYPES.indexOf('arraybuffer'))
  await settled(other)
  const next = await move(2)
  expect(openingOf(await next.got(FrameType.ATTACH)).head).toMatchObject({ closing: true, binaryType: 'arraybuffer' })
})

test('data is 16 KiB at most; more is not taken', async () => {
  const one = await connected()
  worker.ack(one.opened)
  worker.command(FrameType.DATA, one.opened, Buffer.alloc(16 * 1024, 'a'))
  worker.command(FrameType.DATA, one.opened, Buffer.alloc(16 * 1024 + 1, 'b'))
  await settled(one)
  const next = await move(2)
  expect(openingOf(await next.got(FrameType.ATTACH)).data).toBe('a'.repeat(16 * 1024))
})

test('data that is set when the client has gone already is there when its close event comes again', async () => {
  const one = await connected()
  const other = await connected()
  worker.ack(one.opened)
  one.client.ws.close()
  await worker.got(FrameType.CLOSED)
  worker.command(FrameType.DATA, one.opened, Buffer.from('late'))
  await settled(other)
  const next = await move(2)
  expect(openingOf(await next.got(FrameType.ATTACH)).data).toBe('late')
  await next.got(FrameType.CLOSED)
})

// --- pause -------------------------------------------------------------------------------------

test('a connection that the app has paused is not read until it is resumed', async () => {
  const one = await connected()
  const other = await connected()
  worker.command(FrameType.PAUSE, one.opened)
  await settled(one)
  one.client.ws.send('late')
  one.client.ws.close()
  other.client.ws.send('from another')
  await worker.got(FrameType.MESSAGE)
  expect(worker.log).toEqual(['OPEN', 'OPEN', 'MESSAGE from another'])
  worker.command(FrameType.RESUME, one.opened)
  await worker.got(FrameType.CLOSED)
  expect(worker.log.slice(3)).toEqual(['MESSAGE late', 'CLOSED 1005'])
})

test('the app cannot resume what is paused for another reason, nor the other way round', async () => {
  await platform.stop()
  platform = await startPlatform()
  worker = await platform.app('demo', 7, { limits: { queueEvents: 3 } })
  const one = await connected()
  worker.command(FrameType.PAUSE, one.opened)
  await settled(one)
  const other = await connected()
  for (const text of ['a', 'b', 'c']) other.client.ws.send(text)
  // The queue is full now.
  await worker.got(FrameType.MESSAGE, 1)
  one.client.ws.send('late')
  worker.command(FrameType.RESUME, one.opened)
  await settled(one)
  expect(worker.log).not.toContain('MESSAGE late')
  worker.command(FrameType.PAUSE, one.opened)
  await settled(one)
  worker.echo()
  worker.ack(...worker.events)
  other.client.ws.send('d')
  await until(() => worker.log.includes('MESSAGE d'))
  expect(worker.log).not.toContain('MESSAGE late')
  worker.command(FrameType.RESUME, one.opened)
  await until(() => worker.log.includes('MESSAGE late'))
})

test('a connection that the app has paused is ended by the platform like any other', async () => {
  const one = await connected()
  worker.command(FrameType.PAUSE, one.opened)
  await settled(one)
  await platform.pool.remove('demo')
  expect(await one.client.closed()).toBe(1001)
})

// --- ping and pong -----------------------------------------------------------------------------

test('the app hears pings and pongs if it listens, in order with messages, and they are not kept', async () => {
  const { client, opened } = await connected()
  const other = await connected()
  client.ws.ping('unheard')
  worker.command(FrameType.LISTEN, opened, undefined, Listen.PING | Listen.PONG)
  client.ws.send('sync')
  await worker.got(FrameType.MESSAGE)
  await settled({ client, opened })
  client.ws.ping('one')
  client.ws.send('two')
  client.ws.pong('three')
  other.client.ws.ping('not this one')
  other.client.ws.send('end')
  await worker.got(FrameType.MESSAGE, 2)
  await until(() => worker.log.includes('PONG three'))
  expect(worker.log.filter((line) => line !== 'MESSAGE end')).toEqual(['OPEN', 'OPEN', 'MESSAGE sync', 'PING one', 'MESSAGE two', 'PONG three'])
  expect((await platform.traffic(7)).queueEvents).toBe(5)
  worker.command(FrameType.LISTEN, opened, undefined, 0)
  await settled({ client, opened })
  client.ws.ping('four')
  client.ws.send('five')
  await worker.got(FrameType.MESSAGE, 3)
  expect(worker.log).not.toContain('PING four')
  const next = await move(2)
  await next.got(FrameType.MESSAGE, 3)
  expect(next.log.join()).not.toMatch(/PING|PONG/)
})

test('a new life of the app hears none until it listens', async () => {
  const { client, opened } = await connected()
  worker.command(FrameType.LISTEN, opened, undefined, Listen.PING)
  await settled({ client, opened })
  const next = await move(2)
  client.ws.ping('one')
  client.ws.send('two')
  await next.got(FrameType.MESSAGE)
  expect(next.log.join()).not.toMatch(/PING/)
})

test('answers to pings of the platform are not heard', async () => {
  await platform.stop()
  platform = await startPlatform({ times: { heartbeat: 60 } })
  worker = await platform.app('demo', 7)
  const { client, opened } = await connected()
  worker.command(FrameType.LISTEN, opened, undefined, Listen.PONG)
  let pings = 0
  client.ws.on('ping', () => pings++)
  await until(() => pings >= 3)
  worker.command(FrameType.SEND_PING, opened, Buffer.from('mine'))
  await worker.got(FrameType.PONG)
  expect(worker.log.filter((line) => line.startsWith('PONG'))).toEqual(['PONG mine'])
})

test('pings and pongs of the app leave in order with messages', async () => {
  const { client, opened } = await connected()
  const heard: string[] = []
  client.ws.on('message', (data) => heard.push(String(data)))
  client.ws.on('ping', (data) => heard.push(`ping ${data.toString()}`))
  client.ws.on('pong', (data) => heard.push(`pong ${data.toString()}`))
  worker.send(opened, 'one')
  worker.command(FrameType.SEND_PING, opened, Buffer.from('two'))
  worker.send(opened, 'three')
  worker.command(FrameType.SEND_PONG, opened)
  worker.command(FrameType.SEND_PING, opened, Buffer.alloc(125, 'x'))
  worker.command(FrameType.SEND_PING, opened, Buffer.alloc(126, 'y'))
  worker.send(opened, 'end')
  await until(() => heard.includes('end'))
  expect(heard).toEqual(['one', 'ping two', 'three', 'pong ', `ping ${'x'.repeat(125)}`, 'end'])
})

test('a flood of pings is slowed down like one of messages', async () => {
  await platform.stop()
  platform = await startPlatform({ times: { rateGrace: 300 } })
  worker = await platform.app('demo', 7, { limits: { messagesPerSecond: 100 } })
  const { client } = await connected()
  const timer = setInterval(() => {
    for (let n = 0; n < 50; n++) client.ws.ping()
  }, 5)
  expect(await client.closed()).toBe(1008)
  clearInterval(timer)
})

// --- what became of what was sent --------------------------------------------------------------

test('the app hears when what it sent was written, many at once', async () => {
  const { client, opened } = await connected()
  worker.command(FrameType.SEND, opened, Buffer.from('a'), Flag.TELL, 11)
  worker.send(opened, 'b')
  worker.command(FrameType.SEND_PING, opened, undefined, Flag.TELL, 12)
  worker.command(FrameType.SEND_PONG, opened, undefined, Flag.TELL, 13)
  worker.command(FrameType.SEND, opened, Buffer.alloc(200_000), Flag.TELL | Flag.BINARY, 0xffff_ffff)
  await client.heard(3)
  // The large one came later, in a read of its own.
  await until(() => /SENT 11 12 13\b.*4294967295/.test(worker.log.join()))
  expect((await worker.got(FrameType.SENT)).connection).toBe(opened.connection)
})

test('what is sent to a connection that is closing or gone has failed', async () => {
  const { client, opened } = await connected()
  worker.command(FrameType.SEND, opened, Buffer.from('a'), Flag.TELL, 1)
  worker.close(opened, 4000)
  worker.command(FrameType.SEND, opened, Buffer.from('b'), Flag.TELL, 2)
  worker.command(FrameType.SEND_PING, opened, undefined, Flag.TELL, 3)
  await client.closed()
  worker.command(FrameType.SEND, { ...opened, connection: 99_999 }, Buffer.from('c'), Flag.TELL, 4)
  await until(() => worker.log.includes('SENT 4 failed'))
  expect(worker.log.filter((line) => line.startsWith('SENT')).toSorted()).toEqual(['SENT 1', 'SENT 2 failed', 'SENT 3 failed', 'SENT 4 failed'])
  expect(client.messages).toEqual(['a'])
})

test('what a client did not read before it died has failed, and is said before its close event', async () => {
  const { client, opened } = await connected()
  client.socket.pause()
  const part = Buffer.alloc(500_000)
  for (let n = 1; n <= 20; n++) worker.command(FrameType.SEND, opened, part, Flag.TELL | Flag.BINARY, n)
  await expect.poll(async () => (await platform.pool.control!.call('connections', { app: 7, limit: 1, after: 0 })).items[0]!.messagesOut, PATIENT).toBe(20)
  client.socket.resetAndDestroy()
  await worker.got(FrameType.CLOSED)
  const sent = worker.log.filter((line) => line.startsWith('SENT'))
  expect(sent.flatMap((line) => line.match(/\d+/g)!.map(Number)).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1))
  expect(sent.at(-1)).toMatch(/failed$/)
  expect(worker.log.at(-1)).toMatch(/^CLOSED/)
})

// --- bytes that wait ---------------------------------------------------------------------------

test('the app hears how much waits for a slow client, rarely, and when it has left', async () => {
  const { client, opened } = await connected()
  const other = await connected()
  const waiting = (): number[] => worker.events.filter(({ type, connection }) => type === FrameType.BUFFERED && connection === opened.connection).map(({ payload }) => readU32(payload, 0))
  client.socket.pause()
  for (let n = 0; n < 100; n++) worker.send(opened, Buffer.alloc(100_000))
  await until(() => waiting().length > 0 && waiting().at(-1)! > 2_000_000)
  await settled(other)
  const grown = waiting()
  expect(grown.length).toBeLessThan(20)
  expect(grown.every((bytes, index) => index === 0 || bytes >= grown[index - 1]! * 2)).toBe(true)
  const next = await platform.pool.control!.call('connections', { app: 7, limit: 9, after: 0 })
  expect(next.items[0]!.buffered).toBeGreaterThanOrEqual(grown.at(-1)!)
  client.socket.resume()
  await until(() => waiting().at(-1) === 0)
  await client.heard(100)
  expect(worker.events.filter(({ type, connection }) => type === FrameType.BUFFERED && connection === other.opened.connection)).toEqual([])
})

test('a new life of the app hears again how much waits', async () => {
  const { client, opened } = await connected()
  worker.ack(opened)
  client.socket.pause()
  for (let n = 0; n < 100; n++) worker.send(opened, Buffer.alloc(100_000))
  await until(() => worker.count(FrameType.BUFFERED) > 0)
  const next = await move(2)
  expect(readU32((await next.got(FrameType.BUFFERED)).payload, 0)).toBeGreaterThan(0)
  expect(next.log[0]).toBe('ATTACH')
})
