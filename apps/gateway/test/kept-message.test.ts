import { afterEach, beforeEach, expect, test } from 'vitest'
import { Flag, FrameType } from '@socklet/protocol'
import type { Client } from './support/client.ts'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'
import type { FakeWorker, Got } from './support/worker.ts'

// What an app sends on as it came does not travel back from its worker: the command names the event (kept-message.ts of the protocol).

const MiB = 1024 * 1024
let platform: Platform
let worker: FakeWorker
beforeEach(async () => {
  platform = await startPlatform()
  worker = await platform.app('demo', 7)
})
afterEach(() => platform.stop())

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** Sends the message of the event to its own connection, or to these. */
function sendBack(event: Got, to?: number[], flags = 0): void {
  if (to === undefined) worker.command(FrameType.SEND, event, number(event.sequence), Flag.EXTERNAL | flags)
  else worker.command(FrameType.SEND_MANY, { ...event, connection: 0 }, Buffer.concat([number(4), number(event.sequence), ...to.map(number)]), Flag.EXTERNAL | flags)
}

async function message(client: Client, data: string | Buffer): Promise<Got> {
  client.ws.send(data)
  return worker.got(FrameType.MESSAGE, worker.count(FrameType.MESSAGE))
}

test.each([0, 1, 125, 126, 65_535, 65_536, 1_000_000])('a message of %i bytes, to one and to many, as text and as bytes', async (length) => {
  const [one, two] = [await platform.open('/demo'), await platform.open('/demo')]
  const connections = [await worker.got(FrameType.OPEN, 0), await worker.got(FrameType.OPEN, 1)].map(({ connection }) => connection)
  const text = 'x'.repeat(length)
  const event = await message(one, text)
  sendBack(event)
  sendBack(event, connections)
  sendBack(event, connections, Flag.BINARY)
  worker.ack(event)
  expect(await one.heard(3)).toEqual([text, text, Buffer.from(text)])
  expect(await two.heard(2)).toEqual([text, Buffer.from(text)])
})

test('it is there in its place also where it waits for others, and its handler has settled meanwhile', async () => {
  const client = await platform.open('/demo')
  const event = await message(client, 'as it came')
  // More than is done in one turn of the event loop.
  worker.sendMany(event, Array.from({ length: 40_000 }, () => event.connection), 'before')
  sendBack(event)
  sendBack(event, [event.connection, event.connection])
  worker.send(event, 'after')
  worker.ack(event)
  const heard = await client.heard(40_004)
  expect(heard.slice(39_999)).toEqual(['before', 'as it came', 'as it came', 'as it came', 'after'])
})

test.each([
  ['no event', (event: Got) => ({ ...event, sequence: event.sequence + 1 })],
  ['an event that is no message', (_event: Got, opened: Got) => opened],
  ['an event that has settled', (event: Got) => {
    worker.ack(event)
    return event
  }]
])('a worker that names %s is none of ours', async (_, named) => {
  const client = await platform.open('/demo')
  const opened = await worker.got(FrameType.OPEN)
  const event = await message(client, 'hello')
  sendBack(named(event, opened))
  await until(() => worker.closed)
  expect(client.messages).toEqual([])
  expect(client.code).toBeNull()
})

test.each([
  ['nothing', FrameType.SEND, Buffer.alloc(0)],
  ['more than one number', FrameType.SEND, Buffer.alloc(8)],
  ['no number, to many', FrameType.SEND_MANY, number(4)],
  ['a message of its own, to many', FrameType.SEND_MANY, Buffer.concat([number(8), Buffer.alloc(8)])]
])('a command with %s in its place ends the link', async (_, type, payload) => {
  const client = await platform.open('/demo')
  const event = await message(client, 'hello')
  worker.command(type, event, payload, Flag.EXTERNAL)
  await until(() => worker.closed)
})

// A worker that was taken over can ask for a megabyte with a command of 28 bytes.
test('small commands for large messages take neither all memory nor the time of others', async () => {
  const one = await platform.open('/demo')
  const neighbour = await platform.app('neighbour', 8)
  neighbour.echo()
  const client = await platform.open('/neighbour')
  one.socket.pause()
  const event = await message(one, Buffer.alloc(MiB))
  const before = process.memoryUsage().rss
  let most = 0
  const watching = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 5)
  for (let n = 0; n < 5_000; n++) sendBack(event)
  for (let n = 0; n < 20; n++) {
    client.ws.send(`${n}`)
    await client.heard(n + 1)
  }
  await worker.got(FrameType.CLOSED)
  clearInterval(watching)
  expect(platform.pool.logs.map(({ line }) => line.message).join()).toContain('messages were dropped')
  expect(most - before).toBeLessThan(300 * MiB)
})
