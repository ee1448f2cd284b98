import { queryObjects } from 'node:v8'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FrameType, type ConnectionInfo } from '@socklet/protocol'
import { Connection } from '../src/connection.ts'
import type { Client } from './support/client.ts'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'
import { openingOf, type FakeWorker, type Got } from './support/worker.ts'

let platform: Platform
let worker: FakeWorker
beforeEach(async () => {
  platform = await startPlatform()
  worker = await platform.app('demo', 7)
})
afterEach(() => platform.stop())

interface Peer {
  client: Client
  opened: Got
}

async function connected(...rooms: string[]): Promise<Peer> {
  const index = worker.count(FrameType.OPEN)
  const client = await platform.open('/demo')
  const opened = await worker.got(FrameType.OPEN, index)
  for (const room of rooms) worker.command(FrameType.JOIN, opened, Buffer.from(room))
  return { client, opened }
}

/** What each has heard when all that was sent before is through. */
async function heard(...peers: Peer[]): Promise<(string | Buffer)[][]> {
  for (const { opened } of peers) worker.send(opened, 'end')
  await Promise.all(peers.map(({ client }) => until(() => client.messages.at(-1) === 'end')))
  return peers.map(({ client }) => client.messages.slice(0, -1))
}

async function listed(room: string): Promise<ConnectionInfo[]> {
  return (await platform.pool.control!.call('connections', { app: 7, limit: 10, after: 0, room })).items
}

test('a message to a room is heard by its members, but not by the excepted ones', async () => {
  const [a, b, c, d] = [await connected('x'), await connected('x', 'y'), await connected('y'), await connected()]
  worker.sendRoom(a.opened, 'x', [], 'to x')
  worker.sendRoom(a.opened, 'y', [b.opened], 'to y but b')
  worker.sendRoom(a.opened, null, [a.opened, d.opened, { gateway: 3, connection: 99_999 }], 'to all but a and d')
  worker.sendRoom(a.opened, null, [], Buffer.from([0, 255]))
  worker.sendRoom(a.opened, 'nobody is here', [], 'lost')
  const bytes = Buffer.from([0, 255])
  expect(await heard(a, b, c, d)).toEqual([['to x', bytes], ['to x', 'to all but a and d', bytes], ['to y but b', 'to all but a and d', bytes], [bytes]])
})

test('who is excepted at another gateway is not excepted here', async () => {
  const a = await connected('x')
  worker.sendRoom(a.opened, 'x', [{ gateway: 4, connection: a.opened.connection }], 'hello')
  expect(await heard(a)).toEqual([['hello']])
})

test('names of any length that is padded, and messages of any length, come whole', async () => {
  const names = ['a', 'ab', 'abc', 'abcd', 'öäü', 'x'.repeat(1024)]
  const a = await connected(...names)
  const texts = names.map((name, index) => `to ${name} ${'.'.repeat(index * 50)}`)
  names.forEach((name, index) => worker.sendRoom(a.opened, name, [], texts[index]!))
  expect(await heard(a)).toEqual([texts])
})

test('who leaves or goes hears no more', async () => {
  const [a, b, c] = [await connected('x', 'y'), await connected('x'), await connected('x')]
  worker.command(FrameType.LEAVE, a.opened, Buffer.from('x'))
  worker.command(FrameType.LEAVE, a.opened, Buffer.from('never was there'))
  b.client.ws.close()
  await worker.got(FrameType.CLOSED)
  worker.sendRoom(a.opened, 'x', [], 'to x')
  worker.sendRoom(a.opened, 'y', [], 'to y')
  expect(await heard(a, c)).toEqual([['to y'], ['to x']])
  expect(b.client.messages).toEqual([])
})

test('nothing is kept of connections that have ended in a room, nor of rooms that nobody is in', async () => {
  const staying = await connected('x')
  for (let n = 0; n < 5; n++) {
    const peer = await connected('x', `room ${n}`)
    // By then it has joined.
    await heard(peer)
    const { client } = peer
    if (n % 2 === 0) client.ws.close()
    else client.socket.resetAndDestroy()
    await worker.got(FrameType.CLOSED, n)
    worker.ack(...worker.events)
  }
  worker.sendRoom(staying.opened, 'x', [], 'to x')
  expect(await heard(staying)).toEqual([['to x']])
  // By the heap itself, after a collection of what nobody refers to.
  await until(() => queryObjects(Connection) === 1, () => `one connection, not ${queryObjects(Connection)}`)
})

test('connections are listed by room, with their rooms', async () => {
  const [a, b] = [await connected('x', 'y'), await connected('x')]
  await connected()
  await heard(a, b)
  const ids = [a, b].map(({ opened }) => openingOf(opened).head.id)
  expect((await listed('x')).map(({ id, rooms }) => ({ id, rooms }))).toEqual([{ id: ids[0], rooms: ['x', 'y'] }, { id: ids[1], rooms: ['x'] }])
  expect((await listed('y')).map(({ id }) => id)).toEqual([ids[0]])
  expect(await listed('z')).toEqual([])
  a.client.ws.close()
  await worker.got(FrameType.CLOSED)
  expect(await listed('y')).toEqual([])
})

test("rooms of one app are not another's", async () => {
  const a = await connected('x')
  const theirs = await platform.app('other', 8)
  const client = await platform.open('/other')
  const opened = await theirs.got(FrameType.OPEN)
  theirs.command(FrameType.JOIN, opened, Buffer.from('x'))
  worker.sendRoom(opened, 'x', [], 'forged')
  worker.sendRoom(a.opened, 'x', [], 'mine')
  theirs.sendRoom(opened, null, [], 'theirs')
  expect(await heard(a)).toEqual([['mine']])
  expect(await client.heard(1)).toEqual(['theirs'])
})

test('no more than 1,000 rooms, and no name above 1 KiB', async () => {
  const names = Array.from({ length: 1_001 }, (_, n) => `room ${n}`)
  const a = await connected('x'.repeat(1025), ...names)
  worker.sendRoom(a.opened, 'x'.repeat(1025), [], 'too long')
  worker.sendRoom(a.opened, 'room 999', [], 'the last')
  worker.sendRoom(a.opened, 'room 1000', [], 'one too many')
  expect(await heard(a)).toEqual([['the last']])
})

test('many messages to many members arrive whole and in order', async () => {
  const peers = await Promise.all(Array.from({ length: 50 }, async () => platform.open('/demo')))
  await worker.got(FrameType.OPEN, 49)
  const { opened } = await connected()
  for (const event of worker.events.filter(({ type }) => type === FrameType.OPEN)) worker.command(FrameType.JOIN, event, Buffer.from('x'))
  const texts = Array.from({ length: 4_000 }, (_, n) => `${n}`)
  for (const text of texts) worker.sendRoom(opened, 'x', [opened], text)
  await Promise.all(peers.map((client) => client.heard(texts.length)))
  for (const client of peers) expect(client.messages).toEqual(texts)
})
