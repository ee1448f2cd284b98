import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FrameType } from '@socklet/protocol'
import { at, routeOf, startPlatform, untilAsync, type Platform, type RouteChange } from './support/platform.ts'
import { upload, type Upload } from './support/upload.ts'
import { until } from './support/until.ts'
import { requestOf } from './support/worker.ts'

// What may wait for an app was looked at once for each request, when nothing of its body was there. 150 uploads that began at the same time brought
// 1.3 GB into a gateway, for an app that may have 16 MiB waiting.

const MiB = 1024 * 1024
const change: RouteChange = { functions: { __websocket__: [], f: [] }, limits: { queueBytes: 1_000_000 } }
let platform: Platform
let uploads: Upload[]
beforeEach(async () => {
  platform = await startPlatform()
  uploads = []
})
afterEach(async () => {
  for (const { socket } of uploads) socket.destroy()
  await platform.stop()
})

async function begin(count: number, path = '/demo/f', header?: string): Promise<Upload[]> {
  const begun = await Promise.all(Array.from({ length: count }, () => upload(platform.port, path, header)))
  uploads.push(...begun)
  return begun
}

/** So much of the bodies has come. */
async function come(bytes: number): Promise<void> {
  await untilAsync(async () => (await platform.pool.control!.call('traffic', { app: 7 }))[7]?.bytesIn === bytes)
}

function refusedOf(all: Upload[]): Upload[] {
  return all.filter(({ status }) => status === 503)
}

test('bodies that all begin while nothing has come take no more room together than there is', async () => {
  const worker = await platform.app('demo', 7, change)
  worker.echo()
  const all = await begin(10)
  for (const one of all) one.chunk(300_000)
  await until(() => refusedOf(all).length === 7)
  for (const one of refusedOf(all)) expect(one.text).toContain('queue_full')
  // Those for which there was room are handled, and leave it to others.
  for (const one of all) if (one.status === 0) one.end()
  await until(() => all.filter(({ status }) => status === 200).length === 3)
  const [last] = await begin(1)
  last!.chunk(900_000)
  last!.end()
  expect(await last!.answered()).toBe(200)
  expect(platform.pool.logs.map(({ line }) => line.message).join()).toContain('limit queueBytes')
})

test('so it is with bodies whose length is announced; what is announced and does not come takes no room', async () => {
  const worker = await platform.app('demo', 7, change)
  worker.echo()
  const all = await begin(5, '/demo/f', 'content-length: 400000')
  const [one, two, three] = all
  // All of them have begun.
  for (const { socket } of all) socket.write('x')
  await come(5)
  one!.socket.write('x'.repeat(399_998))
  two!.socket.write('x'.repeat(399_998))
  await come(5 + 2 * 399_998)
  three!.socket.write('x'.repeat(399_998))
  expect(await three!.answered()).toBe(503)
  one!.socket.write('x')
  expect(await one!.answered()).toBe(200)
  expect(all.map(({ status }) => status)).toEqual([200, 0, 503, 0, 0])
})

test('what a refused or abandoned body has brought is room again', async () => {
  const worker = await platform.app('demo', 7, change)
  worker.echo()
  const [gone, refused, other] = await begin(3)
  gone!.chunk(900_000)
  await come(900_000)
  refused!.chunk(50_000)
  refused!.chunk(100_000)
  expect(await refused!.answered()).toBe(503)
  gone!.socket.destroy()
  await expect.poll(async () => {
    const [probe] = await begin(1, '/demo/f', 'content-length: 990000')
    probe!.socket.write('x'.repeat(990_000))
    return probe!.answered()
  }).toBe(200)
  other!.chunk(10)
  other!.end()
  expect(await other!.answered()).toBe(200)
})

test('a body that waits for a place takes room, too', async () => {
  platform.pool.routes.set('demo', routeOf('demo', 7, change))
  const all = await begin(2)
  all[0]!.chunk(600_000)
  all[0]!.end()
  await until(() => platform.pool.places.length === 1)
  all[1]!.chunk(600_000)
  expect(await all[1]!.answered()).toBe(503)
  platform.pool.placements.set(7, at(7, 7, 1))
  const worker = await platform.worker(7)
  worker.echo()
  expect(await all[0]!.answered()).toBe(200)
})

test('requests that waited for a place together are no more events than may wait', async () => {
  platform.pool.routes.set('demo', routeOf('demo', 7, { ...change, limits: { queueEvents: 3 } }))
  const all = await begin(8, '/demo/f', 'content-length: 0')
  await until(() => platform.pool.places.length === 1)
  platform.pool.placements.set(7, at(7, 7, 1))
  const worker = await platform.worker(7)
  await worker.got(FrameType.REQUEST, 2)
  await until(() => refusedOf(all).length === 5)
  worker.echo()
  worker.onEvent(await worker.got(FrameType.REQUEST))
  await until(() => all.some(({ status }) => status === 200))
  expect(worker.count(FrameType.REQUEST)).toBe(3)
})

test('a body is whole, whatever its parts are', async () => {
  const worker = await platform.app('demo', 7, { ...change, limits: {} })
  const [small, large] = await begin(2)
  const text = Array.from({ length: 3_000 }, (_, n) => String.fromCharCode(97 + (n % 26))).join('')
  small!.socket.write([...text].map((letter) => `1\r\n${letter}\r\n`).join(''))
  small!.end()
  expect(requestOf(await worker.got(FrameType.REQUEST)).body.toString()).toBe(text)
  for (let n = 0; n < 100; n++) large!.chunk(100_000)
  large!.end()
  expect(requestOf(await worker.got(FrameType.REQUEST, 1)).body.equals(Buffer.alloc(10_000_000, 'x'))).toBe(true)
})

test('a body that comes byte by byte takes no more memory than another', async () => {
  await platform.app('demo', 7, change)
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const [one] = await begin(1)
  one!.chunk(1)
  await come(1)
  gc()
  const before = process.memoryUsage()
  for (let n = 0; n < 10; n++) one!.socket.write('1\r\nx\r\n'.repeat(30_000))
  await come(300_001)
  gc()
  const after = process.memoryUsage()
  expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(8 * MiB)
})

test('a body for which all apps together leave no room is refused, though its own app has nothing waiting', async () => {
  await platform.stop()
  platform = await startPlatform({ queueBytes: 1 * MiB })
  await platform.app('other', 8)
  await platform.app('demo', 7, { functions: { f: [] } })
  const other = await platform.open('/other')
  other.ws.send(Buffer.alloc(MiB - 10_000))
  await untilAsync(async () => (await platform.traffic(8)).queueBytes > MiB - 10_000)
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const [large, small] = await begin(2)
  large!.chunk(70_000)
  expect(await large!.answered()).toBe(503)
  expect(large!.text).toContain('unavailable')
  expect(stderr.mock.calls.join()).toContain('refusing requests: more than 1 MiB')
  vi.restoreAllMocks()
  // What is small has room beyond that.
  small!.chunk(60_000)
  small!.end()
  await untilAsync(async () => (await platform.traffic(7)).queueEvents === 1)
})
