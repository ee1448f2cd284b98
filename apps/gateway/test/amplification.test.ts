import { Flag, FrameType, Listen } from '@socklet/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Client } from './support/client.ts'
import { at, startPlatform, untilAsync, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'
import { openingOf, type FakeWorker, type Got } from './support/worker.ts'

/** A message to a room is one small command, and work for each of its members: a tenant could keep the gateway's one thread for minutes with one turn. */
let platform: Platform
let worker: FakeWorker
beforeEach(async () => {
  platform = await startPlatform()
  worker = await platform.app('hog', 7)
})
afterEach(() => platform.stop())

async function members(count: number, room: string): Promise<{ client: Client; opened: Got }[]> {
  const all = []
  for (let index = 0; index < count; index++) {
    const before = worker.count(FrameType.OPEN)
    const client = await platform.open('/hog')
    const opened = await worker.got(FrameType.OPEN, before)
    worker.command(FrameType.JOIN, opened, Buffer.from(room))
    all.push({ client, opened })
  }
  return all
}

const lines = (): string[] => platform.pool.logs.map(({ line }) => line.message)

test('messages to many members take turns with what other apps do, and come in order, whole', async () => {
  const other = await platform.app('other', 8)
  other.echo()
  const client = await platform.open('/other')
  const all = await members(50, 'x')
  const { opened } = all[0]!
  const last = all.at(-1)!
  const rounds = 8_000
  for (let round = 0; round < rounds; round++) {
    worker.sendRoom(opened, 'x', [], `${round}`)
    // Who joins and leaves in between misses what was sent meanwhile, and nothing else.
    if (round === 5_000) worker.command(FrameType.LEAVE, last.opened, Buffer.from('x'))
    if (round === 6_000) worker.command(FrameType.JOIN, last.opened, Buffer.from('x'))
  }
  worker.send(opened, 'the end')
  let slowest = 0
  let asked = 0
  while (all[0]!.client.messages.at(-1) !== 'the end') {
    const start = performance.now()
    client.ws.send(`${asked}`)
    await until(() => client.messages.at(-1) === `${asked}`, () => `an answer to ${asked}`)
    slowest = Math.max(slowest, performance.now() - start)
    asked++
  }
  const expected = Array.from({ length: rounds }, (_, round) => `${round}`)
  await until(() => last.client.messages.length >= rounds - 1_000)
  expect(all[0]!.client.messages).toEqual([...expected, 'the end'])
  expect(last.client.messages).toEqual(expected.filter((_, round) => round <= 5_000 || round > 6_000))
  // The members' clients run in this process as well.
  expect(asked).toBeGreaterThan(3)
  expect(slowest).toBeLessThan(1_000)
}, 60_000)

/** To so many that are not there: it costs what it would if they were. */
function sendToNobody(to: Got, receivers: number, message = 'x'): void {
  worker.sendMany(to, Array.from({ length: receivers }, (_, index) => 1_000_000 + index), message)
}

test('an app whose messages wait is told to begin no turn, and told when it may again; its log says so once in a second', async () => {
  const [{ client, opened }] = await members(1, 'x') as [{ client: Client; opened: Got }]
  for (let index = 0; index < 20; index++) sendToNobody(opened, 100_000)
  worker.send(opened, 'the end')
  await worker.got(FrameType.BACKPRESSURE, 1)
  await until(() => client.messages.at(-1) === 'the end')
  const held = worker.events.filter(({ type }) => type === FrameType.BACKPRESSURE)
  expect(held.map(({ app, generation, gateway, flags }) => ({ app, generation, gateway, flags }))).toEqual([{ app: 7, generation: 1, gateway: 3, flags: 0 }, { app: 7, generation: 1, gateway: 3, flags: Flag.END }])
  expect(lines().filter((line) => line.includes('limit deliveries'))).toHaveLength(1)
  expect((await platform.traffic(7)).limits).toEqual({ deliveries: 1 })
})

test('what is beyond a minute of deliveries is dropped, and counted; what comes later is delivered', async () => {
  const [{ client, opened }] = await members(1, 'x') as [{ client: Client; opened: Got }]
  worker.send(opened, 'before')
  const long = 'x'.repeat(64 * 1024)
  for (let index = 0; index < 20; index++) sendToNobody(opened, 100_000, long)
  worker.send(opened, 'dropped')
  // Acknowledgements do not wait, and what is no message is not lost.
  worker.command(FrameType.JOIN, opened, Buffer.from('late'))
  worker.ack(opened)
  await worker.got(FrameType.BACKPRESSURE, 1)
  worker.sendRoom(opened, 'late', [], 'after')
  await until(() => client.messages.at(-1) === 'after')
  expect(client.messages).toEqual(['before', 'after'])
  const { limits, queueEvents } = await platform.traffic(7)
  expect(limits['deliveries']).toBeGreaterThan(5)
  expect(queueEvents).toBe(0)
  expect(lines().filter((line) => line.includes('limit deliveries')).length).toBeLessThan(10)
}, 30_000)

test('a connection that was opened later does not get what was sent to the number of one before', async () => {
  const [{ client, opened }] = await members(1, 'x') as [{ client: Client; opened: Got }]
  for (let index = 0; index < 60; index++) sendToNobody(opened, 100_000)
  worker.sendRoom(opened, null, [], 'to all who are there')
  // What it says behind that does not wait: the gateway has it all.
  worker.ack(opened)
  await untilAsync(async () => (await platform.traffic(7)).queueEvents === 0)
  const before = worker.count(FrameType.OPEN)
  const late = await platform.open('/hog')
  const lateOpened = await worker.got(FrameType.OPEN, before)
  worker.send(lateOpened, 'hello')
  await until(() => late.messages.length > 0 && client.messages.length > 0)
  expect(client.messages).toEqual(['to all who are there'])
  expect(late.messages).toEqual(['hello'])
})

test('a command that turns out to be none when its turn comes ends the link, as it would at once, and not the gateway', async () => {
  const [{ opened }] = await members(1, 'x') as [{ client: Client; opened: Got }]
  for (let index = 0; index < 10; index++) sendToNobody(opened, 100_000)
  // A message that is longer than its frame.
  worker.command(FrameType.SEND_MANY, opened, Buffer.from([0xff, 0xff, 0, 0, 1, 2, 3, 4]))
  await until(() => worker.closed)
  const other = await platform.app('other', 8)
  other.echo()
  const client = await platform.open('/other')
  client.ws.send('still here')
  await until(() => client.messages.at(-1) === 'still here')
})

test('a new life of the app that begins while much waits is told of the rooms and pauses that come behind it; messages go to whom they were meant for', async () => {
  const [one, two, three] = [...await members(2, 'x'), ...await members(1, 'y')] as [{ client: Client; opened: Got }, { client: Client; opened: Got }, { client: Client; opened: Got }]
  worker.ack(one.opened, two.opened, three.opened)
  one.client.ws.send('x')
  const message = await worker.got(FrameType.MESSAGE)
  // Of such a size that each time a little of what the app may do in a turn is left.
  for (let index = 0; index < 24; index++) sendToNobody(one.opened, 100_000, 'x'.repeat(12 * 1024))
  worker.sendRoom(one.opened, 'x', [], 'to one and two')
  worker.sendRoom(one.opened, 'nobody yet', [], 'to nobody')
  worker.command(FrameType.LEAVE, one.opened, Buffer.from('x'))
  worker.command(FrameType.PAUSE, two.opened)
  worker.command(FrameType.PAUSE, three.opened)
  worker.command(FrameType.LISTEN, three.opened, undefined, Listen.PING)
  for (const room of ['x', 'nobody yet']) worker.command(FrameType.JOIN, three.opened, Buffer.from(room))
  worker.command(FrameType.RESUME, three.opened)
  worker.sendRoom(one.opened, 'x', [], 'to two and three')
  worker.send(one.opened, 'to one')
  // What it says behind that does not wait: the gateway has it all.
  worker.ack(message)
  await untilAsync(async () => (await platform.traffic(7)).queueEvents === 0)
  const next = await platform.worker(2)
  await platform.pool.placed(7, at(7, 2, 2), true)
  const attached = await Promise.all([0, 1, 2].map(async (index) => openingOf(await next.got(FrameType.ATTACH, index)).head))
  expect(attached.map(({ rooms, paused }) => ({ rooms, paused }))).toEqual([{ rooms: [], paused: undefined }, { rooms: ['x'], paused: true }, { rooms: ['y', 'x', 'nobody yet'], paused: undefined }])
  // It was still waiting.
  expect(one.client.messages).toEqual([])
  await until(() => one.client.messages.length === 2)
  // Of the pings that the old life wanted to hear of, this one knows nothing.
  three.client.ws.ping('for nobody')
  three.client.ws.send('heard')
  await next.got(FrameType.MESSAGE)
  expect(next.count(FrameType.PING)).toBe(0)
  expect([one, two, three].map(({ client }) => client.messages)).toEqual([['to one and two', 'to one'], ['to one and two', 'to two and three'], ['to two and three']])
}, 30_000)
