import { expect, test } from 'vitest'
import { FrameType } from '@socklet/protocol'
import { startPlatform } from './support/platform.ts'
import { until } from './support/until.ts'

test('stopping closes clients with 1001, lets functions handle that, and finishes their answers', async () => {
  const platform = await startPlatform()
  const worker = await platform.app('demo', 7, { functions: { __websocket__: [], work: [] } })
  const client = await platform.open('/demo')
  const pending = fetch(`${platform.http}/demo/work`)
  const request = await worker.got(FrameType.REQUEST)
  let stopped = false
  const stopping = platform.gateway.stop(8_000).then(() => {
    stopped = true
  })
  expect(await client.closed()).toBe(1001)
  await worker.got(FrameType.CLOSED)
  expect(stopped).toBe(false)
  worker.respond(request, { status: 200, headers: [] }, 'done')
  worker.ack(...worker.events)
  expect(await (await pending).text()).toBe('done')
  await stopping
  expect(worker.log).toEqual(['OPEN', 'REQUEST', 'CLOSED 1001 the platform is stopping'])
  await until(() => worker.closed)
  await platform.stop()
})

test('stopping does not wait longer than it may, for clients or for functions', async () => {
  const platform = await startPlatform()
  const worker = await platform.app('demo', 7)
  const deaf = await platform.open('/demo')
  await worker.got(FrameType.OPEN)
  deaf.socket.pause()
  const start = Date.now()
  await platform.gateway.stop(300)
  expect(Date.now() - start).toBeLessThan(1_000)
  // Its close event was sent all the same.
  expect(worker.log).toEqual(['OPEN', 'CLOSED 1006'])
  await platform.stop()
})

test('an idle gateway stops at once', async () => {
  const platform = await startPlatform()
  await fetch(`${platform.http}/healthz`)
  const start = Date.now()
  await platform.gateway.stop(8_000)
  expect(Date.now() - start).toBeLessThan(1_000)
  await platform.stop()
})

test('the links stay until the runtime has stored what its apps have changed', async () => {
  const platform = await startPlatform()
  const worker = await platform.app('demo', 7)
  worker.echo()
  const client = await platform.open('/demo')
  client.ws.send('x')
  await client.heard(1)
  const { promise, resolve } = Promise.withResolvers<void>()
  platform.pool.storing = promise
  let stopped = false
  const stopping = platform.gateway.stop(8_000).then(() => {
    stopped = true
  })
  await until(() => platform.pool.stoppings === 1)
  // It is asked when all events are settled, or their changes would come too late.
  expect(worker.log).toEqual(['OPEN', 'MESSAGE x', 'CLOSED 1001 the platform is stopping'])
  expect((await platform.traffic(7)).queueEvents).toBe(0)
  expect([worker.closed, stopped]).toEqual([false, false])
  resolve()
  await stopping
  await until(() => worker.closed)
  expect(platform.pool.stoppings).toBe(1)
  await platform.stop()
})

test('a runtime that never answers is not waited for much longer than the stop may take', async () => {
  const platform = await startPlatform()
  const worker = await platform.app('demo', 7)
  platform.pool.storing = new Promise(() => {})
  await platform.open('/demo')
  worker.echo()
  const start = Date.now()
  await platform.gateway.stop(300)
  expect(platform.pool.stoppings).toBe(1)
  expect(Date.now() - start).toBeLessThan(6_000)
  await until(() => worker.closed)
  await platform.stop()
})
