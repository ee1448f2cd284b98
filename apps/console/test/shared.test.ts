import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { dataName } from '@socklet/catalog'
import { ENTRY_BYTES, NodeKind, keyBytes, openSharedStore, type SharedStore } from '@socklet/shared'
import { RecordWriter } from '@socklet/shared/testing'
import { CallError } from '@socklet/protocol'
import { harness, type Harness } from './harness.ts'

let h: Harness
let store: SharedStore
let lease: number
/** Of the app in the store. */
let chat: string
beforeAll(async () => {
  h = await harness()
  await h.app('chat')
  chat = dataName((await h.catalog.getApp('chat'))!)
})
afterAll(async () => {
  await store.close()
  await h.stop()
})
beforeEach(() => {
  h.pool.calls.length = 0
  h.pool.override = {}
})

const path = '/v1/apps/chat/shared'
const key = (text: string): Uint8Array => keyBytes(text)!
/** A value: a reference to one of the first nodes. Its layout is in packages/shared/src/value-tags.ts. */
const node = (number: number): Uint8Array => Uint8Array.from([1, 0x1b, 0x80 + number])

test('there is nothing before the pool has made the store', async () => {
  expect(await h.ask('GET', path)).toMatchObject({ status: 200, body: { items: [] } })
  expect(await h.ask('GET', `${path}/users`)).toMatchObject({ status: 404, body: { error: { code: 'key_not_found', message: expect.stringContaining('"users"') } } })
})

describe('what cloud.shared holds', () => {
  beforeAll(async () => {
    store = openSharedStore(join(h.folder, 'shared.db'))
    ;({ lease } = await store.open(chat))
    const records = new RecordWriter().node(1, NodeKind.MAP)
      .set(0, 2, key('users'), node(1)).set(1, 0, key('a/b'), key('$socket:s-1')).set(1, 1, key('$5'), key('$12n'))
      .set(0, 1, key('first'), key('text')).set(0, 3, key('$5'), key('$5')).set(0, 4, key('$$5'), key('$true')).set(0, 5, key('a/b ?ü'), key('$null'))
    await store.write(chat, lease, records.finish(), { bytes: 10_000 })
  })

  test('is listed in its order, by pages', async () => {
    const { body } = await h.ask('GET', path)
    expect(body.items.map((item: { key: string }) => item.key)).toEqual(['first', 'users', '$5', '$$5', 'a/b ?ü'])
    expect(body.items[0]).toEqual({ key: 'first', kind: 'string', bytes: ENTRY_BYTES + 7 + 6 })
    expect(body.items[1]).toEqual({ key: 'users', kind: 'map', bytes: ENTRY_BYTES + 7 + 3 + ENTRY_BYTES + (ENTRY_BYTES + 5 + 6) + (ENTRY_BYTES + 2 + 10), entries: 2 })
    expect(body.items.map((item: { kind: string }) => item.kind)).toEqual(['string', 'map', 'number', 'boolean', 'null'])
    const first = (await h.ask('GET', `${path}?limit=3`)).body
    expect(first.items).toEqual(body.items.slice(0, 3))
    expect((await h.ask('GET', `${path}?limit=3&cursor=${first.nextCursor}`)).body).toEqual({ items: body.items.slice(3) })
    expect(await h.ask('GET', `${path}?cursor=nonsense`)).toMatchObject({ status: 400, body: { error: { code: 'invalid_cursor' } } })
  })

  test('is shown by its key, whatever its type', async () => {
    expect((await h.ask('GET', `${path}/users`)).body).toEqual({ ...(await h.ask('GET', path)).body.items[1], value: { $map: [['a/b', { $socket: 's-1' }], [5, { $bigint: '12' }]] } })
    for (const [name, value] of [['first', 'text'], ['$5', 5], ['$$5', true], ['a/b ?ü', null]] as const) {
      expect((await h.ask('GET', `${path}/${encodeURIComponent(name)}`)).body).toMatchObject({ key: name, value })
    }
    for (const name of ['none', '5', '$nonsense', '$bytes:AUA', '__proto__', '$$$5']) expect(await h.ask('GET', `${path}/${name}`)).toMatchObject({ status: 404, body: { error: { code: 'key_not_found' } } })
  })

  test('is what was written last', async () => {
    await store.write(chat, lease, new RecordWriter().set(0, 1, key('first'), key('other')).finish(), { bytes: 10_000 })
    expect((await h.ask('GET', `${path}/first`)).body.value).toBe('other')
  })

  test('is removed by the pool, by the bytes of its key', async () => {
    expect((await h.ask('DELETE', `${path}/users`)).status).toBe(204)
    expect((await h.ask('DELETE', `${path}/$5`)).status).toBe(204)
    expect(h.pool.called('sharedDelete')).toEqual(['users', '$5'].map((name) => ({ appid: 'chat', key: Buffer.from(key(name)).toString('base64') })))
    h.pool.override = { sharedDelete: () => false }
    expect(await h.ask('DELETE', `${path}/users`)).toMatchObject({ status: 404, body: { error: { code: 'key_not_found' } } })
    h.pool.override = { sharedDelete: () => { throw new CallError('unavailable', 'not now') } }
    expect(await h.ask('DELETE', `${path}/users`)).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } })
    h.pool.calls.length = 0
    expect(await h.ask('DELETE', `${path}/$nonsense`)).toMatchObject({ status: 404 })
    expect(h.pool.called('sharedDelete')).toEqual([])
  })

  test('needs a token that reaches so far', async () => {
    const read = await h.token('chat', 'read')
    expect((await h.ask('GET', `${path}/users`, { token: read })).status).toBe(200)
    expect((await h.ask('DELETE', `${path}/users`, { token: read })).status).toBe(403)
    await h.app('other')
    expect((await h.ask('GET', '/v1/apps/other/shared', { token: read })).status).toBe(403)
    expect((await h.ask('GET', '/v1/apps/other/shared')).body).toEqual({ items: [] })
    expect(await h.ask('GET', '/v1/apps/nobody/shared')).toMatchObject({ status: 404, body: { error: { code: 'app_not_found' } } })
  })
})

test('what is no store is no answer', async () => {
  const broken = await harness({ sharedStore: new URL(import.meta.url).pathname })
  await broken.app('chat')
  expect(await broken.ask('GET', path)).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } })
  await broken.stop()
})
