import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FrameType } from '@socklet/protocol'
import type { Client } from './support/client.ts'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'
import type { FakeWorker } from './support/worker.ts'

let platform: Platform
let busy: FakeWorker
let quiet: FakeWorker
beforeEach(async () => {
  platform = await startPlatform()
  busy = await platform.app('busy', 7, { limits: { messagesPerSecond: 1_000_000, queueEvents: 1_000_000, queueBytes: 256 * 1024 * 1024, messageBytes: 16 * 1024 * 1024 } })
  quiet = await platform.app('quiet', 8)
})
afterEach(() => platform.stop())

const [FIN, CONTINUATION, TEXT, BINARY, PING] = [0x80, 0, 1, 2, 9]

/** Masked with zeros. */
function frame(first: number, payload = ''): Buffer {
  return Buffer.concat([Buffer.of(first, 0x80 | payload.length, 0, 0, 0, 0), Buffer.from(payload)])
}

/** Masked at random, and as long as it may be. */
function masked(first: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(14)
  head[0] = first
  head[1] = 0x80 | 127
  head.writeUInt32BE(payload.length, 6)
  const mask = randomBytes(4)
  mask.copy(head, 10)
  return Buffer.concat([head, payload.map((byte, index) => byte ^ mask[index % 4]!)])
}

const times = (count: number, bytes: Buffer): Buffer => Buffer.concat(Array.from({ length: count }, () => bytes))

/** How much of the other app's was done when the quiet one's message was through. Both have sent before the gateway reads anything. */
async function doneBefore(sender: Client, bytes: Buffer, done: () => number): Promise<number> {
  const other = await platform.open('/quiet')
  await quiet.got(FrameType.OPEN)
  const result = new Promise<number>((resolve) => {
    quiet.onEvent = (event) => {
      if (event.type === FrameType.MESSAGE) resolve(done())
    }
  })
  sender.socket.write(bytes)
  other.socket.write(frame(FIN | TEXT, 'x'))
  return result
}

test('one read is full of messages: another app is served in between, and each arrives, in order', async () => {
  const sender = await platform.open('/busy')
  const all = Array.from({ length: 8_000 }, (_, n) => `${n}`)
  const before = await doneBefore(sender, Buffer.concat(all.map((each) => frame(FIN | TEXT, each))), () => busy.count(FrameType.MESSAGE))
  expect(before).toBeLessThan(3_000)
  await busy.got(FrameType.MESSAGE, 7_999)
  expect(busy.events.filter(({ type }) => type === FrameType.MESSAGE).map(({ text }) => text)).toEqual(all)
})

test('pings too, and each is answered', async () => {
  const sender = await platform.open('/busy')
  let pongs = 0
  sender.ws.on('pong', () => void pongs++)
  expect(await doneBefore(sender, times(8_000, frame(FIN | PING)), () => pongs)).toBeLessThan(3_000)
  await until(() => pongs === 8_000, () => `${pongs} pongs`)
})

test('a message in many small fragments takes its time, and arrives whole', async () => {
  const sender = await platform.open('/busy')
  const start = Date.now()
  const body = times(15_000, frame(CONTINUATION, 'b'))
  const before = await doneBefore(sender, Buffer.concat([frame(TEXT, 'a'), body, frame(FIN | CONTINUATION, 'c')]), () => busy.count(FrameType.MESSAGE))
  expect(before).toBe(0)
  expect((await busy.got(FrameType.MESSAGE)).text).toBe(`a${'b'.repeat(15_000)}c`)
  // 20,000 a second, after a burst of 2,000.
  expect(Date.now() - start).toBeGreaterThan(550)
})

test('the rate of small fragments is that of the app, not of a connection, and the app goes on otherwise', async () => {
  const senders = await Promise.all([1, 2, 3, 4].map(() => platform.open('/busy')))
  const start = Date.now()
  for (const { socket } of senders) socket.write(Buffer.concat([frame(TEXT), times(5_000, frame(CONTINUATION, 'b')), frame(FIN | CONTINUATION)]))
  const other = await platform.open('/busy')
  other.ws.send('meanwhile')
  expect((await busy.got(FrameType.MESSAGE)).text).toBe('meanwhile')
  await busy.got(FrameType.MESSAGE, 4)
  expect(Date.now() - start).toBeGreaterThan(800)
})

