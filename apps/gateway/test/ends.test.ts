import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { FrameType } from '@socklet/protocol'
import type { Client } from './support/client.ts'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'
import { type FakeWorker, type Got } from './support/worker.ts'

/*
 * A connection can end in many ways. However it does, the app gets one close event, after everything else,
 * with the code that ws would give, and nothing of the connection stays.
 */

/** Of the heartbeat. */
const PING = Buffer.from('\x89\x07socklet', 'latin1')
/** The machine may be busy. */
const PATIENT = { timeout: 4_000 }

let platform: Platform
afterEach(() => platform.stop())

interface Ending {
  worker: FakeWorker
  client: Client
  opened: Got
}

/** A masked frame with a mask of zeros, short. */
function frame(first: number, payload: number[] = [], mask = 0x80): Buffer {
  return Buffer.from([first, mask | payload.length, ...(mask === 0 ? [] : [0, 0, 0, 0]), ...payload])
}

const ERROR = /^ERROR,CLOSED 1006$/

const ENDINGS: [name: string, end: (on: Ending) => unknown, log: RegExp, client: number | null][] = [
  ['a close without a code', ({ client }) => client.ws.close(), /^CLOSED 1005$/, 1005],
  ['a close with a code and a reason', ({ client }) => client.ws.close(4321, 'because'), /^CLOSED 4321 because$/, 4321],
  ['a reset', ({ client }) => client.socket.resetAndDestroy(), /^CLOSED 1006$/, null],
  ['the end of the stream', ({ client }) => client.socket.end(), /^CLOSED 1006$/, null],
  ['the end in the middle of a frame', ({ client }) => client.socket.end(frame(0x81, [1, 2, 3]).subarray(0, 7)), /^CLOSED 1006$/, null],
  ['a close from the app that the client answers', ({ worker, opened }) => worker.close(opened, 4000, 'x'), /^CLOSED 4000 x$/, 4000],
  ['a close from the app that the client does not answer', ({ worker, client, opened }) => client.socket.pause() && worker.close(opened, 4000), /^CLOSED 1006$/, null],
  ['terminate from the app', ({ worker, opened }) => worker.command(FrameType.TERMINATE, opened), /^CLOSED 1006$/, 1006],
  ['a half-open peer', ({ client }) => client.socket.pause(), /^CLOSED 1006$/, null],
  ['RSV1', ({ client }) => client.socket.write(frame(0xc1)), ERROR, 1002],
  ['RSV2', ({ client }) => client.socket.write(frame(0xa1)), ERROR, 1002],
  ['RSV3', ({ client }) => client.socket.write(frame(0x91)), ERROR, 1002],
  ['a reserved opcode', ({ client }) => client.socket.write(frame(0x83)), ERROR, 1002],
  ['a reserved control opcode', ({ client }) => client.socket.write(frame(0x8b)), ERROR, 1002],
  ['a frame that is not masked', ({ client }) => client.socket.write(frame(0x81, [97], 0)), ERROR, 1002],
  ['a continuation of nothing', ({ client }) => client.socket.write(frame(0x80)), ERROR, 1002],
  ['a new message within a message', ({ client }) => client.socket.write(Buffer.concat([frame(0x01, [97]), frame(0x81, [97])])), ERROR, 1002],
  ['a ping in fragments', ({ client }) => client.socket.write(frame(0x09)), ERROR, 1002],
  ['a ping that is too long', ({ client }) => client.socket.write(Buffer.concat([Buffer.from([0x89, 0xfe, 0, 126, 0, 0, 0, 0]), Buffer.alloc(126)])), ERROR, 1002],
  ['a close frame of one byte', ({ client }) => client.socket.write(frame(0x88, [3])), ERROR, 1002],
  ['a close frame with a reserved code', ({ client }) => client.socket.write(frame(0x88, [0x03, 0xed])), ERROR, 1002],
  ['a close frame whose reason is no UTF-8', ({ client }) => client.socket.write(frame(0x88, [0x03, 0xe8, 0xff])), ERROR, 1007],
  ['text that is no UTF-8', ({ client }) => client.socket.write(frame(0x81, [0xc3, 0x28])), ERROR, 1007],
  ['half a surrogate pair, in fragments', ({ client }) => client.socket.write(Buffer.concat([frame(0x01, [0xed, 0xa0]), frame(0x80, [0x80])])), ERROR, 1007],
  ['a message above the limit', ({ client }) => client.ws.send(Buffer.alloc(1_001)), ERROR, 1009],
  ['fragments above the limit', ({ client }) => Array.from({ length: 11 }, () => client.ws.send(Buffer.alloc(100), { fin: false })), ERROR, 1009],
  ['a length above all numbers', ({ client }) => client.socket.write(Buffer.from([0x82, 0xff, ...Array.from({ length: 8 }, () => 255), 0, 0, 0, 0])), ERROR, 1009],
  ['empty fragments by the million', ({ client }) => client.socket.write(Buffer.concat([frame(0x01), ...Array.from({ length: 100_000 }, () => frame(0x00))])), ERROR, 1008]
]

