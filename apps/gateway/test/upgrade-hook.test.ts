import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Flag, FrameType, type UpgradeHead } from '@socklet/protocol'
import { Client, refused } from './support/client.ts'
import { at, routeOf, startPlatform, type Platform, type PlatformOptions } from './support/platform.ts'
import { until } from './support/until.ts'
import { openingOf, type FakeWorker, type Got } from './support/worker.ts'

/** The machine may be busy. */
const PATIENT = { timeout: 4_000 }

let platform: Platform
let worker: FakeWorker
async function start(options: PlatformOptions = {}, limits: Record<string, number> = {}): Promise<void> {
  platform = await startPlatform(options)
  worker = await platform.app('demo', 7, { upgrade: true, limits })
}
beforeEach(() => start())
afterEach(() => platform.stop())

/** A client that asks, and the event. */
async function asking(protocols: string[] = [], options = {}): Promise<{ client: Client; asked: Got }> {
  const index = worker.count(FrameType.UPGRADE)
  const client = new Client(platform.url('/demo/x?y=1'), protocols, options)
  return { client, asked: await worker.got(FrameType.UPGRADE, index) }
}

async function opened({ client }: { client: Client }): Promise<void> {
  await until(() => client.ws.readyState === client.ws.OPEN || client.code !== null)
}

const HANDSHAKE = `GET /demo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${'k'.repeat(22)}==\r\nSec-WebSocket-Version: 13\r\n\r\n`
function bareClient(): Socket {
  const socket = connect(platform.port, '127.0.0.1').on('error', () => {})
  socket.write(HANDSHAKE)
  return socket
}

async function queued(): Promise<number> {
  return (await platform.traffic(7)).queueEvents
}

test('the function is asked before the client is accepted, and hears what the client asks', async () => {
  const { client, asked } = await asking(['b', 'a'], { headers: { 'x-thing': 'v', 'x-request-id': 'mine' } })
  const head = JSON.parse(asked.text) as UpgradeHead
  expect(head).toMatchObject({ requestId: 'mine', url: '/x?y=1', address: '127.0.0.1', protocols: ['b', 'a'] })
  expect(head.headers).toMatchObject({ 'x-thing': 'v', 'x-real-ip': '127.0.0.1' })
  expect(client.ws.readyState).toBe(client.ws.CONNECTING)
  expect((await platform.traffic(7)).connections).toBe(0)
  worker.decide(asked, { accept: true })
  worker.ack(asked)
  await opened({ client })
  expect(client.ws.protocol).toBe('b')
  const event = await worker.got(FrameType.OPEN)
  expect(openingOf(event)).toMatchObject({ head: { url: '/x?y=1', protocol: 'b' }, data: '' })
  expect(worker.log).toEqual(['UPGRADE', 'OPEN'])
  expect(await queued()).toBe(1)
})

test('accepted with a subprotocol and first data, which a new life of the app gets as well', async () => {
  const { client, asked } = await asking(['b', 'a'])
  worker.decide(asked, { accept: true, protocol: 'a', hasData: true }, 'first data')
  worker.ack(asked)
  await opened({ client })
  expect(client.ws.protocol).toBe('a')
  expect(openingOf(await worker.got(FrameType.OPEN))).toMatchObject({ head: { protocol: 'a' }, data: 'first data' })
  const next = await platform.worker(2)
  await platform.pool.placed(7, at(7, 2, 2), true)
  expect(openingOf(await next.got(FrameType.OPEN)).data).toBe('first data')
})

test('a subprotocol that was not offered is not chosen, and the log says so', async () => {
  const one = await asking(['b', 'a'])
  worker.decide(one.asked, { accept: true, protocol: 'c' })
  const two = await asking()
  worker.decide(two.asked, { accept: true, protocol: 'c' })
  await Promise.all([opened(one), opened(two)])
  expect([one, two].map(({ client }) => client.ws.protocol)).toEqual(['b', ''])
  await until(() => platform.pool.logs.length === 2)
  expect(platform.pool.logs[0]!.line).toMatchObject({ level: 'warn', function: '__websocket__', message: expect.stringContaining('"c"') as string })
})