test.each([
  ['small ones, more than there may be', 16_500, 0, 1008],
  ['small ones, as many as there may be', 16_000, 0, null],
  ['of 40 bytes, more than of small ones', 20_000, 40, null]
])('fragments of a message with a limit of 16 MiB: %s', async (_name, count, size, code) => {
  const sender = await platform.open('/busy')
  sender.socket.write(Buffer.concat([frame(TEXT), times(count, frame(CONTINUATION, 'b'.repeat(size))), frame(FIN | CONTINUATION, 'end')]))
  if (code === null) expect((await busy.got(FrameType.MESSAGE)).payload.byteLength).toBe(count * size + 3)
  else expect(await sender.closed()).toBe(code)
})

test.each(['one frame', 'several, with pings between them'])('a message that comes in pieces of any size, in %s, arrives as it was', async (how) => {
  const sender = await platform.open('/busy')
  sender.socket.setNoDelay(true)
  const message = randomBytes(100_003)
  const cuts = how === 'one frame' ? [0, message.length] : [0, 1, 258, 1_001, 30_006, 99_999, message.length]
  const frames = cuts.slice(1).flatMap((end, index) => {
    const first = index === 0 ? BINARY : CONTINUATION
    return [masked(end === message.length ? FIN | first : first, message.subarray(cuts[index], end)), frame(FIN | PING)]
  })
  const bytes = Buffer.concat(frames)
  for (let start = 0, size = 1; start < bytes.length; start += size, size = (size * 7) % 9_973) {
    sender.socket.write(bytes.subarray(start, start + size))
    // Each is a read of its own.
    await sleep(1)
  }
  expect(Buffer.compare((await busy.got(FrameType.MESSAGE)).payload, message)).toBe(0)
})

test('a client that dies while it has to wait is closed once, after what it had sent', async () => {
  const sender = await platform.open('/busy')
  sender.socket.write(Buffer.concat([frame(TEXT), times(9_000, frame(CONTINUATION, 'b')), frame(FIN | CONTINUATION)]), () => sender.socket.destroy())
  await busy.got(FrameType.CLOSED)
  await sleep(20)
  expect(busy.events.map(({ type }) => type)).toEqual([FrameType.OPEN, FrameType.MESSAGE, FrameType.CLOSED])
  busy.ack(...busy.events)
  await expect.poll(async () => (await platform.traffic(7)).connections).toBe(0)
})

test.each<[string, Buffer, number]>([
  ['a message that is too large', Buffer.concat([Buffer.of(0x82, 0xff, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0)]), 1009],
  ['a protocol error', frame(FIN | 3), 1002],
  ['a close frame and more', Buffer.concat([Buffer.of(0x88, 0x82, 0, 0, 0, 0, 0x0f, 0xa0), frame(FIN | PING)]), 4000]
])('what is sent after %s is read slowly, and costs nobody anything', async (_name, bytes, code) => {
  const sender = await platform.open('/busy')
  await busy.got(FrameType.OPEN)
  sender.socket.pause()
  let sent = 0
  const piece = Buffer.alloc(64 * 1024)
  const more = (error?: Error | null): void => {
    if (error || sender.socket.destroyed) return
    sent++
    sender.socket.write(piece, more)
  }
  sender.socket.on('error', () => {})
  sender.socket.write(bytes, more)
  await until(() => sent > 100, 'more than the system keeps')
  const [before, start] = [sent, performance.now()]
  await sleep(400)
  // 64 KiB in 5 ms are 0.2 in each.
  expect((sent - before) / (performance.now() - start)).toBeLessThan(0.3)
  sender.socket.resume()
  await until(() => sender.code !== null)
  expect(sender.code).toBe(code)
})