test.each(ENDINGS)('%s', async (_name, end, log, code) => {
  platform = await startPlatform({ times: { heartbeat: 300, closeHandshake: 200 } })
  const worker = await platform.app('demo', 7, { limits: { messageBytes: 1_000 } })
  const client = await platform.open('/demo')
  const bystander = await platform.open('/demo')
  const opened = await worker.got(FrameType.OPEN)
  client.ws.send('last words')
  const message = await worker.got(FrameType.MESSAGE)
  end({ worker, client, opened })
  const closed = await worker.got(FrameType.CLOSED)
  if (code !== null) expect(await client.closed()).toBe(code)
  // What else could come of it has come when another client has been heard.
  bystander.ws.send('later')
  await worker.got(FrameType.MESSAGE, 1)
  const own = worker.events.filter(({ connection }) => connection === opened.connection)
  expect(own.slice(0, 2)).toEqual([opened, message])
  expect(own.at(-1)).toBe(closed)
  expect(worker.log.filter((_line, index) => worker.events[index]!.connection === opened.connection).slice(2).join()).toMatch(log)
  worker.ack(...worker.events)
  await expect.poll(async () => (await platform.traffic(7)).queueEvents, PATIENT).toBe(0)
  expect((await platform.traffic(7)).connections).toBe(1)
})

test('a client that is gone before its connection event is handled gets both events, in order', async () => {
  platform = await startPlatform()
  const worker = await platform.app('demo', 7)
  for (let n = 0; n < 20; n++) {
    const client = await platform.open('/demo')
    if (n % 2 === 0) client.socket.resetAndDestroy()
    else client.ws.terminate()
  }
  await worker.got(FrameType.CLOSED, 19)
  for (const event of worker.events.filter(({ type }) => type === FrameType.OPEN)) {
    const own = worker.events.filter(({ connection }) => connection === event.connection).map(({ type }) => type)
    expect(own).toEqual([FrameType.OPEN, FrameType.CLOSED])
  }
})

test('a message of 16 MiB, in fragments of all sizes with pings between, is heard whole and answered whole', async () => {
  platform = await startPlatform()
  const worker = await platform.app('demo', 7, { limits: { messageBytes: 16 * 1024 * 1024 } })
  worker.echo()
  const client = await platform.open('/demo', [], { maxPayload: 0 })
  const whole = Buffer.alloc(16 * 1024 * 1024, 'socklet, a function that serves a WebSocket; ')
  let pongs = 0
  client.ws.on('pong', () => pongs++)
  let at = 0
  for (let size = 64; at < whole.byteLength; size = Math.min(size + 640, 65_536)) {
    client.ws.send(whole.subarray(at, at + size), { fin: at + size >= whole.byteLength })
    if (size % 4 === 0) client.ws.ping()
    at += size
    if (client.socket.writableLength > 1_000_000) await until(() => client.socket.writableLength === 0)
  }
  const [answer] = await client.heard(1)
  expect(whole.equals(answer as Buffer)).toBe(true)
  expect(pongs).toBeGreaterThan(10)
}, 20_000)

test('4 MiB in fragments of 64 bytes is a message like any other', async () => {
  platform = await startPlatform()
  const worker = await platform.app('demo', 7, { limits: { messageBytes: 4 * 1024 * 1024 } })
  const client = await platform.open('/demo')
  const part = Buffer.alloc(64, 'x')
  const count = 64 * 1024
  for (let n = 0; n < count; n++) {
    client.ws.send(part, { fin: n === count - 1 })
    if (client.socket.writableLength > 1_000_000) await until(() => client.socket.writableLength === 0)
  }
  expect((await worker.got(FrameType.MESSAGE)).payload.byteLength).toBe(4 * 1024 * 1024)
}, 20_000)

