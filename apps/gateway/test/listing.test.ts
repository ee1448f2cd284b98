import { afterEach, beforeEach, expect, test } from 'vitest'
import { FrameType, type ConnectionInfo, type GatewayCalls } from '@socklet/protocol'
import { startPlatform, type Platform } from './support/platform.ts'
import type { FakeWorker, Got } from './support/worker.ts'

let platform: Platform
let worker: FakeWorker
beforeEach(async () => {
  platform = await startPlatform()
  worker = await platform.app('demo', 7)
})
afterEach(() => platform.stop())

async function connected(rooms: Buffer[] = []): Promise<Got> {
  const index = worker.count(FrameType.OPEN)
  const client = await platform.open('/demo')
  const opened = await worker.got(FrameType.OPEN, index)
  for (const room of rooms) worker.command(FrameType.JOIN, opened, room)
  // By then it has joined.
  worker.send(opened, 'joined')
  await client.heard(1)
  return opened
}

function page(limit: number, after = 0): Promise<GatewayCalls['connections']['result']> {
  return platform.pool.control!.call('connections', { app: 7, limit, after })
}

async function allPages(limit: number): Promise<ConnectionInfo[][]> {
  const pages: ConnectionInfo[][] = []
  for (let after: number | undefined = 0; after !== undefined;) {
    const { items, next } = await page(limit, after)
    pages.push(items)
    after = next
  }
  return pages
}

test('pages are as long as was asked for, and the last one says that it is', async () => {
  for (let count = 0; count < 4; count++) await connected()
  expect((await allPages(2)).map(({ length }) => length)).toEqual([2, 2])
  expect((await allPages(3)).map(({ length }) => length)).toEqual([3, 1])
  const ids = (await allPages(1)).flat().map(({ id }) => id)
  expect(new Set(ids).size).toBe(4)
})

test('a page of none says whether there are any', async () => {
  expect(await page(0)).toEqual({ items: [] })
  const { connection } = await connected()
  expect(await page(0)).toEqual({ items: [], next: 0 })
  expect(await page(0, connection)).toEqual({ items: [] })
})

// In JSON such a name has 6 KiB. 400 of these connections were a page that no string can be, and that ended the gateway (packages/protocol/test/control.test.ts).
test('connections that are in very many rooms with very long names make short pages', async () => {
  const names = Array.from({ length: 1_000 }, (_, n) => Buffer.from(`${n}`.padEnd(1_024, '\u0001')))
  for (let count = 0; count < 3; count++) await connected(names)
  await connected()
  const pages = await allPages(1_000)
  expect(pages.map(({ length }) => length)).toEqual([1, 1, 2])
  const ids = pages.flat().map(({ id }) => id)
  expect(new Set(ids).size).toBe(4)
  const alone = await platform.pool.control!.call('connection', { app: 7, id: ids[0]! })
  expect(alone?.rooms).toHaveLength(1_000)
})
