import { randomBytes } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import { Flag, FrameType } from '@socklet/protocol'
import type { Client } from './support/client.ts'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'
import { openingOf, type FakeWorker, type Got } from './support/worker.ts'

/** The machine may be busy. */
const PATIENT = { timeout: 4_000 }

let platform: Platform
let worker: FakeWorker
afterEach(() => platform.stop())

async function start(limits: Record<string, number> = { compressFromBytes: 1_000 }): Promise<void> {
  platform = await startPlatform()
  worker = await platform.app('demo', 7, { limits })
}

async function connected(options: object = { perMessageDeflate: true }): Promise<{ client: Client; opened: Got }> {
  const index = worker.count(FrameType.OPEN)
  const client = await platform.open('/demo', [], options)
  return { client, opened: await worker.got(FrameType.OPEN, index) }
}

/** A masked frame with a mask of zeros. */
function frameOf(first: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(14)
  head[0] = first
  head[1] = 0xff
  head.writeUInt32BE(payload.byteLength, 6)
  return Buffer.concat([head, payload])
}

test('compression is off unless the app wants it and the client offers it', async () => {
  await start({})
  const off = await connected()
  await platform.stop()
  await start()
  const on = await connected()
  const notOffered = await connected({ perMessageDeflate: false })
  expect([off, on, notOffered].map(({ client }) => client.ws.extensions)).toEqual(['', 'permessage-deflate', ''])
  expect([off, on].map(({ opened }) => openingOf(opened).head.extensions)).toEqual(['', 'permessage-deflate'])
})

test('messages from the limit on are compressed, and others are not', async () => {
  await start()
  const { client, opened } = await connected()
  const before = client.socket.bytesRead
  worker.send(opened, 'x'.repeat(100_000))
  await client.heard(1)
  const compressed = client.socket.bytesRead - before
  expect(compressed).toBeLessThan(1_000)
  worker.send(opened, 'y'.repeat(999))
  await client.heard(2)
  expect(client.socket.bytesRead - before - compressed).toBe(999 + 4)
  expect(client.messages).toEqual(['x'.repeat(100_000), 'y'.repeat(999)])
})

test('the order of all that is sent stays: large and small, to one, to many and to rooms, pings, a close', async () => {
  await start()
  const { client, opened } = await connected()
  const heard: string[] = []
  client.ws.on('message', (data, binary) => heard.push(`${binary ? 'b' : 't'} ${String(data)[0]!} ${(data as Buffer).byteLength}`))
  client.ws.on('ping', (data) => heard.push(`ping ${data.toString()}`))
  const sizes = [500_000, 1, 2_000, 0, 999, 100_000]
  const expected: string[] = []
  worker.command(FrameType.JOIN, opened, Buffer.from('x'))
  for (const [index, size] of [...sizes, ...sizes, ...sizes].entries()) {
    const letter = String.fromCharCode(97 + index)
    const data = letter.repeat(size + 1)
    if (index % 4 === 0) worker.send(opened, data)
    if (index % 4 === 1) worker.sendMany(opened, [opened.connection], data)
    if (index % 4 === 2) worker.sendRoom(opened, 'x', [], data)
    if (index % 4 === 3) worker.send(opened, Buffer.from(data))
    worker.command(FrameType.SEND_PING, opened, Buffer.from(letter))
    expected.push(`${index % 4 === 3 ? 'b' : 't'} ${letter} ${size + 1}`, `ping ${letter}`)
  }
  worker.close(opened, 4000)
  expect(await client.closed()).toBe(4000)
  expect(heard).toEqual(expected)
})

test('bytes go in and out unchanged, and the app hears when they were written', async () => {
  await start()
  worker.echo()
  const { client, opened } = await connected()
  const all = [0, 1, 125, 126, 999, 1_000, 65_535, 65_536, 900_000].map((size) => randomBytes(size))
  for (const data of all) client.ws.send(data)
  const heard = (await client.heard(all.length)) as Buffer[]
  heard.forEach((data, index) => expect(all[index]!.equals(data)).toBe(true))
  worker.command(FrameType.SEND, opened, Buffer.alloc(50_000), Flag.TELL | Flag.BINARY, 7)
  await until(() => worker.log.includes('SENT 7'))
})

test('messages to a client with compression and one without are the same', async () => {
  await start()
  const [one, two] = [await connected(), await connected({ perMessageDeflate: false })]
  worker.sendMany(one.opened, [one.opened.connection, two.opened.connection], 'z'.repeat(20_000))
  expect(await one.client.heard(1)).toEqual(['z'.repeat(20_000)])
  expect(await two.client.heard(1)).toEqual(['z'.repeat(20_000)])
})

test('a compression bomb is closed with 1009 before it is large', async () => {
  await start({ compressFromBytes: 1_000, messageBytes: 100_000 })
  const [bomber, other] = [await connected(), await connected()]
  worker.echo()
  const bomb = deflateRawSync(Buffer.alloc(100 * 1024 * 1024))
  expect(bomb.byteLength).toBeLessThan(110_000)
  const before = process.memoryUsage().rss
  bomber.client.socket.write(frameOf(0xc2, bomb.subarray(0, 99_000)))
  expect(await bomber.client.closed()).toBe(1009)
  expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000)
  await worker.got(FrameType.CLOSED)
  expect(worker.log.filter((line) => /MESSAGE|ERROR|CLOSED/.test(line))).toEqual(['ERROR', 'CLOSED 1006'])
  other.client.ws.send('still here')
  expect(await other.client.heard(1)).toEqual(['still here'])
})

test('what is no compressed data is closed with 1007, and compressed data without the extension with 1002', async () => {
  await start()
  const [one, two] = [await connected(), await connected({ perMessageDeflate: false })]
  one.client.socket.write(frameOf(0xc2, Buffer.alloc(100, 0xff)))
  two.client.socket.write(frameOf(0xc2, deflateRawSync(Buffer.from('hello'))))
  expect(await one.client.closed()).toBe(1007)
  expect(await two.client.closed()).toBe(1002)
})

test('a client that wants a small window is served without compression rather than refused', async () => {
  await start()
  const { client } = await connected({ perMessageDeflate: { serverMaxWindowBits: 9 } })
  expect(client.ws.extensions).toBe('')
  expect(client.ws.readyState).toBe(client.ws.OPEN)
})

test('a client that reads too slowly is closed, and what it holds back is said', async () => {
  await start({ compressFromBytes: 1_000, sendBufferBytes: 300_000 })
  const { client, opened } = await connected()
  client.socket.pause()
  const timer = setInterval(() => worker.send(opened, randomBytes(100_000)), 2)
  await until(() => worker.count(FrameType.BUFFERED) > 0 || worker.count(FrameType.CLOSED) > 0)
  await expect.poll(async () => (await platform.pool.control!.call('connections', { app: 7, limit: 1, after: 0 })).items.length, PATIENT).toBe(0)
  clearInterval(timer)
  client.socket.resume()
  expect(await client.closed()).toBe(1013)
})
