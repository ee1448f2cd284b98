import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FrameType } from '@socklet/protocol'
import { refused } from './support/client.ts'
import { at, routeOf, startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'
import { requestOf } from './support/worker.ts'

let platform: Platform
beforeEach(async () => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  platform = await startPlatform({ times: { poolBack: 100 } })
})
afterEach(async () => {
  await platform.stop()
  vi.restoreAllMocks()
})

const functions = { __websocket__: [], work: [] }

test('without a pool new clients get 503 after a moment, and the gateway is not ready; those who are connected stay', async () => {
  const worker = await platform.app('demo', 7, { functions })
  const client = await platform.open('/demo')
  worker.ack(await worker.got(FrameType.OPEN))
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(0)
  await platform.pool.stop()
  await until(() => worker.closed)
  expect(await refused(platform.url('/demo'))).toMatchObject({ status: 503, code: 'unavailable' })
  expect((await fetch(`${platform.http}/demo/work`)).status).toBe(503)
  expect((await fetch(`${platform.http}/readyz`)).status).toBe(503)
  expect((await fetch(`${platform.http}/healthz`)).status).toBe(200)
  client.ws.send('meanwhile')
  expect(client.code).toBeNull()

  // The next pool gives the app another number, and its old one to an app of somebody else.
  platform.pool.routes.set('demo', routeOf('demo', 8, { functions }))
  platform.pool.placements.set(8, at(8, 1, 1))
  platform.pool.placements.set(7, at(7, 2, 1))
  const { promise, resolve } = Promise.withResolvers<void>()
  platform.pool.gate = promise
  await platform.pool.start()
  await until(() => platform.pool.control !== null)
  const [mine, theirs] = [await platform.worker(1), await platform.worker(2)]
  // Its news of the number come before the gateway has learnt whose it is now.
  await platform.pool.control!.call('placed', { app: 7, placement: at(7, 2, 1), loss: 'crashed' })
  client.ws.send('later')
  resolve()
  await mine.got(FrameType.MESSAGE, 1)
  expect(mine.log).toEqual(['ATTACH', 'MESSAGE meanwhile', 'MESSAGE later'])
  mine.send(await mine.got(FrameType.MESSAGE), 'answer')
  expect(await client.heard(1)).toEqual(['answer'])
  expect(theirs.log).toEqual([])
  expect(platform.pool.hellos).toBe(2)
})

test('an app that is gone when the pool is back is closed with 1001', async () => {
  await platform.app('demo', 7)
  const client = await platform.open('/demo')
  await platform.pool.stop()
  platform.pool.routes.clear()
  await platform.pool.start()
  expect(await client.closed()).toBe(1001)
})

test('an app without waiting events is not placed when the pool is back, but by its next event', async () => {
  const worker = await platform.app('demo', 7)
  worker.echo()
  const client = await platform.open('/demo')
  client.ws.send('x')
  await client.heard(1)
  await platform.pool.stop()
  await platform.pool.start()
  await platform.ready()
  expect(platform.pool.places).toEqual([])
  const next = await platform.worker(7)
  next.echo()
  client.ws.send('y')
  expect(await client.heard(2)).toEqual(['x', 'y'])
  expect(platform.pool.places).toEqual([7])
})

test('apps that nobody uses are not asked about when the pool is back, but by whoever comes next', async () => {
  const [worker, other] = [await platform.app('demo', 7, { functions }), await platform.app('other', 8, { functions })]
  worker.echo()
  other.echo()
  await platform.open('/demo')
  expect((await fetch(`${platform.http}/other/work`)).status).toBe(200)
  await expect.poll(async () => (await platform.traffic(8)).queueEvents).toBe(0)
  await platform.pool.stop()
  platform.pool.locates = []
  await platform.pool.start()
  await platform.ready()
  expect(platform.pool.locates).toEqual(['demo'])
  const next = await platform.worker(8)
  next.echo()
  expect((await fetch(`${platform.http}/other/work`)).status).toBe(200)
  expect(platform.pool.locates).toEqual(['demo', 'other'])
})

// Another gateway had the app placed while this one was still asking who has which number: it said that it has nothing to attach, and the app did not
// know its clients here until one of them sent something.
test('an app that is placed while it is looked up again gets its clients attached, also those that are silent', async () => {
  const worker = await platform.app('demo', 7)
  await platform.open('/demo')
  worker.ack(await worker.got(FrameType.OPEN))
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(0)
  await platform.pool.stop()
  platform.pool.routes.set('demo', routeOf('demo', 8))
  const { promise, resolve } = Promise.withResolvers<void>()
  platform.pool.gate = promise
  platform.pool.locates = []
  await platform.pool.start()
  await until(() => platform.pool.locates.length === 1)
  const next = await platform.worker(1)
  // One that this gateway does not know has nothing to attach, which is said when it is sure.
  platform.pool.control!.note('placed', { app: 9, placement: at(9, 1, 1), loss: 'none' })
  // The same read brings this, and the answer.
  platform.pool.control!.note('placed', { app: 8, placement: at(8, 1, 2), loss: 'none' })
  resolve()
  await until(() => next.attached.length === 2)
  expect(next.log).toEqual(['ATTACH'])
  expect(next.attached).toEqual([{ app: 8, generation: 2, after: 1 }, { app: 9, generation: 1, after: 1 }])
  expect(platform.pool.places).toEqual([])
})