test('refused with the status, headers and body of the function', async () => {
  worker.onEvent = (event) => {
    const headers: [string, string][] = [['content-type', 'text/plain'], ['x-why', 'b\u00e4d'], ['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['connection', 'keep-alive'], ['content-length', '1'], ['bad name', 'x'], ['x-bad', 'a\r\nb: c']]
    worker.decide(event, { accept: false, status: 402, headers }, 'pay first')
    worker.ack(event)
  }
  const answer = await refused(platform.url('/demo'))
  expect(answer).toMatchObject({ status: 402, body: 'pay first' })
  expect(answer.headers).toEqual({ 'content-type': 'text/plain', 'x-why': 'b\u00e4d', 'set-cookie': ['a=1', 'b=2'], connection: 'close', 'content-length': '9' })
  expect((await platform.traffic(7)).refused).toEqual({ 402: 1 })
  expect(await queued()).toBe(0)
  expect(worker.log).toEqual(['UPGRADE'])
})

test.each([
  ['a status that accepts', { accept: false, status: 101, headers: [] }, ''],
  ['a status that is none for an answer without a connection', { accept: false, status: 204, headers: [] }, ''],
  ['a status that does not exist', { accept: false, status: 700, headers: [] }, ''],
  ['no status', { accept: false, headers: [] }, ''],
  ['headers that are none', { accept: false, status: 403, headers: 'x' }, ''],
  ['a body above 64 KiB', { accept: false, status: 403, headers: [] }, 'x'.repeat(64 * 1024 + 1)],
  ['no JSON', 'nonsense', ''],
  ['null', 'null', ''],
  ['no decision', '{}', '']
])('what cannot be a decision gives 500: %s', async (_name, result, rest) => {
  worker.onEvent = (event) => worker.decide(event, result as string, rest)
  expect(await refused(platform.url('/demo'))).toMatchObject({ status: 500 })
})

test('a handler that settles without a decision gives 500, without details', async () => {
  worker.onEvent = (event) => worker.ack(event)
  const answer = await refused(platform.url('/demo'))
  expect(answer).toMatchObject({ status: 500, code: 'upgrade_failed' })
})

test('a function that takes too long gives 500; what it decides then is nothing', async () => {
  await platform.stop()
  await start({ times: { upgradeHook: 100 } })
  const refusal = refused(platform.url('/demo'))
  const asked = await worker.got(FrameType.UPGRADE)
  expect(await refusal).toMatchObject({ status: 500, code: 'upgrade_failed' })
  worker.decide(asked, { accept: true })
  expect(await queued()).toBe(1)
  worker.ack(asked)
  await expect.poll(queued, PATIENT).toBe(0)
  expect(worker.log).toEqual(['UPGRADE'])
})

test('only what is a handshake is asked about', async () => {
  const socket = connect(platform.port, '127.0.0.1')
  let answer = ''
  socket.on('data', (part) => {
    answer += part.toString()
  })
  socket.write(HANDSHAKE.replace('k'.repeat(22), 'short'))
  await until(() => socket.closed)
  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  expect(worker.log).toEqual([])
})

test('a client that goes away while it waits frees what it has, however it goes', async () => {
  const [reset, ended, silent] = [bareClient(), bareClient(), bareClient()]
  await worker.got(FrameType.UPGRADE, 2)
  reset.resetAndDestroy()
  ended.end()
  await until(() => ended.closed)
  const [one, two, three] = worker.events
  for (const asked of [one!, two!, three!]) worker.decide(asked, { accept: true })
  await worker.got(FrameType.OPEN)
  expect((await platform.traffic(7)).connections).toBe(1)
  worker.ack(one!, two!, three!)
  await expect.poll(queued, PATIENT).toBe(1)
  expect(worker.log.filter((line) => line !== 'UPGRADE')).toEqual(['OPEN'])
  silent.destroy()
})

test('those who wait are asked about again after a crash, in order and marked; those who are gone are not', async () => {
  const { client, asked } = await asking()
  const gone = await asking()
  const decided = await asking()
  gone.client.socket.resetAndDestroy()
  worker.decide(decided.asked, { accept: true })
  await worker.got(FrameType.OPEN)
  await until(() => gone.client.code !== null)
  await platform.traffic(7)
  const next = await platform.worker(2)
  await platform.pool.placed(7, at(7, 2, 2), true)
  const again = await next.got(FrameType.UPGRADE)
  expect(again).toMatchObject({ flags: Flag.REDELIVERED, generation: 2, text: asked.text })
  next.decide(again, { accept: true })
  await opened({ client })
  await next.got(FrameType.OPEN, 1)
  expect(next.log).toEqual(['UPGRADE again', 'OPEN again', 'OPEN'])
})

test('what the client sends before it is accepted is heard afterwards, and does not fill the memory', async () => {
  const socket = bareClient()
  const asked = await worker.got(FrameType.UPGRADE)
  // More than the system's buffers take, as masked frames of 64 KiB with a mask of zeros.
  const frame = Buffer.concat([Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]), Buffer.alloc(0x1_0000)])
  const count = 400
  for (let n = 0; n < count; n++) socket.write(frame)
  const before = process.memoryUsage().arrayBuffers
  const waiting = (): number => socket.writableLength
  let last = -1
  await until(() => {
    const settled = waiting() === last
    last = waiting()
    return settled
  })
  expect(waiting()).toBeGreaterThan(frame.byteLength * count * 0.4)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2_000_000)
  worker.echo()
  worker.decide(asked, { accept: true })
  await worker.got(FrameType.MESSAGE, count - 1)
  socket.destroy()
})

