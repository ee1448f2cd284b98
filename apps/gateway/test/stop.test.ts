import { expect, test } from 'vitest'
import { FrameType } from '@socklet/protocol'
import { startPlatform } from './support/platform.ts'
import { until } from './support/until.ts'

test('stopping lets functions finish and their answers leave, then closes clients with 1001, and lets functions handle that', async () => {
  const platform = await startPlatform()
  const worker = await platform.app('demo', 7, { functions: { __websocket__: [], work: [] } })
  const client = await platform.open('/demo')
  const pending = fetch(`${platform.http}/demo/work`)
  const request = await worker.got(FrameType.REQUEST)
  client.ws.send('work')
  const message = await worker.got(FrameType.MESSAGE)
  let stopped = false
  const stopping = platform.gateway.stop(8_000).then(() => {
    stopped = true
  })
  client.ws.send('too late')
  worker.respond(request, { status: 200, headers: [] }, 'done')
  expect(await (await pending).text()).toBe('done')
  worker.ack(...worker.events.filter((event) => event !== message))
  expect(client.ws.readyState).toBe(WebSocket.OPEN)
  worker.send(message, 'answer')
  worker.ack(message)
  expect(await client.closed()).toBe(1001)
  expect(client.messages).toEqual(['answer'])
  const end = await worker.got(FrameType.CLOSED)
  expect(stopped).toBe(false)
  worker.ack(end)
  await stopping
  expect(worker.log).toEqual(['OPEN', 'REQUEST', 'MESSAGE work', 'CLOSED 1001 the platform is stopping'])
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

test('a handler that does not end is waited for as long as there is time, and its client is told', async () => {
  const platform = await startPlatform()
  const worker = await platform.app('demo', 7, { functions: { __websocket__: [], work: [] } })
  const client = await platform.open('/demo')
  const pending = fetch(`${platform.http}/demo/work`)
  await worker.got(FrameType.REQUEST)
  const start = Date.now()
  const stopping = platform.gateway.stop(500)
  expect((await pending).status).toBe(503)
  expect(await client.closed()).toBe(1001)
  expect(Date.now() - start).toBeGreaterThanOrEqual(349)
  await stopping
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