test('deleted: connections are closed with 1001, requests and newcomers get 404', async () => {
  const worker = await platform.app('demo', 7, { functions })
  const client = await platform.open('/demo')
  const pending = fetch(`${platform.http}/demo/work`)
  await worker.got(FrameType.REQUEST)
  await platform.pool.remove('demo')
  expect(await client.closed()).toBe(1001)
  expect((await pending).status).toBe(404)
  expect(await refused(platform.url('/demo'))).toMatchObject({ status: 404, code: 'app_not_found' })
  expect(await platform.pool.control!.call('traffic', {})).toEqual({})
})

test('suspended: connections are closed with 1001 and the app handles that; newcomers get 403', async () => {
  const worker = await platform.app('demo', 7, { functions })
  const client = await platform.open('/demo')
  const pending = fetch(`${platform.http}/demo/work`)
  await worker.got(FrameType.REQUEST)
  await platform.pool.route(routeOf('demo', 7, { functions, state: 'suspended' }))
  expect(await client.closed()).toBe(1001)
  expect((await pending).status).toBe(403)
  await worker.got(FrameType.CLOSED)
  expect(await refused(platform.url('/demo'))).toMatchObject({ status: 403, code: 'app_suspended' })
  await platform.pool.placed(7, null)
  expect((await platform.traffic(7)).queueEvents).toBe(0)
  expect(platform.pool.places).toEqual([])
  await platform.pool.route(routeOf('demo', 7))
  platform.pool.placements.set(7, at(7, 7, 2))
  const again = await platform.open('/demo')
  again.ws.send('x')
  expect((await worker.got(FrameType.MESSAGE)).generation).toBe(2)
})

test('an app that cannot run: connections are closed with 1011, requests get 503; it may come back', async () => {
  const worker = await platform.app('demo', 7, { functions })
  const client = await platform.open('/demo')
  const pending = fetch(`${platform.http}/demo/work`)
  await worker.got(FrameType.REQUEST)
  platform.pool.failing.add(7)
  await platform.pool.control!.call('failed', { app: 7 })
  expect(await client.closed()).toBe(1011)
  expect((await pending).status).toBe(503)
  expect(await refused(platform.url('/demo'))).toMatchObject({ status: 503, code: 'unavailable' })
  platform.pool.failing.clear()
  platform.pool.placements.set(7, at(7, 7, 2))
  const again = await platform.open('/demo')
  again.ws.send('x')
  expect((await worker.got(FrameType.MESSAGE)).generation).toBe(2)
  expect((await platform.traffic(7)).connections).toBe(1)
})

test('when a place is refused for waiting events, the app cannot run', async () => {
  const worker = await platform.app('demo', 7)
  const client = await platform.open('/demo')
  worker.ack(await worker.got(FrameType.OPEN))
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(0)
  platform.pool.failing.add(7)
  await platform.pool.placed(7, null)
  client.ws.send('x')
  expect(await client.closed()).toBe(1011)
})

test('what the pool asks about connections', async () => {
  const worker = await platform.app('demo', 7)
  worker.echo()
  const clients = [await platform.open('/demo/a?x'), await platform.open('/demo/b', ['chat']), await platform.open('/demo/c')]
  clients[1]!.ws.send('12345')
  await clients[1]!.heard(1)
  const { control } = platform.pool
  const page = await control!.call('connections', { app: 7, limit: 2, after: 0 })
  expect(page.items.map((item) => item.url)).toEqual(['/a?x', '/b'])
  const rest = await control!.call('connections', { app: 7, limit: 2, after: page.next! })
  expect(rest).toMatchObject({ items: [{ url: '/c' }] })
  expect(rest.next).toBeUndefined()
  const info = page.items[1]!
  expect(info).toMatchObject({ protocol: 'chat', address: '127.0.0.1', messagesIn: 1, messagesOut: 1, bytesIn: 5, bytesOut: 5, buffered: 0, rooms: [] })
  expect(Math.abs(Date.parse(info.since) - Date.now())).toBeLessThan(10_000)
  expect(await control!.call('connection', { app: 7, id: info.id })).toEqual(info)
  expect(await control!.call('connection', { app: 8, id: info.id })).toBeNull()
  expect(await control!.call('connections', { app: 7, limit: 9, after: 0, room: 'x' })).toEqual({ items: [] })
  expect(await control!.call('sendTo', { app: 7, id: info.id, data: 'text', binary: false })).toBe(true)
  expect(await control!.call('sendTo', { app: 7, id: info.id, data: Buffer.from('bin').toString('base64'), binary: true })).toBe(true)
  expect((await clients[1]!.heard(3)).slice(1)).toEqual(['text', Buffer.from('bin')])
  expect(await control!.call('sendTo', { app: 7, id: 'nobody', data: '', binary: false })).toBe(false)
  expect(await control!.call('closeConnection', { app: 7, id: info.id, code: 4005, reason: 'out' })).toBe(true)
  expect([await clients[1]!.closed(), clients[1]!.reason]).toEqual([4005, 'out'])
  await expect.poll(async () => control!.call('closeConnection', { app: 7, id: info.id, code: 4005, reason: '' })).toBe(false)
})

test('changed functions are in force when the call is answered', async () => {
  const worker = await platform.app('demo', 7)
  worker.echo()
  await platform.open('/demo')
  await platform.pool.route(routeOf('demo', 7, { functions: { fresh: [] } }))
  expect((await fetch(`${platform.http}/demo/fresh`)).status).toBe(200)
  expect(requestOf(await worker.got(FrameType.REQUEST)).head.function).toBe('fresh')
  expect(await refused(platform.url('/demo'))).toMatchObject({ status: 404, code: 'no_websocket_function' })
})
