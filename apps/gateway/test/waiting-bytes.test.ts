import { afterEach, describe, expect, test } from 'vitest'
import { FrameType } from '@socklet/protocol'
import { WaitingBytes } from '../src/waiting-bytes.ts'
import type { Client } from './support/client.ts'
import { routeOf, startPlatform, untilAsync, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'
import type { FakeWorker } from './support/worker.ts'

// What waits for one app was bounded, and what waits for all was not: 90 apps whose handlers do not end made a gateway take 1.8 GB.

const MiB = 1024 * 1024
const PIECE = 50_000
let platform: Platform

describe('sockets', () => {
  afterEach(() => platform.stop())

  /** A gateway for 1 MiB, and an app that has taken all of it and does not settle anything. Its last messages were not read. */
  async function startFull(): Promise<{ hog: FakeWorker; client: Client; sent: number }> {
    platform = await startPlatform({ queueBytes: MiB })
    const hog = await platform.app('hog', 7)
    const client = await platform.open('/hog')
    const sent = 60
    for (let n = 0; n < sent; n++) client.ws.send(Buffer.alloc(PIECE, n))
    await until(() => platform.pool.logs.some(({ app, line }) => app === 7 && line.message.includes('(limit gatewayQueue')), 'the line in its log')
    return { hog, client, sent }
  }

  const settleAll = (worker: FakeWorker): void => {
    worker.ack(...worker.events)
    worker.echo()
  }

  test('an app for which much waits is not read while too much waits for all', async () => {
    const { hog, client, sent } = await startFull()
    const { queueBytes, queueEvents, limits } = await platform.traffic(7)
    await until(() => hog.events.length === queueEvents)
    expect(queueBytes).toBeGreaterThan(MiB)
    // A read more, which may have been under way.
    expect(queueBytes).toBeLessThan(MiB + 4 * PIECE)
    expect(limits).toEqual({ gatewayQueue: 1 })
    expect(hog.count(FrameType.MESSAGE)).toBeLessThan(sent)
    // It is far below its own limit, and all are not far below theirs.
    hog.ack(hog.events[1]!)
    await untilAsync(async () => (await platform.traffic(7)).queueBytes < queueBytes)
    for (let n = 0; n < 10; n++) await platform.traffic(7)
    expect(hog.events.length).toBe(queueEvents)
    settleAll(hog)
    await client.heard(sent - 25)
    await until(() => hog.count(FrameType.MESSAGE) === sent, 'all messages')
    expect(hog.events.filter(({ type }) => type === FrameType.MESSAGE).map(({ payload }) => payload[0])).toEqual(Array.from({ length: sent }, (_, n) => n))
  })

  test('meanwhile others are answered, also what is larger than what they may have waiting then', async () => {
    await startFull()
    const other = await platform.app('other', 8)
    other.echo()
    const client = await platform.open('/other')
    for (let n = 0; n < 10; n++) client.ws.send(Buffer.alloc(5 * PIECE, n))
    for (let n = 0; n < 200; n++) client.ws.send(`small ${n}`)
    const heard = await client.heard(210)
    expect(heard.slice(0, 10).map((message) => (message as Buffer)[0])).toEqual(Array.from({ length: 10 }, (_, n) => n))
    expect(heard.slice(10)).toEqual(Array.from({ length: 200 }, (_, n) => `small ${n}`))
  })

  test('who had to wait for another goes on when that one has settled, with nothing settled of its own', async () => {
    const { hog } = await startFull()
    const patient = await platform.app('patient', 8)
    const client = await platform.open('/patient')
    client.ws.send(Buffer.alloc(2 * PIECE))
    await until(() => platform.pool.logs.some(({ app, line }) => app === 8 && line.message.includes('(limit gatewayQueue')), 'the line in its log')
    client.ws.send('one more')
    await platform.traffic(8)
    expect(patient.count(FrameType.MESSAGE)).toBe(1)
    settleAll(hog)
    await until(() => patient.log.at(-1) === 'MESSAGE one more')
  })

  test('what is dropped with a deleted app is room for others, and nothing of it is left', async () => {
    await startFull()
    const patient = await platform.app('patient', 8)
    const client = await platform.open('/patient')
    client.ws.send(Buffer.alloc(2 * PIECE))
    await until(() => platform.pool.logs.some(({ app }) => app === 8), 'the line in its log')
    client.ws.send('one more')
    await platform.pool.route({ ...routeOf('hog', 7), state: 'suspended' })
    await platform.pool.control!.call('placed', { app: 7, placement: null, loss: 'putAway' })
    await until(() => patient.log.at(-1) === 'MESSAGE one more')
    settleAll(patient)
    await untilAsync(async () => (await platform.traffic(8)).queueBytes === 0)
  })
})

test('all have a bound, beyond which there is still room for what is small', () => {
  const waiting = new WaitingBytes(256 * MiB)
  waiting.bytes = 250 * MiB
  expect(waiting.fit(1 * MiB, 6 * MiB)).toBe(true)
  expect(waiting.fit(1 * MiB, 7 * MiB)).toBe(false)
  waiting.bytes += 6 * MiB
  expect(waiting.isTooMuch(MiB)).toBe(false)
  expect(waiting.fit(0, 65_537)).toBe(false)
  expect(waiting.fit(0, 65_536)).toBe(true)
  expect(waiting.fit(65_536, 1)).toBe(false)
  waiting.bytes += 64 * MiB
  expect(waiting.fit(0, 1)).toBe(false)
  expect([waiting.isTooMuch(65_536), waiting.isTooMuch(65_537)]).toEqual([false, true])
  expect([waiting.hasRoom(32_768), waiting.hasRoom(32_769)]).toEqual([true, false])
  waiting.bytes = 224 * MiB
  expect(waiting.fit(0, 10 * MiB)).toBe(true)
  expect(waiting.hasRoom(10 * MiB)).toBe(true)
})
