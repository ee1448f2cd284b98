import { afterEach, beforeEach, expect, test } from 'vitest'
import { FrameType, type FrameHead, type Placement } from '@socklet/protocol'
import { Client } from './support/client.ts'
import { at, routeOf, startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'
import { connectWorker, openingOf, requestOf, type FakeWorker } from './support/worker.ts'

let platform: Platform
let first: FakeWorker
beforeEach(async () => {
  platform = await startPlatform()
  first = await platform.app('demo', 7)
})
afterEach(() => platform.stop())

/** The worker of the app dies, and the app gets a new life on another one. */
async function crash(from: FakeWorker, worker: number, generation: number, alreadyThere?: FakeWorker): Promise<FakeWorker> {
  const next = alreadyThere ?? (await platform.worker(worker))
  from.kill()
  await platform.pool.placed(7, at(7, worker, generation), true)
  return next
}

test('what was acknowledged is not delivered again; what was not is, in order and marked', async () => {
  const client = await platform.open('/demo')
  for (const text of ['one', 'two', 'three']) client.ws.send(text)
  await first.got(FrameType.MESSAGE, 2)
  first.ack(first.events[0]!, first.events[2]!)
  await until(() => first.link.pendingBytes === 0)
  await platform.traffic(7)
  client.ws.send('four')
  await first.got(FrameType.MESSAGE, 3)
  const second = await crash(first, 2, 2)
  client.ws.send('five')
  await second.got(FrameType.MESSAGE, 3)
  expect(second.log).toEqual(['ATTACH', 'MESSAGE one again', 'MESSAGE three again', 'MESSAGE four again', 'MESSAGE five'])
  expect(second.events.map((event) => event.generation)).toEqual([2, 2, 2, 2, 2])
  const { id, protocol, extensions } = openingOf(await first.got(FrameType.OPEN)).head
  expect(openingOf(await second.got(FrameType.ATTACH)).head).toEqual({ id, protocol, extensions })
  const sequences = second.events.slice(1).map((event) => event.sequence)
  expect(sequences).toEqual([1, 3, 4, 5])
})

test('a connection whose opening was not handled opens again instead of being attached', async () => {
  await platform.open('/demo')
  await first.got(FrameType.OPEN)
  const second = await crash(first, 2, 2)
  await second.got(FrameType.OPEN)
  expect(second.log).toEqual(['OPEN again'])
})

test('a connection that closed meanwhile is attached before its last events, and gone after them', async () => {
  const client = await platform.open('/demo')
  first.ack(await first.got(FrameType.OPEN))
  client.ws.send('last')
  client.ws.close(1000, 'bye')
  await first.got(FrameType.CLOSED)
  const second = await crash(first, 2, 2)
  const closed = await second.got(FrameType.CLOSED)
  expect(second.log).toEqual(['ATTACH', 'MESSAGE last again', 'CLOSED 1000 bye again'])
  second.ackRange(closed, closed.sequence - 1, closed.sequence)
  const third = await platform.worker(3)
  await until(() => first.closed)
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(0)
  await crash(second, 3, 3, third)
  const again = await platform.open('/demo')
  again.ws.send('x')
  await third.got(FrameType.MESSAGE)
  expect(third.log).toEqual(['OPEN', 'MESSAGE x'])
})

test('clients notice nothing of a death but the wait', async () => {
  const client = await platform.open('/demo')
  first.ack(await first.got(FrameType.OPEN))
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(0)
  first.kill()
  await until(() => first.closed)
  client.ws.send('while nobody is there')
  const second = await platform.worker(2)
  second.echo()
  await platform.pool.placed(7, at(7, 2, 2), true)
  expect(await client.heard(1)).toEqual(['while nobody is there'])
  expect(second.log).toEqual(['ATTACH', 'MESSAGE while nobody is there'])
})

test('an app that was put away is placed again by the next event', async () => {
  first.echo()
  const client = await platform.open('/demo')
  await first.got(FrameType.OPEN)
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(0)
  await platform.pool.placed(7, null)
  expect(platform.pool.places).toEqual([])
  client.ws.send('wake up')
  await until(() => platform.pool.places.length === 1)
  platform.pool.placements.set(7, at(7, 1, 2))
  const second = await platform.worker(1)
  second.echo()
  expect(await client.heard(1)).toEqual(['wake up'])
  expect(second.log).toEqual(['ATTACH', 'MESSAGE wake up'])
})

test('being told of the same place twice sends nothing twice', async () => {
  const client = await platform.open('/demo')
  client.ws.send('x')
  await first.got(FrameType.MESSAGE)
  await platform.pool.placed(7, at(7, 7, 1))
  client.ws.send('y')
  await first.got(FrameType.MESSAGE, 1)
  expect(first.log).toEqual(['OPEN', 'MESSAGE x', 'MESSAGE y'])
})

test('an event that was running at two deaths is dropped, and the log of the app says so; what waits is never dropped', async () => {
  const client = await platform.open('/demo')
  first.ack(await first.got(FrameType.OPEN))
  for (const text of ['before', 'poison', 'after']) client.ws.send(text)
  await first.got(FrameType.MESSAGE, 2)
  const second = await crash(first, 2, 2)
  const poison = await second.got(FrameType.MESSAGE, 1)
  second.ack(await second.got(FrameType.MESSAGE))
  second.started(poison)
  await second.got(FrameType.MESSAGE, 2)
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(2)
  const third = await crash(second, 3, 3)
  await third.got(FrameType.MESSAGE)
  expect(third.log).toEqual(['ATTACH', 'MESSAGE after again'])
  await until(() => platform.pool.logs.length === 1)
  const { app, line } = platform.pool.logs[0]!
  expect(app).toBe(7)
  expect(line).toMatchObject({ level: 'error', function: '__websocket__' })
  expect(line.message).toContain('WebSocket:message')
  expect(line.message).toContain(line.connection)
  // However often the rest dies without having run, it stays.
  const fourth = await crash(third, 4, 4)
  const fifth = await crash(fourth, 5, 5)
  await fifth.got(FrameType.MESSAGE)
  expect(fifth.log).toEqual(['ATTACH', 'MESSAGE after again'])
})

test('an event that waits for something when its app dies is not poison, until it was there at five deaths', async () => {
  await platform.open('/demo')
  await first.got(FrameType.OPEN)
  let worker = first
  for (let life = 2; life <= 7; life++) {
    worker = await crash(worker, life, life)
    if (life === 7) break
    const opened = await worker.got(FrameType.OPEN)
    worker.started(opened)
    worker.started(opened, true)
    await platform.traffic(7)
  }
  await worker.got(FrameType.ATTACH)
  expect(worker.log).toEqual(['ATTACH'])
  await until(() => platform.pool.logs.length === 1)
})

test('what ran when its app was moved, and not killed, is not poison', async () => {
  await platform.open('/demo')
  await first.got(FrameType.OPEN)
  const second = await crash(first, 2, 2)
  second.started(await second.got(FrameType.OPEN))
  await platform.traffic(7)
  const third = await platform.worker(3)
  await platform.pool.placed(7, at(7, 3, 3), false)
  await third.got(FrameType.OPEN)
  expect(platform.pool.logs).toEqual([])
})

test('a worker that says of a first delivery that it started does not get it dropped', async () => {
  await platform.open('/demo')
  first.started(await first.got(FrameType.OPEN))
  await platform.traffic(7)
  const second = await crash(first, 2, 2)
  await second.got(FrameType.OPEN)
  expect(platform.pool.logs).toEqual([])
})

test('a connection stays attached when its opening is dropped', async () => {
  const client = await platform.open('/demo')
  await first.got(FrameType.OPEN)
  const second = await crash(first, 2, 2)
  second.started(await second.got(FrameType.OPEN))
  await platform.traffic(7)
  const third = await crash(second, 3, 3)
  client.ws.send('x')
  await third.got(FrameType.MESSAGE)
  expect(third.log).toEqual(['ATTACH', 'MESSAGE x'])
})

test('a request is delivered again; at its second death the client gets 500', async () => {
  await platform.pool.route(routeOf('demo', 7, { functions: { work: [] } }))
  const answer = fetch(`${platform.http}/demo/work`, { method: 'POST', body: 'b', headers: { 'x-request-id': 'req-1' } })
  await first.got(FrameType.REQUEST)
  const second = await crash(first, 2, 2)
  const again = await second.got(FrameType.REQUEST)
  expect(second.log).toEqual(['REQUEST again'])
  expect(requestOf(again).body.toString()).toBe('b')
  second.started(again)
  await platform.traffic(7)
  await crash(second, 3, 3)
  const response = await answer
  expect(response.status).toBe(500)
  expect(await response.json()).toEqual({ error: 'Internal Server Error', requestId: 'req-1' })
  await until(() => platform.pool.logs.length === 1)
  expect(platform.pool.logs[0]!.line).toMatchObject({ function: 'work', requestId: 'req-1' })
})

test('a request whose answer has begun is not delivered again: the client sees that the answer broke off', async () => {
  await platform.pool.route(routeOf('demo', 7, { functions: { work: [] } }))
  const response = fetch(`${platform.http}/demo/work`)
  const request = await first.got(FrameType.REQUEST)
  first.respond(request, { status: 200, headers: [] }, 'half', false)
  const body = (await response).text()
  const second = await crash(first, 2, 2)
  await expect(body).rejects.toThrow()
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(0)
  expect(second.log).toEqual([])
})

test('a new link of the same worker is the place, whichever of link and news comes first', async () => {
  const client = await platform.open('/demo')
  first.ack(await first.got(FrameType.OPEN))
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(0)
  // The news of generation 2 on worker 7 come while the old link of worker 7 is still open.
  await platform.pool.placed(7, at(7, 7, 2), true)
  client.ws.send('x')
  await first.got(FrameType.MESSAGE)
  const second = await connectWorker(platform.linkSocket, 7)
  await second.got(FrameType.MESSAGE)
  expect(second.log).toEqual(['ATTACH', 'MESSAGE x again'])
  second.kill()
})

test('an answer about the place that is older than the news is void', async () => {
  platform.pool.placements.delete(7)
  const opening = platform.open('/demo')
  await until(() => platform.pool.places.length === 1)
  const second = await platform.worker(2)
  await platform.pool.control!.call('placed', { app: 7, placement: at(7, 2, 2), loss: 'none' })
  platform.pool.placements.set(7, at(7, 7, 1))
  const client = await opening
  client.ws.send('x')
  await second.got(FrameType.MESSAGE)
  expect(second.log).toEqual(['OPEN', 'MESSAGE x'])
  expect(first.log).toEqual([])
})

test('a life of the app is told when all connections that it knew are attached, and gets its events after that', async () => {
  const clients = await Promise.all([1, 2, 3].map(() => platform.open('/demo')))
  for (const index of [0, 1, 2]) first.ack(await first.got(FrameType.OPEN, index))
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(0)
  expect(first.attached).toEqual([{ app: 7, generation: 1, after: 0 }])
  clients[0]!.ws.send('x')
  await first.got(FrameType.MESSAGE)
  const second = await crash(first, 2, 2)
  await second.got(FrameType.MESSAGE)
  expect(second.log).toEqual(['ATTACH', 'ATTACH', 'ATTACH', 'MESSAGE x again'])
  expect(second.attached).toEqual([{ app: 7, generation: 2, after: 3 }])
})

test('a life of an app that nobody here is connected to is told so, too', async () => {
  const tell = (app: number, worker: number | null): Promise<null> => platform.pool.control!.call('placed', { app, placement: worker === null ? null : at(app, worker, 5), loss: 'none' })
  await platform.open('/demo')
  await first.got(FrameType.OPEN)
  await tell(99, 7)
  await until(() => first.attached.length === 2)
  expect(first.attached[1]).toEqual({ app: 99, generation: 5, after: 1 })
  // The news may be here before the link of a worker that has just begun.
  await tell(97, 2)
  await tell(98, 2)
  await tell(99, 2)
  await tell(97, null)
  await tell(98, 7)
  const second = await platform.worker(2)
  await until(() => second.attached.length === 1 && first.attached.length === 3)
  expect(second.attached).toEqual([{ app: 99, generation: 5, after: 0 }])
  expect(first.attached[2]).toEqual({ app: 98, generation: 5, after: 1 })
})

test('of what the pool says of the place of an app that is looked up the last counts, and its life is told once', async () => {
  platform.pool.placements.delete(7)
  const { promise, resolve } = Promise.withResolvers<void>()
  platform.pool.gate = promise
  const opening = platform.open('/demo')
  await until(() => platform.pool.locates.length === 1)
  const tell = (placement: Placement | null): void => platform.pool.control!.note('placed', { app: 7, placement, loss: 'none' })
  tell(at(7, 7, 1))
  tell(null)
  tell(at(7, 2, 2))
  resolve()
  const client = await opening
  client.ws.send('x')
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(2)
  const second = await platform.worker(2)
  await second.got(FrameType.MESSAGE)
  expect(second.log).toEqual(['OPEN', 'MESSAGE x'])
  expect(second.attached).toEqual([{ app: 7, generation: 2, after: 0 }])
  expect(first.log).toEqual([])
  expect(platform.pool.places).toEqual([])
})

test('an app that was put away while it was looked up is placed by whoever comes', async () => {
  platform.pool.placements.delete(7)
  const { promise, resolve } = Promise.withResolvers<void>()
  platform.pool.gate = promise
  const opening = platform.open('/demo')
  await until(() => platform.pool.locates.length === 1)
  platform.pool.control!.note('placed', { app: 7, placement: at(7, 7, 1), loss: 'none' })
  platform.pool.control!.note('placed', { app: 7, placement: null, loss: 'idle' })
  resolve()
  await until(() => platform.pool.places.length === 1)
  platform.pool.placements.set(7, at(7, 7, 2))
  await opening
  expect((await first.got(FrameType.OPEN)).generation).toBe(2)
})

test('an app that comes to life again in the same place is told once for each life', async () => {
  first.echo()
  const client = await platform.open('/demo')
  client.ws.send('x')
  await client.heard(1)
  await platform.pool.placed(7, at(7, 7, 1))
  await platform.pool.placed(7, at(7, 7, 2))
  await until(() => first.attached.length === 2)
  expect(first.attached).toEqual([
    { app: 7, generation: 1, after: 0 },
    { app: 7, generation: 2, after: 3 }
  ])
})

test('what was on its way to an isolate that was put away then is delivered for the first time', async () => {
  const client = await platform.open('/demo')
  first.ack(await first.got(FrameType.OPEN))
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(0)
  client.ws.send('too late')
  first.gone(await first.got(FrameType.MESSAGE))
  const [second, third] = [await platform.worker(2), await platform.worker(3)]
  platform.pool.placements.set(7, at(7, 2, 2))
  await platform.pool.control!.call('placed', { app: 7, placement: null, loss: 'idle' })
  second.started(await second.got(FrameType.MESSAGE))
  expect(second.log).toEqual(['ATTACH', 'MESSAGE too late'])
  // So it was there for one death only, which does not make it what kills workers.
  await platform.traffic(7)
  await crash(second, 3, 3, third)
  await third.got(FrameType.MESSAGE)
  expect(third.log).toEqual(['ATTACH', 'MESSAGE too late again'])
  expect(platform.pool.logs).toEqual([])
})

test('what a worker has sent counts, though the pool says first that it has put the isolate away', async () => {
  const client = await platform.open('/demo')
  first.ack(await first.got(FrameType.OPEN))
  client.ws.send('one')
  const one = await first.got(FrameType.MESSAGE)
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(1)
  const second = await platform.worker(2)
  await platform.pool.control!.call('placed', { app: 7, placement: at(7, 2, 2), loss: 'putAway' })
  client.ws.send('two')
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(2)
  expect(second.log).toEqual([])
  first.send(one, 'answer')
  first.ack(one)
  first.gone(one)
  expect(await client.heard(1)).toEqual(['answer'])
  // Only what nobody has handled goes on, and for the first time.
  await second.got(FrameType.MESSAGE)
  expect(second.log).toEqual(['ATTACH', 'MESSAGE two'])
  // The old life has no say any more.
  first.send(one, 'late')
  second.echo()
  client.ws.send('three')
  expect(await client.heard(2)).toEqual(['answer', 'three'])
})

test.each([
  ['its farewell came before', (worker: FakeWorker, event: FrameHead) => worker.gone(event)],
  ['its link ends', (worker: FakeWorker) => worker.kill()]
])('nobody waits for the last word of a worker when %s', async (_name, end) => {
  await platform.open('/demo')
  const opening = await first.got(FrameType.OPEN)
  first.ack(opening)
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(0)
  const second = await platform.worker(2)
  end(first, opening)
  await platform.traffic(7)
  await platform.pool.control!.call('placed', { app: 7, placement: at(7, 2, 2), loss: 'putAway' })
  await second.got(FrameType.ATTACH)
})

test('where the app is put away and placed again before its worker has said its last word, the newest place counts', async () => {
  const client = await platform.open('/demo')
  const opening = await first.got(FrameType.OPEN)
  first.ack(opening)
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(0)
  const [second, third] = [await platform.worker(2), await platform.worker(3)]
  for (const placement of [at(7, 2, 2), null, at(7, 3, 3)]) await platform.pool.control!.call('placed', { app: 7, placement, loss: placement === null ? 'idle' : 'putAway' })
  client.ws.send('hello')
  first.gone(opening)
  await third.got(FrameType.MESSAGE)
  expect([second.log, third.log]).toEqual([[], ['ATTACH', 'MESSAGE hello']])
})

// A queue that was full, of requests and upgrades alone that are not delivered again, was empty then and counted as full all the same: nobody was read, and
// every request got 503, until an event settled, and none could come.
test('a queue that was full of half an answer is not full any more when that is dropped', async () => {
  await platform.pool.route(routeOf('demo', 7, { functions: { __websocket__: [], work: [] }, limits: { queueBytes: 100_000 } }))
  const client = await platform.open('/demo')
  first.ack(await first.got(FrameType.OPEN))
  const answer = await Promise.all([fetch(`${platform.http}/demo/work`, { method: 'POST', body: 'x'.repeat(99_800) }), first.got(FrameType.REQUEST).then((request) => {
    first.respond(request, { status: 200, headers: [] }, 'half', false)
  })])
  client.ws.send('waits')
  const second = await crash(first, 2, 2)
  await expect(answer[0].text()).rejects.toThrow()
  await second.got(FrameType.MESSAGE)
  expect(second.log).toEqual(['ATTACH', 'MESSAGE waits'])
})

test('nor is one that was full of an upgrade whose client has gone', async () => {
  const limits = { queueBytes: 2_000 }
  await platform.pool.route(routeOf('demo', 7, { upgrade: true, limits }))
  first.onEvent = (event) => {
    if (event.type === FrameType.UPGRADE) first.decide(event, { accept: true, hasData: false })
  }
  const client = await platform.open('/demo')
  first.ack(await first.got(FrameType.UPGRADE), await first.got(FrameType.OPEN))
  await expect.poll(async () => (await platform.traffic(7)).queueEvents).toBe(0)
  first.onEvent = () => {}
  // It fits, and what an event takes beside its bytes makes the queue full.
  const pad = 'x'.repeat(limits.queueBytes - 50 - (await first.got(FrameType.UPGRADE)).payload.byteLength)
  const gone = new Client(platform.url('/demo'), [], { headers: { 'x-pad': pad } })
  await first.got(FrameType.UPGRADE, 1)
  expect((await platform.traffic(7)).queueBytes).toBeGreaterThan(limits.queueBytes)
  client.ws.send('waits')
  gone.socket.destroy()
  await until(() => gone.code !== null)
  await platform.traffic(7)
  const second = await crash(first, 2, 2)
  await second.got(FrameType.MESSAGE)
  expect(second.log).toEqual(['ATTACH', 'MESSAGE waits'])
})