/** A client that shakes hands by hand, and never ends its socket. */
async function neverEnds(): Promise<{ socket: Socket; received: () => Buffer; ended: Promise<unknown> }> {
  const socket = connect({ port: platform.port, host: '127.0.0.1', allowHalfOpen: true })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => {})
  const ended = once(socket, 'end')
  socket.write('GET /demo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n')
  await until(() => Buffer.concat(chunks).includes('\r\n\r\n'))
  return { socket, ended, received: () => { const all = Buffer.concat(chunks); return all.subarray(all.indexOf('\r\n\r\n') + 4) } }
}

test.each(['the client', 'the app'])('when both close frames have passed, %s first, the socket is closed, and nobody waits for the client to end it', async (first) => {
  platform = await startPlatform({ times: { heartbeat: 60_000, closeHandshake: 60_000 } })
  const worker = await platform.app('demo', 7)
  const { socket, ended, received } = await neverEnds()
  const opened = await worker.got(FrameType.OPEN)
  if (first === 'the app') {
    worker.close(opened, 4000)
    await until(() => received().byteLength > 0)
  }
  socket.write(frame(0x88, [0x0f, 0xa0]))
  await ended
  expect(received()).toEqual(Buffer.of(0x88, 2, 0x0f, 0xa0))
  expect((await worker.got(FrameType.CLOSED)).payload.readUInt16LE(0)).toBe(4000)
  socket.destroy()
})

test('a client that sends on and on behind its close frame is closed all the same', async () => {
  platform = await startPlatform({ times: { heartbeat: 60_000, closeHandshake: 200 } })
  const worker = await platform.app('demo', 7)
  const { socket } = await neverEnds()
  await worker.got(FrameType.OPEN)
  let over = false
  const more = (error?: Error | null): void => {
    if (error) over = true
    else socket.write(Buffer.alloc(65_536), more)
  }
  socket.write(frame(0x88, [0x0f, 0xa0]), more)
  expect((await worker.got(FrameType.CLOSED)).payload.readUInt16LE(0)).toBe(4000)
  await until(() => over, 'the end of what it sends')
  expect(worker.log).toEqual(['OPEN', 'CLOSED 4000'])
})

test.each(['the platform', 'the app'])('a client that may still answer a ping of %s is waited for', async (whose) => {
  platform = await startPlatform({ times: { heartbeat: 200, closeHandshake: 60_000 } })
  const worker = await platform.app('demo', 7)
  const { socket, ended, received } = await neverEnds()
  const opened = await worker.got(FrameType.OPEN)
  if (whose === 'the app') worker.command(FrameType.SEND_PING, opened)
  await until(() => received().byteLength > 0, 'a ping')
  socket.write(frame(0x88, [0x0f, 0xa0]))
  await ended
  // A socket that is closed would be answered with a reset.
  socket.write(frame(0x8a))
  socket.write(frame(0x8a))
  await sleep(50)
  expect(worker.count(FrameType.CLOSED)).toBe(0)
  expect(socket.destroyed).toBe(false)
  socket.end()
  expect((await worker.got(FrameType.CLOSED)).payload.readUInt16LE(0)).toBe(4000)
})

test('a client that closes before it has read what waits for it gets all of that, and the close frame', { timeout: 20_000 }, async () => {
  platform = await startPlatform({ times: { heartbeat: 60_000, closeHandshake: 60_000 } })
  const worker = await platform.app('demo', 7)
  const { socket, ended, received } = await neverEnds()
  socket.pause()
  const opened = await worker.got(FrameType.OPEN)
  const message = Buffer.alloc(1024 * 1024, 'm')
  for (let n = 0; n < 12; n++) worker.send(opened, message)
  await expect.poll(async () => (await platform.traffic(7)).messagesOut, PATIENT).toBe(12)
  socket.write(frame(0x88, [0x03, 0xe8]))
  setTimeout(() => socket.resume(), 100)
  await ended
  // The heartbeat's first ping may be among them.
  const pings = received().includes(PING) ? PING.byteLength : 0
  expect(received().byteLength).toBe(12 * (message.byteLength + 10) + pings + 4)
  expect(received().subarray(-4)).toEqual(Buffer.of(0x88, 2, 0x03, 0xe8))
  await worker.got(FrameType.CLOSED)
  socket.destroy()
})
