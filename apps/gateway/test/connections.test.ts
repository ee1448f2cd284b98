import { afterEach, beforeEach, expect, test } from 'vitest'
import { FrameType, Flag, type ErrorHead } from '@socklet/protocol'
import type { Client } from './support/client.ts'
import { startPlatform, type Platform } from './support/platform.ts'
import type { FakeWorker, Got } from './support/worker.ts'

let platform: Platform
let worker: FakeWorker
beforeEach(async () => {
  platform = await startPlatform()
  worker = await platform.app('demo', 7)
})
afterEach(() => platform.stop())

async function connected(path = '/demo'): Promise<{ client: Client; opened: Got }> {
  const index = worker.count(FrameType.OPEN)
  const client = await platform.open(path)
  return { client, opened: await worker.got(FrameType.OPEN, index) }
}

test('the events of a connection come in order, the close event last and once', async () => {
  const { client, opened } = await connected()
  for (const text of ['one', 'two', 'three']) client.ws.send(text)
  client.ws.close(4001, 'bye')
  await worker.got(FrameType.CLOSED)
  expect(worker.log).toEqual(['OPEN', 'MESSAGE one', 'MESSAGE two', 'MESSAGE three', 'CLOSED 4001 bye'])
  expect(worker.events.map((event) => event.sequence)).toEqual([0, 1, 2, 3, 4])
  expect(new Set(worker.events.map((event) => event.connection))).toEqual(new Set([opened.connection]))
})

test('codes of the close event are those of ws', async () => {
  const one = await connected()
  one.client.ws.close()
  await worker.got(FrameType.CLOSED)
  const two = await connected()
  two.client.ws.terminate()
  await worker.got(FrameType.CLOSED, 1)
  expect(worker.log.filter((line) => line.startsWith('CLOSED'))).toEqual(['CLOSED 1005', 'CLOSED 1006'])
})

test('bytes go in and out unchanged, text and binary, of all sizes', async () => {
  worker.echo()
  const { client } = await connected()
  const texts = ['', 'é', 'x'.repeat(125), 'y'.repeat(126), 'z'.repeat(70_000)]
  const binaries = [0, 1, 125, 126, 65_535, 65_536, 300_000].map((length) => Buffer.from(Array.from({ length }, (_, n) => n & 255)))
  for (const text of texts) client.ws.send(text)
  for (const binary of binaries) client.ws.send(binary)
  const heard = await client.heard(texts.length + binaries.length)
  expect(heard.slice(0, texts.length)).toEqual(texts)
  heard.slice(texts.length).forEach((data, index) => expect(binaries[index]!.equals(data as Buffer)).toBe(true))
})

test('fragments make one message', async () => {
  const { client } = await connected()
  client.ws.send('to', { fin: false })
  client.ws.send('gether', { fin: true })
  expect((await worker.got(FrameType.MESSAGE)).text).toBe('together')
})

test('a protocol error reaches the function as an error and a close', async () => {
  const { client } = await connected()
  client.socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xff, 0xff]))
  expect(await client.closed()).toBe(1007)
  await worker.got(FrameType.CLOSED)
  expect(worker.log.map((line) => line.split(' ')[0])).toEqual(['OPEN', 'ERROR', 'CLOSED'])
  expect(JSON.parse((await worker.got(FrameType.ERROR)).text) as ErrorHead).toMatchObject({ name: 'Error', code: 'WS_ERR_INVALID_UTF8' })
})

test('an unmasked frame is closed with 1002', async () => {
  const { client } = await connected()
  client.socket.write(Buffer.from([0x81, 0x01, 0x68]))
  expect(await client.closed()).toBe(1002)
})

test('commands take effect in order: what is sent before a close arrives before it', async () => {
  const { client, opened } = await connected()
  worker.send(opened, 'one')
  worker.send(opened, Buffer.from('two'))
  worker.close(opened, 4000, 'enough')
  worker.send(opened, 'too late')
  expect(await client.closed()).toBe(4000)
  expect(client.reason).toBe('enough')
  expect(client.messages).toEqual(['one', Buffer.from('two')])
})

test('close without a code, with a code that no frame can have, and terminate', async () => {
  const [one, two, three] = [await connected(), await connected(), await connected()]
  worker.command(FrameType.CLOSE, one.opened)
  worker.close(two.opened, 999)
  worker.send(three.opened, 'last words')
  worker.command(FrameType.TERMINATE, three.opened)
  expect(await one.client.closed()).toBe(1005)
  expect(await two.client.closed()).toBe(1006)
  expect(await three.client.closed()).toBe(1006)
  expect(three.client.messages).toEqual(['last words'])
})

test('one message to many is heard by each as often as it is on the list', async () => {
  const all = [await connected(), await connected(), await connected()]
  const numbers = all.map(({ opened }) => opened.connection)
  worker.sendMany(all[0]!.opened, [numbers[0]!, numbers[2]!, numbers[2]!, 12_345], 'hello')
  worker.sendMany(all[0]!.opened, numbers, 'all')
  worker.sendMany(all[0]!.opened, [], 'nobody')
  await Promise.all(all.map(({ client }, index) => client.heard([2, 1, 3][index]!)))
  expect(all.map(({ client }) => client.messages)).toEqual([['hello', 'all'], ['all'], ['hello', 'hello', 'all']])
})

test('sending to a connection that is gone is nothing', async () => {
  const one = await connected()
  const two = await connected()
  one.client.ws.close()
  await worker.got(FrameType.CLOSED)
  worker.send(one.opened, 'x')
  worker.close(one.opened, 1000)
  worker.send(two.opened, 'y')
  expect(await two.client.heard(1)).toEqual(['y'])
})

test('thousands of messages in one batch arrive whole and in order', async () => {
  const { client, opened } = await connected()
  const texts = Array.from({ length: 5_000 }, (_, n) => `message ${n}`)
  for (const text of texts) worker.send(opened, text)
  expect(await client.heard(texts.length)).toEqual(texts)
})

test('the number of a connection is free only after its close event has settled', async () => {
  const { client, opened } = await connected()
  client.ws.close()
  const closed = await worker.got(FrameType.CLOSED)
  worker.ack(opened, closed)
  const two = await connected()
  expect(two.opened.connection).not.toBe(opened.connection)
  expect((await platform.traffic(7)).queueEvents).toBe(1)
})

test('counters', async () => {
  worker.echo()
  const { client } = await connected()
  client.ws.send('12345')
  await client.heard(1)
  expect(await platform.traffic(7)).toEqual({
    connections: 1,
    connectionsOpened: 1,
    events: { connection: 1, message: 1, close: 0, error: 0, request: 0 },
    messagesOut: 1,
    bytesIn: 5,
    bytesOut: 5,
    queueEvents: 0,
    queueBytes: 0,
    refused: {},
    limits: {}
  })
  expect(worker.events.every((event) => (event.flags & Flag.REDELIVERED) === 0)).toBe(true)
})
