import { afterEach, describe, expect, test, vi } from 'vitest'
import { FrameType, type ConnectionInfo } from '@socklet/protocol'
import { HeldWrites } from '../src/held-writes.ts'
import { SendMemory } from '../src/send-memory.ts'
import type { Client } from './support/client.ts'
import { startPlatform, untilAsync, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'
import { openingOf, type FakeWorker, type Got } from './support/worker.ts'

/** What waits for slow clients is bounded for all of them together: of an app, and of the gateway. */
let platform: Platform
afterEach(() => platform?.stop())

// Tens of MiB through the system's own buffers, which take their time on a busy machine.
vi.setConfig({ testTimeout: 30_000 })

const MiB = 1024 * 1024
const PIECE = 256 * 1024

interface Peer {
  client: Client
  opened: Got
}

async function connected(worker: FakeWorker, path: string, count: number, options = {}): Promise<Peer[]> {
  const peers: Peer[] = []
  for (let n = 0; n < count; n++) {
    const index = worker.count(FrameType.OPEN)
    const client = await platform.open(path, [], options)
    peers.push({ client, opened: await worker.got(FrameType.OPEN, index) })
  }
  return peers
}

async function listed(app: number): Promise<Map<string, ConnectionInfo>> {
  const { items } = await platform.pool.control!.call('connections', { app, limit: 100, after: 0 })
  return new Map(items.map((item) => [item.id, item]))
}

async function infoOf({ opened }: Peer): Promise<ConnectionInfo | null> {
  return (await listed(opened.app)).get(openingOf(opened).head.id) ?? null
}

/** Bytes that wait at the gateway, null if it is gone. */
async function waitingFor(peer: Peer): Promise<number | null> {
  return (await infoOf(peer))?.buffered ?? null
}

/** Is sent a piece, which has come to the gateway when this returns. */
async function piece(worker: FakeWorker, peer: Peer, bytes = PIECE): Promise<void> {
  const before = (await infoOf(peer))?.messagesOut ?? 0
  worker.send(peer.opened, Buffer.alloc(bytes))
  await untilAsync(async () => ((await infoOf(peer))?.messagesOut ?? Infinity) > before)
}

/** Stops reading, and is sent pieces until this much waits at the gateway, beyond what the system holds. */
async function stuff(worker: FakeWorker, peer: Peer, bytes: number): Promise<void> {
  peer.client.socket.pause()
  while (((await waitingFor(peer)) ?? Infinity) < bytes) await piece(worker, peer)
}

async function read(peer: Peer): Promise<void> {
  peer.client.socket.resume()
  await untilAsync(async () => (await waitingFor(peer)) === 0)
}

const closes = (worker: FakeWorker): number[] => worker.events.filter(({ type }) => type === FrameType.CLOSED).map(({ connection }) => connection)

describe('sendBufferTotalBytes', () => {
  test('above it those who have most waiting are closed with 1013, until it fits; the others stay', async () => {
    platform = await startPlatform({ times: { slowClose: 60_000 } })
    const worker = await platform.app('demo', 7, { limits: { sendBufferTotalBytes: 8 * MiB } })
    const [large, larger, small, reading] = (await connected(worker, '/demo', 4)) as [Peer, Peer, Peer, Peer]
    await stuff(worker, small, MiB)
    await stuff(worker, large, 2 * MiB)
    await stuff(worker, larger, 3 * MiB)
    expect(closes(worker)).toEqual([])
    for (let n = 0; n < 12; n++) worker.send(larger.opened, Buffer.alloc(PIECE))
    await worker.got(FrameType.CLOSED)
    expect(closes(worker)).toEqual([larger.opened.connection])
    for (const { client, opened } of [small, large, reading]) {
      worker.send(opened, 'still here')
      client.socket.resume()
      await until(() => client.messages.at(-1) === 'still here')
    }
    expect(closes(worker)).toEqual([larger.opened.connection])
  })

  test('one for whom not too much waits may read why', async () => {
    platform = await startPlatform({ times: { slowClose: 60_000 } })
    const worker = await platform.app('demo', 7, { limits: { sendBufferTotalBytes: 12 * MiB } })
    // More than once: what has left is not counted with the next.
    for (const round of [1, 2]) {
      const [victim, last, ...others] = (await connected(worker, '/demo', 7)) as [Peer, Peer, ...Peer[]]
      await stuff(worker, victim, 2.5 * MiB)
      for (const other of [...others, last]) await stuff(worker, other, 1.5 * MiB)
      await piece(worker, last)
      await piece(worker, last)
      victim.client.socket.resume()
      expect([round, await victim.client.closed(), victim.client.reason]).toEqual([round, 1013, 'the client reads too slowly'])
      expect(worker.count(FrameType.CLOSED)).toBeLessThan(round * 7)
      for (const { client } of [last, ...others]) client.ws.terminate()
      await worker.got(FrameType.CLOSED, round * 7 - 1)
    }
  })

  test('what is freed is free: rounds of it do not add up', async () => {
    platform = await startPlatform()
    const worker = await platform.app('demo', 7, { limits: { sendBufferTotalBytes: 8 * MiB } })
    const [reader, ...others] = await connected(worker, '/demo', 4)
    for (const [round, end] of [() => {}, 'terminate', 'reset'].entries()) {
      await stuff(worker, reader!, 3 * MiB)
      await read(reader!)
      const other = others[round]!
      await stuff(worker, other, 3 * MiB)
      if (end === 'terminate') worker.command(FrameType.TERMINATE, other.opened)
      else other.client.socket.resetAndDestroy()
      await worker.got(FrameType.CLOSED, round)
    }
    for (let round = 0; round < 3; round++) {
      await stuff(worker, reader!, 4 * MiB)
      await read(reader!)
    }
    expect(reader!.client.code).toBeNull()
  })

  test('a message to many is counted once', async () => {
    platform = await startPlatform()
    const worker = await platform.app('demo', 7, { limits: { sendBufferTotalBytes: 12 * MiB } })
    const peers = await connected(worker, '/demo', 6)
    const numbers = peers.map(({ opened }) => opened.connection)
    for (const { client } of peers) client.socket.pause()
    const text = 'x'.repeat(MiB)
    const waiting = async (): Promise<number[]> => [...(await listed(7)).values()].map(({ buffered }) => buffered)
    // 24 MiB and more by six queues, and no more than 8 in memory.
    let rounds = 0
    while ((await waiting()).some((bytes) => bytes < 4 * MiB)) {
      if (rounds++ % 2 === 0) worker.sendMany(peers[0]!.opened, numbers, text)
      else worker.sendRoom(peers[0]!.opened, null, [], text)
    }
    expect((await waiting()).reduce((sum, bytes) => sum + bytes)).toBeGreaterThan(24 * MiB)
    for (const { client } of peers) client.socket.resume()
    for (const { client } of peers) await client.heard(rounds)
    expect(closes(worker)).toEqual([])
  })

  test('it holds with compression, too', async () => {
    platform = await startPlatform({ times: { slowClose: 60_000 } })
    const worker = await platform.app('demo', 7, { limits: { sendBufferTotalBytes: 6 * MiB, compressFromBytes: 16 * MiB } })
    const [one, two] = (await connected(worker, '/demo', 2, { perMessageDeflate: true })) as [Peer, Peer]
    expect(one.client.ws.extensions).toMatch(/permessage-deflate/)
    await stuff(worker, one, 2 * MiB)
    await stuff(worker, two, 3 * MiB)
    expect(closes(worker)).toEqual([])
    for (let n = 0; n < 8; n++) worker.send(two.opened, Buffer.alloc(PIECE))
    await worker.got(FrameType.CLOSED)
    expect(closes(worker)).toEqual([two.opened.connection])
    one.client.socket.resume()
    worker.send(one.opened, 'still here')
    await until(() => one.client.messages.at(-1) === 'still here')
  })
})

describe('what a gateway holds for all apps', () => {
  test('above it those who have most waiting are closed, whose ever they are', async () => {
    platform = await startPlatform({ sendBufferBytes: 8 * MiB, times: { slowClose: 60_000 } })
    const workers = [await platform.app('one', 7), await platform.app('two', 8)] as const
    const [modest] = (await connected(workers[0], '/one', 1)) as [Peer]
    const [greedy] = (await connected(workers[1], '/two', 1)) as [Peer]
    await stuff(workers[0], modest, 2 * MiB)
    await stuff(workers[1], greedy, 5 * MiB)
    expect(workers.flatMap(closes)).toEqual([])
    // The one passes the bound, the other has most.
    for (let n = 0; n < 7; n++) workers[0].send(modest.opened, Buffer.alloc(PIECE))
    await workers[1].got(FrameType.CLOSED)
    modest.client.socket.resume()
    workers[0].send(modest.opened, 'still here')
    await until(() => modest.client.messages.at(-1) === 'still here')
    expect(workers[0].count(FrameType.CLOSED)).toBe(0)
  })
})

describe('the account', () => {
  const counted = (memory: SendMemory): number => Math.round(memory.bytes / 1000)
  const bytes = (size: number): Uint8Array => new Uint8Array(size)

  test('counts a buffer as long as any write keeps it, and all of it', () => {
    const all = new SendMemory(null)
    const app = new SendMemory(all)
    const [one, two] = [new HeldWrites(app), new HeldWrites(app)]
    const frame = bytes(100_000)
    const left = [one.hold(frame, undefined), two.hold([frame.subarray(0, 10), bytes(50_000)], undefined), one.hold(frame.subarray(5), undefined)]
    expect([counted(app), counted(all)]).toEqual([151, 151])
    left[1]!()
    expect(counted(app)).toBe(101)
    left[0]!()
    expect([counted(app), one.isEmpty, two.isEmpty]).toEqual([100, false, true])
    left[2]!()
    expect([app.bytes, all.bytes, one.isEmpty]).toEqual([0, 0, true])
  })

  test('moves what is given up out of the way, and ends at nothing, whenever its writes come back', () => {
    const all = new SendMemory(null)
    const app = new SendMemory(all)
    const held = new HeldWrites(app)
    let called = 0
    const left = held.hold(bytes(100_000), () => called++)
    held.set(50_000)
    held.leave(150_000)
    expect([app.bytes, app.leaving, all.leaving, held.isLeaving]).toEqual([0, 150_000, 150_000, true])
    left()
    held.set(10_000)
    expect([app.bytes, app.leaving, called]).toEqual([0, 150_000, 1])
    held.clear()
    held.clear()
    expect([app.bytes, app.leaving, all.bytes, all.leaving]).toEqual([0, 0, 0, 0])
  })
})
