import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openCatalog, type Catalog } from '@socklet/catalog'
import { CONNECTIONS_PAGE_CHARACTERS, Link, controlLink, takePage, type CallHandlers, type CallMap, type ConnectionInfo, type GatewayCalls } from '@socklet/protocol'
import { Apps } from '../../src/pool/apps.ts'
import { listConnections } from '../../src/pool/connections.ts'
import { Gateways } from '../../src/pool/gateways.ts'

let folder: string
let catalog: Catalog
let apps: Apps
let gateways: Gateways
const servers: Server[] = []
const links: Link[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'socklet-pool-'))
  process.chdir(folder)
  catalog = await openCatalog({ 'mongodb-url': null })
  await catalog.createApp({ appid: 'demo', name: '' })
  apps = new Apps(catalog)
  gateways = new Gateways()
})
afterEach(async () => {
  for (const link of links.splice(0)) link.destroy()
  for (const server of servers.splice(0)) server.close()
  await catalog.close()
  process.chdir(tmpdir())
  rmSync(folder, { recursive: true })
})

/** A gateway with so many connections, all in one room, played at the other end of a real link. */
async function gateway(index: number, count: number, room = 'x'): Promise<void> {
  const all = Array.from({ length: count }, (_, n) => ({ number: n + 1, info: connection(`${index}-${n + 1}`, room) }))
  const handlers: Partial<CallHandlers<GatewayCalls>> = {
    connections: ({ limit, after }) => {
      const rest = all.filter(({ number }) => number > after)
      const { items, more } = takePage(rest.map(({ info }) => info), { items: limit, characters: CONNECTIONS_PAGE_CHARACTERS })
      return more ? { items, next: rest[items.length - 1]?.number ?? after } : { items }
    }
  }
  const path = join(folder, `gateway-${index}.sock`)
  const server = createServer((socket) => links.push(controlLink<CallMap, GatewayCalls>((on) => new Link(socket, on), handlers).link))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const { link, control } = controlLink<GatewayCalls, CallMap>((on) => new Link(connect(path), on), {})
  links.push(link)
  gateways.add(index, control, 0)
}

function connection(id: string, room: string): ConnectionInfo {
  return { id, since: new Date(0).toISOString(), address: '192.0.2.1', url: '/', protocol: '', messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0, buffered: 0, rooms: [room] }
}

/** The ids of each page, to the end. */
async function pages(limit: number): Promise<string[][]> {
  const found: string[][] = []
  let cursor: string | undefined
  do {
    const page = await listConnections(apps, gateways, { appid: 'demo', limit, ...(cursor === undefined ? {} : { cursor }) })
    found.push(page.items.map(({ id }) => id))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return found
}

// A full page had a cursor whether or not there was a gateway after it: the listing ended with an empty page.
describe('the connections of an app', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 100])('are each visited once, in pages of %i', async (limit) => {
    await gateway(0, 4)
    await gateway(2, 3)
    const found = await pages(limit)
    expect(found.flat()).toEqual(['0-1', '0-2', '0-3', '0-4', '2-1', '2-2', '2-3'])
    expect(found.map(({ length }) => length)).toEqual([...Array.from({ length: Math.floor(7 / limit) }, () => limit), ...(7 % limit === 0 ? [] : [7 % limit])])
  })

  it.each([
    ['the last gateway', [0, 2]],
    ['the first', [2, 0]],
    ['the first of three', [2, 0, 0]]
  ])('end with a page that %s fills', async (_, counts) => {
    for (const [index, count] of counts.entries()) await gateway(index, count)
    expect((await pages(2)).map(({ length }) => length)).toEqual([2])
  })

  it('of nobody are an empty page', async () => {
    await gateway(0, 0)
    expect(await pages(2)).toEqual([[]])
  })

  it('make short pages where they are in rooms with long names, however many gateways there are', async () => {
    const room = 'x'.repeat(CONNECTIONS_PAGE_CHARACTERS * 0.6)
    for (const index of [0, 1, 2, 3]) await gateway(index, 1, room)
    await gateway(4, 2, room)
    expect(await pages(100)).toEqual([['0-1', '1-1'], ['2-1', '3-1'], ['4-1'], ['4-2']])
  })

  it('go on where a gateway was that is gone', async () => {
    await gateway(0, 1)
    await gateway(2, 1)
    expect(await listConnections(apps, gateways, { appid: 'demo', limit: 5, cursor: '1.7' })).toEqual({ items: [connection('2-1', 'x')] })
  })

  it.each(['x', '1', '1.', '-1.0', '1.99999999999', '0001.0'])('refuse the cursor %s', async (cursor) => {
    await expect(listConnections(apps, gateways, { appid: 'demo', limit: 5, cursor })).rejects.toMatchObject({ code: 'invalid_cursor' })
  })
})
