import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ENTRY_BYTES, NodeKind, Op, RecordReader, SharedError, type KeyInfo, type SharedErrorCode, type SharedStore } from '../src/index.ts'
import { RecordWriter } from './record-writer.ts'
import { longText, node, small, socket, text } from './bytes.ts'
import { newModel, replay, show, sizeOf, type Model } from './model.ts'

export interface OpenedStore {
  store: SharedStore
  /** The same store, as another process would open it. The contract closes it. */
  another(): SharedStore
  cleanup(): Promise<void>
}

const PLENTY = { bytes: 64 * 1024 * 1024 }
const CHUNK_BYTES = 1024 * 1024

/** Keys that a careless store would take for something else. */
const HOSTILE = ['__proto__', 'constructor', '', '\0', 'a\0b', 'a', "'; DROP TABLE entries; --", '%', 'größe', '{"$gt":""}', 'NULL', '0']

const records = (): RecordWriter => new RecordWriter()

async function refused(promise: Promise<unknown>, code: SharedErrorCode): Promise<void> {
  await expect(promise).rejects.toMatchObject({ name: 'SharedError', code, message: expect.stringMatching(/\w/) })
}

/** What every implementation of SharedStore has to do. */
export function sharedContract(title: string, open: () => Promise<OpenedStore>): void {
  describe(`the shared store in ${title}`, () => {
    let opened: OpenedStore
    let store: SharedStore
    let made = 0

    beforeAll(async () => {
      opened = await open()
      store = opened.store
    })
    afterAll(async () => {
      await opened.cleanup()
    })

    const newAppid = (): string => `app-${++made}`
    /** An app that was opened, and what to write to it with. */
    async function newApp(quota = PLENTY) {
      const appid = newAppid()
      const { lease } = await store.open(appid)
      return { appid, lease, write: (writer: RecordWriter) => store.write(appid, lease, writer.finish(), quota) }
    }
    /** What is stored, by opening the app anew: its leases are void then. */
    async function stored(appid: string, from = store): Promise<Model> {
      const model = newModel()
      for (const chunk of (await from.open(appid)).records) replay(model, chunk)
      return model
    }
    const keysOf = async (appid: string): Promise<string[]> => {
      const { items } = await store.keys(appid, { limit: 1_000 })
      return items.map(({ key }) => Buffer.from(key.subarray(2)).toString('latin1'))
    }

    describe('values', () => {
      it('are none in an app that is new', async () => {
        expect((await store.open(newAppid())).records).toEqual([])
      })

      it('come back as they were written', async () => {
        const { appid, write } = await newApp()
        const wanted = records()
          .set(0, 0, text('users'), node(1))
          .node(1, NodeKind.MAP)
          .set(1, 0, text('a'), socket('s-1'))
          .set(1, 7, text('b'), node(2))
          .node(2, NodeKind.SET)
          .set(2, 3, small(5), new Uint8Array())
          .value(3, text('shared'))
          .set(0, 1, node(3), node(3))
        const expected = replay(newModel(), records().node(1, NodeKind.MAP).node(2, NodeKind.SET).finish())
        const bytes = wanted.finish()
        // The writer's own order has an entry before its node: the first one is in node 0, which is always there.
        await store.write(appid, (await store.open(appid)).lease, bytes, PLENTY)
        expect(show(await stored(appid))).toEqual(show(replay(expected, bytes)))
        await refused(write(records().clear(0)), 'stale_lease')
      })

      it('are those of a model, whatever is written, in however many writes', async () => {
        // Such that all is reached, since the rest is removed: node 0 holds every node.
        const anchors = records()
        for (let each = 1; each <= 4; each++) anchors.set(0, 1_000 + each, text(`anchor ${each}`), node(each))
        const anchored = anchors.finish()
        const bytes = fc.uint8Array({ maxLength: 20 })
        const anyNode = fc.nat(4)
        const entry = fc.oneof(fc.nat(6), fc.constantFrom(2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER))
        const step = fc.oneof(
          { weight: 3, arbitrary: fc.tuple(anyNode, entry, bytes, bytes).map(([to, at, key, value]) => records().set(to, at, key, value).finish()) },
          fc.tuple(anyNode, entry).map(([to, at]) => records().delete(to, at).finish()),
          fc.tuple(fc.nat(3), fc.constantFrom(NodeKind.MAP, NodeKind.SET)).map(([which, kind]) => records().node(which + 1, kind).finish()),
          fc.tuple(fc.nat(3), bytes).map(([which, value]) => records().value(which + 1, value).finish()),
          fc.integer({ min: 1, max: 4 }).map((which) => records().clear(which).finish()),
          fc.integer({ min: 1, max: 4 }).map((which) => records().drop(which).finish())
        )
        const writes = fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { maxLength: 8 })
        await fc.assert(
          fc.asyncProperty(writes, async (steps) => {
            const appid = newAppid()
            let { lease } = await store.open(appid)
            let model = replay(newModel(), anchored)
            await store.write(appid, lease, anchored, PLENTY)
            for (const each of steps) {
              const one = Buffer.concat(each)
              const next = attempt(model, one)
              if (next === null) {
                await refused(store.write(appid, lease, one, PLENTY), 'bad_records')
                lease = (await store.open(appid)).lease
              } else {
                await store.write(appid, lease, one, PLENTY)
                model = next
              }
            }
            expect(show(await stored(appid))).toEqual(show(model))
            await expectSize(appid, sizeOf(model))
          }),
          { numRuns: 100 }
        )
      })

      /** The store's account of the app's size, found by what the quota refuses. */
      async function expectSize(appid: string, bytes: number): Promise<void> {
        const one = records().set(0, 5_000, text('k'), text('v')).finish()
        const more = ENTRY_BYTES + 6
        await refused(store.write(appid, (await store.open(appid)).lease, one, { bytes: bytes + more - 1 }), 'over_quota')
        await store.write(appid, (await store.open(appid)).lease, one, { bytes: bytes + more })
      }

      it('may be of any size', async () => {
        const { appid, write } = await newApp()
        await write(records().set(0, 0, text('large'), longText(5_000_000)).set(0, 1, text('empty'), new Uint8Array()).value(1, longText(3_000_000)).set(0, 2, text('node'), node(1)))
        const model = await stored(appid)
        expect(model.get(0)!.entries.get(0)!.value.length / 2).toBe(longText(5_000_000).length)
        expect(model.get(1)!.value.length / 2).toBe(longText(3_000_000).length)
      })

      it('come in chunks of about a mebibyte, cut between records', async () => {
        const { appid, write } = await newApp()
        for (let part = 0; part < 5; part++) {
          const writer = records()
          for (let i = 0; i < 1_000; i++) writer.set(0, part * 1_000 + i, text(`key-${part}-${i}`), longText(1_000))
          await write(writer)
        }
        await write(records().set(0, 9_000, text('large'), longText(2_000_000)).set(0, 9_001, text('last'), small(1)))
        const { records: chunks } = await store.open(appid)
        const model = newModel()
        for (const chunk of chunks) replay(model, chunk)
        expect(model.get(0)!.entries.size).toBe(5_002)
        expect(chunks.length).toBeLessThanOrEqual(9)
        expect(chunks.filter((chunk) => chunk.length > CHUNK_BYTES).map((chunk) => replay(newModel(), chunk).get(0)!.entries.size)).toEqual([1])
      })

      it.each(HOSTILE)('may have the key %j', async (key) => {
        const { appid, write } = await newApp()
        await write(records().set(0, 0, text('other'), small(1)).set(0, 1, text(key), text(key)).set(0, 2, text(`${key}2`), small(2)))
        expect(await keysOf(appid)).toEqual(['other', key, `${key}2`])
        expect((await store.value(appid, text(key), { maxBytes: 1_000 }))!.value).toEqual(text(key))
        expect(await store.deleteKey(appid, text(key))).toBe(true)
        expect(await keysOf(appid)).toEqual(['other', `${key}2`])
      })
    })

    describe('order', () => {
      it('is that of the entries, not of the writes or keys', async () => {
        const { appid, write } = await newApp()
        await write(records().set(0, 300, text('a'), small(1)).set(0, 2, text('z'), small(2)))
        await write(records().set(0, 2 ** 40, text('b'), small(3)).set(0, 5, text('y'), small(4)))
        expect(await keysOf(appid)).toEqual(['z', 'y', 'a', 'b'])
        const model = await stored(appid)
        expect([...model.get(0)!.entries.keys()]).toEqual([2, 5, 300, 2 ** 40])
      })

      it('keeps the place of an entry that gets another value', async () => {
        const { appid, write } = await newApp()
        await write(records().set(0, 1, text('first'), small(1)).set(0, 2, text('second'), small(2)))
        await write(records().set(0, 1, text('first'), longText(9_000)))
        expect(await keysOf(appid)).toEqual(['first', 'second'])
      })

      it('is nodes first, then the entries of each', async () => {
        const { appid, write } = await newApp()
        await write(records().node(1, NodeKind.MAP).set(1, 0, text('x'), node(2)).node(2, NodeKind.SET).set(2, 0, small(1), new Uint8Array()).set(0, 0, text('one'), node(1)))
        const order: string[] = []
        for (const chunk of (await store.open(appid)).records) {
          for (const record = new RecordReader(chunk); record.next();) order.push(record.op === Op.NODE ? `node ${record.node}` : `entry of ${record.node}`)
        }
        expect(order).toEqual(['node 1', 'node 2', 'entry of 0', 'entry of 1', 'entry of 2'])
      })

      it('of the calls is that of one tick too', async () => {
        const { appid, write } = await newApp()
        const writes = Array.from({ length: 100 }, (_, i) => write(records().set(0, 0, text('last'), small(i)).set(0, i + 1, text(`k${i}`), small(i))))
        await Promise.all(writes)
        expect((await store.value(appid, text('last'), { maxBytes: 100 }))!.value).toEqual(small(99))
        expect(await keysOf(appid)).toHaveLength(101)
      })

      it('has each call see those before it', async () => {
        const { appid, write } = await newApp()
        const writing = write(records().set(0, 0, text('k'), small(1)))
        const listing = keysOf(appid)
        const opening = store.open(appid)
        const late = write(records().clear(0))
        expect(await listing).toEqual(['k'])
        expect((await opening).records).toHaveLength(1)
        await writing
        await refused(late, 'stale_lease')
        expect(await keysOf(appid)).toEqual(['k'])
      })

      it('has a write that is on its way take effect before the app is opened, changed or removed', async () => {
        const one = await newApp()
        const writing = one.write(records().set(0, 0, text('k'), small(1)))
        expect((await store.open(one.appid)).records).toHaveLength(1)
        await writing
        const two = await newApp()
        const second = two.write(records().set(0, 0, text('k'), small(1)))
        expect(await store.deleteKey(two.appid, text('k'))).toBe(true)
        await second
        const three = await newApp()
        const third = three.write(records().set(0, 0, text('k'), small(1)))
        await store.remove(three.appid)
        await third
        expect(await keysOf(three.appid)).toEqual([])
      })
    })

    describe('leases', () => {
      it('are void when the app is opened again, here or in another process', async () => {
        const { appid, lease, write } = await newApp()
        await write(records().set(0, 0, text('k'), small(1)))
        const other = opened.another()
        const second = await other.open(appid)
        expect(second.lease).toBeGreaterThan(lease)
        await refused(write(records().clear(0)), 'stale_lease')
        await other.write(appid, second.lease, records().set(0, 1, text('l'), small(2)).finish(), PLENTY)
        const third = await store.open(appid)
        await refused(other.write(appid, second.lease, records().clear(0).finish(), PLENTY), 'stale_lease')
        await store.write(appid, third.lease, records().set(0, 2, text('m'), small(3)).finish(), PLENTY)
        expect(await keysOf(appid)).toEqual(['k', 'l', 'm'])
        await other.close()
      })

      it('are no good for an app that was never opened, was removed, or is another', async () => {
        const { appid, lease } = await newApp()
        const other = await newApp()
        const some = records().set(0, 0, text('k'), small(1)).finish()
        await refused(store.write('never', lease, some, PLENTY), 'stale_lease')
        await refused(store.write(appid, other.lease, some, PLENTY), 'stale_lease')
        await store.write(appid, lease, some, PLENTY)
        await store.remove(appid)
        await refused(store.write(appid, lease, some, PLENTY), 'stale_lease')
        const again = await store.open(appid)
        expect(again.lease).toBeGreaterThan(lease)
        expect(again.records).toEqual([])
        await refused(store.write(appid, lease, some, PLENTY), 'stale_lease')
      })

      it('are void after a refused write: those behind it have counted on it', async () => {
        const { appid, write } = await newApp({ bytes: 100 })
        const before = write(records().set(0, 0, text('k'), small(1)))
        const large = write(records().set(0, 1, text('l'), longText(200)))
        const behind = write(records().set(0, 2, text('m'), small(2)))
        await before
        await refused(large, 'over_quota')
        await refused(behind, 'stale_lease')
        await refused(write(records().set(0, 3, text('n'), small(3))), 'stale_lease')
        expect(await keysOf(appid)).toEqual(['k'])
        const { lease } = await store.open(appid)
        await store.write(appid, lease, records().set(0, 4, text('o'), small(4)).finish(), PLENTY)
        expect(await keysOf(appid)).toEqual(['k', 'o'])
      })

      it('are not harmed by a refused write of an older one', async () => {
        const { appid, write } = await newApp()
        const { lease } = await store.open(appid)
        const good = store.write(appid, lease, records().set(0, 0, text('k'), small(1)).finish(), PLENTY)
        await refused(write(records().set(9, 0, text('bad'), small(1))), 'stale_lease')
        await good
        await store.write(appid, lease, records().set(0, 1, text('l'), small(1)).finish(), PLENTY)
        expect(await keysOf(appid)).toEqual(['k', 'l'])
      })
    })

    describe('a write', () => {
      const BAD: [string, Uint8Array][] = [
        ['bytes that are no records', Uint8Array.from([9, 9])],
        ['a node that does not exist', records().set(7, 0, text('k'), small(1)).finish()],
        ['a node that is a value', records().value(7, small(1)).set(7, 0, text('k'), small(1)).finish()],
        ['a node that was dropped', records().node(7, NodeKind.MAP).set(7, 0, text('k'), small(1)).drop(7).set(7, 1, text('l'), small(1)).finish()],
        ['a node that has become a value', records().node(7, NodeKind.SET).set(7, 0, text('k'), small(1)).value(7, small(1)).set(7, 1, text('l'), small(1)).finish()]
      ]
      it.each(BAD)('is done in whole or not at all: %s', async (_, bad) => {
        const { appid, lease, write } = await newApp()
        await write(records().set(0, 0, text('kept'), small(1)).set(0, 1, text('also'), small(2)))
        const before = show(await stored(appid))
        const again = await store.open(appid)
        const good = records().set(0, 0, text('kept'), small(9)).delete(0, 1).set(0, 2, text('new'), small(3)).finish()
        await refused(store.write(appid, again.lease, Buffer.concat([good, bad]), PLENTY), 'bad_records')
        expect(show(await stored(appid))).toEqual(before)
        expect(again.lease).toBeGreaterThan(lease)
      })

      it('that is bad fails no other of its tick', async () => {
        const apps = await Promise.all(Array.from({ length: 6 }, () => newApp({ bytes: 200 })))
        const results = await Promise.allSettled(
          apps.map(({ write }, i) => write(records().set(0, 0, text('k'), i === 2 ? longText(300) : small(i)).set(i === 4 ? 5 : 0, 1, text('l'), small(i))))
        )
        expect(results.map((result) => (result.status === 'fulfilled' ? 'done' : (result.reason as SharedError).code))).toEqual(['done', 'done', 'over_quota', 'done', 'bad_records', 'done'])
        for (const [i, { appid }] of apps.entries()) expect(await keysOf(appid)).toEqual(i === 2 || i === 4 ? [] : ['k', 'l'])
      })

      it('that removes what does not exist is done', async () => {
        const { appid, write } = await newApp()
        await write(records().delete(0, 5).delete(9, 5).clear(9).drop(9).clear(0))
        expect(show(await stored(appid))).toEqual(show(newModel()))
      })

      it('of nothing is done', async () => {
        const { write } = await newApp()
        await write(records())
      })
    })

    describe('the quota', () => {
      it('is exact', async () => {
        const size = ENTRY_BYTES + 3 + ENTRY_BYTES + (ENTRY_BYTES + 2 + 3)
        const all = () => records().node(1, NodeKind.MAP).value(2, text('a')).set(0, 0, small(1), node(1))
        const fits = await newApp({ bytes: size })
        await fits.write(all())
        const tight = await newApp({ bytes: size - 1 })
        await refused(tight.write(all()), 'over_quota')
        expect((await store.open(tight.appid)).records).toEqual([])
      })

      it('counts what is there at the end of the write', async () => {
        const { appid, write } = await newApp({ bytes: 1_000 })
        await write(records().set(0, 0, text('k'), longText(900)))
        await write(records().set(0, 1, text('l'), longText(900)).delete(0, 0))
        await write(records().set(0, 2, text('m'), longText(900)).clear(0).set(0, 3, text('n'), longText(900)))
        await write(records().set(0, 3, text('n'), longText(905)))
        expect(await keysOf(appid)).toEqual(['n'])
      })

      it('that was lowered lets the app get smaller', async () => {
        const { appid, lease, write } = await newApp()
        await write(records().set(0, 0, text('k'), longText(900)).set(0, 1, text('l'), longText(900)))
        const low = (writer: RecordWriter) => store.write(appid, lease, writer.finish(), { bytes: 100 })
        await low(records().set(0, 0, text('k'), longText(500)))
        await low(records().set(0, 1, text('l'), longText(900)))
        await refused(low(records().set(0, 1, text('l'), longText(901))), 'over_quota')
      })

      it('counts what was there before, also when it was changed from outside', async () => {
        const { appid, lease, write } = await newApp({ bytes: 1_000 })
        await write(records().set(0, 0, text('k'), longText(400)).set(0, 1, text('l'), longText(400)))
        expect(await store.deleteKey(appid, text('k'))).toBe(true)
        await write(records().set(0, 2, text('m'), longText(400)))
        const other = opened.another()
        await refused(other.write(appid, lease, records().set(0, 3, text('n'), longText(400)).finish(), { bytes: 1_000 }), 'over_quota')
        await other.close()
      })
    })

    describe('what is not reached from node 0', () => {
      it('is removed when the app is opened, cycles too', async () => {
        const { appid, lease, write } = await newApp()
        const wanted = records().set(0, 0, text('kept'), node(1)).node(1, NodeKind.MAP).set(1, 0, node(2), small(1)).value(2, node(3)).node(3, NodeKind.SET).set(3, 0, node(1), new Uint8Array()).finish()
        const setKept = records().node(1, NodeKind.MAP).value(2, node(3)).node(3, NodeKind.SET).finish()
        await store.write(appid, lease, Buffer.concat([setKept, records().set(0, 0, text('kept'), node(1)).set(1, 0, node(2), small(1)).set(3, 0, node(1), new Uint8Array()).finish()]), PLENTY)
        await write(records().node(5, NodeKind.MAP).node(6, NodeKind.MAP).set(5, 0, text('to'), node(6)).set(6, 0, text('back'), node(5)).set(6, 1, text('kept too'), node(1)).value(7, longText(500)))
        const model = await stored(appid)
        expect([...model.keys()]).toEqual([0, 1, 2, 3])
        expect(show(model)).toEqual(show(replay(newModel(), Buffer.concat([setKept, wanted]))))
        // Gone from the store, and not only from what it gives: nothing is counted for it.
        const size = sizeOf(model)
        const { lease: next } = await store.open(appid)
        await store.write(appid, next, records().set(0, 1, text('k'), small(1)).finish(), { bytes: size + ENTRY_BYTES + 5 })
      })

      it('is removed below a key that was deleted', async () => {
        const { appid, write } = await newApp()
        await write(records().node(1, NodeKind.MAP).set(1, 0, text('a'), small(1)).set(0, 0, text('users'), node(1)).set(0, 1, text('other'), small(1)))
        expect(await store.deleteKey(appid, text('users'))).toBe(true)
        expect(await store.deleteKey(appid, text('users'))).toBe(false)
        expect([...(await stored(appid)).keys()]).toEqual([0])
      })

      it('is what only bytes that are no value seem to name', async () => {
        const { appid, write } = await newApp()
        await write(records().node(27, NodeKind.MAP).set(0, 0, text('\x1b\x9b'), text('\x1b\x9b')).set(0, 1, Uint8Array.from([1, 0x1b]), Uint8Array.from([7, 0x1b, 0x9b])))
        expect([...(await stored(appid)).keys()]).toEqual([0])
      })
    })

    describe('a copy', () => {
      it('is the state as it is now, and takes nothing from whoever holds the app', async () => {
        const { appid, lease, write } = await newApp()
        await write(records().node(1, NodeKind.MAP).set(1, 0, text('a'), small(1)).set(0, 0, text('users'), node(1)))
        const copied = replay(newModel(), Buffer.concat(await store.copy(appid)))
        await store.write(appid, lease, records().set(0, 1, text('later'), small(2)).finish(), PLENTY)
        expect(show(copied)).not.toEqual(show(await stored(appid)))
        expect(show(replay(newModel(), Buffer.concat(await store.copy(appid))))).toEqual(show(await stored(appid)))
        expect(await store.copy('nobody')).toEqual([])
      })
    })

    describe('to look at', () => {
      const describeKey = ({ key, kind, bytes, entries }: KeyInfo) => ({ key: Buffer.from(key.subarray(2)).toString(), kind, bytes, entries })

      it('are the keys, with what is reached from each', async () => {
        const { appid, write } = await newApp()
        await write(
          records().node(1, NodeKind.MAP).node(2, NodeKind.SET).value(3, text('v'))
            .set(0, 0, text('map'), node(1)).set(1, 0, text('s'), node(2)).set(1, 1, text('n'), small(1))
            .set(2, 0, node(1), new Uint8Array()).set(0, 1, text('set'), node(2)).set(0, 2, text('plain'), small(4))
            .set(0, 3, text('object'), node(3)).set(0, 4, text('socket'), socket('s-1')).set(0, 5, text('gone'), node(77))
        )
        const map = ENTRY_BYTES + (ENTRY_BYTES + 3 + 3) + (ENTRY_BYTES + 3 + 2)
        const set = ENTRY_BYTES + (ENTRY_BYTES + 3)
        const { items, nextCursor } = await store.keys(appid, { limit: 100 })
        expect(nextCursor).toBeUndefined()
        expect(items.map(describeKey)).toEqual([
          { key: 'map', kind: NodeKind.MAP, bytes: ENTRY_BYTES + 5 + 3 + map + set, entries: 2 },
          { key: 'set', kind: NodeKind.SET, bytes: ENTRY_BYTES + 5 + 3 + map + set, entries: 1 },
          { key: 'plain', kind: NodeKind.VALUE, bytes: ENTRY_BYTES + 7 + 2, entries: undefined },
          { key: 'object', kind: NodeKind.VALUE, bytes: ENTRY_BYTES + 8 + 3 + ENTRY_BYTES + 3, entries: undefined },
          { key: 'socket', kind: NodeKind.VALUE, bytes: ENTRY_BYTES + 8 + 6, entries: undefined },
          { key: 'gone', kind: NodeKind.VALUE, bytes: ENTRY_BYTES + 6 + 3, entries: undefined }
        ])
      })

      it('are pages', async () => {
        const { appid, write } = await newApp()
        const writer = records()
        for (let i = 0; i < 450; i++) writer.set(0, i * 1_000_003, text(`key ${i}`), small(1))
        await write(writer)
        const seen: string[] = []
        let cursor: string | undefined
        do {
          const page = await store.keys(appid, cursor === undefined ? { limit: 100 } : { limit: 100, cursor })
          expect(page.items.length).toBeLessThanOrEqual(100)
          seen.push(...page.items.map((item) => describeKey(item).key))
          cursor = page.nextCursor
        } while (cursor !== undefined)
        expect(seen).toEqual(Array.from({ length: 450 }, (_, i) => `key ${i}`))
        expect((await store.keys(appid, { limit: 450 })).nextCursor).toBeUndefined()
        for (const bad of ['', 'x', '-1', '1.5', '9'.repeat(16), '1; DROP TABLE entries']) await refused(store.keys(appid, { limit: 1, cursor: bad }), 'invalid_cursor')
      })

      it('is one value with what is reached from it, within a bound', async () => {
        const { appid, write } = await newApp()
        const writer = records().node(1, NodeKind.MAP).node(2, NodeKind.SET).value(3, text('v')).set(0, 0, text('map'), node(1)).set(0, 1, text('other'), node(4))
        for (let i = 0; i < 1_000; i++) writer.set(1, i, text(`k${i}`), i === 0 ? node(2) : small(1))
        writer.set(2, 0, node(3), new Uint8Array()).node(4, NodeKind.MAP)
        await write(writer)
        const whole = (await store.value(appid, text('map'), { maxBytes: 1_000_000 }))!
        expect(whole).toMatchObject({ key: text('map'), value: node(1), kind: NodeKind.MAP, entries: 1_000 })
        expect([...whole.nodes.keys()]).toEqual([1, 2, 3])
        expect(whole.nodes.get(1)).toMatchObject({ kind: NodeKind.MAP, size: 1_000 })
        expect(whole.nodes.get(2)).toEqual({ kind: NodeKind.SET, size: 1, entries: [[node(3), new Uint8Array()]] })
        expect(whole.nodes.get(3)).toEqual({ kind: NodeKind.VALUE, value: text('v') })
        const cut = (await store.value(appid, text('map'), { maxBytes: 2_000 }))!
        expect(cut.bytes).toBe(whole.bytes)
        const first = cut.nodes.get(1)! as { size: number; entries: unknown[] }
        expect(first.size).toBe(1_000)
        expect(first.entries.length).toBeGreaterThan(10)
        expect(first.entries.length).toBeLessThan(300)
      })

      it('is nothing where there is nothing', async () => {
        expect(await store.keys('never', { limit: 10 })).toEqual({ items: [] })
        expect(await store.value('never', text('k'), { maxBytes: 100 })).toBeNull()
        expect(await store.deleteKey('never', text('k'))).toBe(false)
        await store.remove('never')
        const { appid } = await newApp()
        expect(await store.value(appid, text('k'), { maxBytes: 100 })).toBeNull()
      })
    })

    it('keeps apps apart', async () => {
      const one = await newApp()
      const two = await newApp()
      const some = () => records().node(1, NodeKind.MAP).set(0, 0, text('k'), node(1)).set(1, 0, text('x'), small(1))
      await Promise.all([one.write(some()), two.write(some())])
      const before = show(await stored(two.appid))
      await one.write(records().drop(1).clear(0))
      await store.deleteKey(one.appid, text('k'))
      await store.remove(one.appid)
      expect(show(await stored(two.appid))).toEqual(before)
      expect(await keysOf(one.appid)).toEqual([])
    })

    it('loses nothing when two that have it open write to many apps at once', async () => {
      const other = opened.another()
      const apps = await Promise.all(Array.from({ length: 10 }, async (_, i) => {
        const from = i % 2 === 0 ? store : other
        const appid = newAppid()
        return { appid, from, lease: (await from.open(appid)).lease }
      }))
      await Promise.all(
        apps.map(async ({ appid, from, lease }) => {
          for (let i = 0; i < 50; i++) await from.write(appid, lease, records().set(0, i, text(`k${i}`), small(i)).finish(), PLENTY)
        })
      )
      for (const { appid } of apps) expect(await keysOf(appid)).toEqual(Array.from({ length: 50 }, (_, i) => `k${i}`))
      await other.close()
    })
  })
}

/** The model after the write, or null if it has to be refused. */
function attempt(model: Model, bytes: Uint8Array): Model | null {
  const copy = structuredClone(model)
  try {
    return replay(copy, bytes)
  } catch {
    return null
  }
}