test('no more wait than the queue takes, and the next is refused at once', async () => {
  await platform.stop()
  await start({}, { queueEvents: 3 })
  const waiting = [await asking(), await asking(), await asking()]
  expect(await refused(platform.url('/demo'))).toMatchObject({ status: 503, code: 'queue_full' })
  worker.decide(waiting[0]!.asked, { accept: false, status: 403, headers: [] })
  worker.ack(waiting[0]!.asked)
  await until(() => waiting[0]!.client.code !== null)
  await asking()
  expect(await queued()).toBe(3)
})

test('no more than 1,000 wait, those who went away counted until the app has settled them', async () => {
  const sockets = Array.from({ length: 1_000 }, bareClient)
  await worker.got(FrameType.UPGRADE, 999)
  for (const socket of sockets) socket.resetAndDestroy()
  expect(await refused(platform.url('/demo'))).toMatchObject({ status: 503, code: 'queue_full' })
  worker.ackRange(worker.events[0]!, 0, 999)
  await expect.poll(queued, PATIENT).toBe(0)
  await asking()
})

test('the limit of connections counts at the end as well', async () => {
  await platform.stop()
  await start({}, { connections: 1 })
  const refusal = refused(platform.url('/demo'))
  const one = await worker.got(FrameType.UPGRADE)
  const two = await asking()
  worker.decide(two.asked, { accept: true })
  await opened(two)
  worker.decide(one, { accept: true })
  expect(await refusal).toMatchObject({ status: 429 })
})

test.each<[string, number, () => unknown]>([
  ['deleted', 404, () => platform.pool.remove('demo')],
  ['suspended', 403, () => platform.pool.route(routeOf('demo', 7, { upgrade: true, state: 'suspended' }))],
  ['failed', 503, () => platform.pool.control!.call('failed', { app: 7 })],
  ['stopped', 503, () => void platform.gateway.stop(1_000)]
])('those who wait are refused when the app is %s', async (_name, status, happen) => {
  const refusal = refused(platform.url('/demo'))
  const asked = await worker.got(FrameType.UPGRADE)
  await happen()
  expect(await refusal).toMatchObject({ status })
  worker.decide(asked, { accept: true })
  worker.ack(asked)
})

test('an app without the hook is not asked', async () => {
  await platform.pool.route(routeOf('demo', 7))
  await platform.open('/demo')
  await worker.got(FrameType.OPEN)
  expect(worker.log).toEqual(['OPEN'])
})
