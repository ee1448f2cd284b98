import { hash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Catalog, type CatalogErrorCode, type NewVersion, type Page, type PageQuery, type Token } from '../src/index.ts'
import { HISTORY_BYTES } from '../src/publish-plan.ts'

export interface OpenedCatalog {
  catalog: Catalog
  /** The same catalog, as another process would open it. The contract closes it. */
  another(): Promise<Catalog>
  /** Leaves the app as one from before there were secrets. */
  forgetSecret(appid: string): Promise<void>
  cleanup(): Promise<void>
}

/** Names that a careless store would take for something else. */
const HOSTILE = ['__proto__', 'constructor', 'toString', '$where', '$set', '$eq', 'a.b', 'a/b', '.', '-', "'; DROP TABLE apps; --", 'größe-😀', '{"$gt":""}', '%', 'null']

const hashOf = (text: string): string => hash('sha256', text)

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

export function version(name: string, code = `export default () => '${name}'`, more: Partial<NewVersion> = {}): NewVersion {
  return { name, code, compiled: `compiled:${code}`, hash: hashOf(code), methods: [], description: '', changelog: '', ...more }
}

/** Rejects with a CatalogError of this code. */
async function refused(promise: Promise<unknown>, code: CatalogErrorCode): Promise<void> {
  await expect(promise).rejects.toMatchObject({ name: 'CatalogError', code, message: expect.stringMatching(/\w/) })
}

async function allPages<T>(list: (query: PageQuery) => Promise<Page<T>>, limit: number): Promise<T[]> {
  const items: T[] = []
  let cursor: string | undefined
  do {
    const page = await list(cursor === undefined ? { limit } : { limit, cursor })
    expect(page.items.length).toBeLessThanOrEqual(limit)
    items.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return items
}

/** What every implementation of Catalog has to do. */
export function catalogContract(title: string, open: () => Promise<OpenedCatalog>): void {
  describe(`the catalog in ${title}`, () => {
    let opened: OpenedCatalog
    let catalog: Catalog
    let made = 0

    beforeAll(async () => {
      opened = await open()
      catalog = opened.catalog
    })
    afterAll(async () => {
      await opened.cleanup()
    })

    async function newApp(): Promise<string> {
      made += 1
      const appid = `app-${String(made).padStart(4, '0')}`
      await catalog.createApp({ appid, name: 'An app' })
      return appid
    }
    const publish = (appid: string, ...put: NewVersion[]) => catalog.publish(appid, { put, remove: [], maxFunctions: 200 })
    const newToken = (appid: string, secret: string, more: Partial<Token> = {}) =>
      catalog.createToken({ id: `id-${secret}`, appid, name: 'CI', scopes: ['read', 'deploy'], expiresAt: null, ...more, hash: hashOf(secret) })
    const namesOf = async (appid: string): Promise<string[]> => (await catalog.listFunctions(appid, { limit: 1000 })).items.map((item) => item.name)
    const revisionOf = async (appid: string): Promise<number> => (await catalog.getApp(appid))!.revision

    describe('apps', () => {
      it('are created, read and refused a second time', async () => {
        const before = Date.now()
        const app = await catalog.createApp({ appid: 'first', name: 'Fïrst' })
        expect(app).toEqual({ appid: 'first', instance: expect.stringMatching(/^[\w-]{12}$/), name: 'Fïrst', state: 'running', limits: {}, revision: 1, createdAt: app.createdAt, updatedAt: app.createdAt })
        expect(app.createdAt).toBeGreaterThanOrEqual(before)
        expect(app.createdAt).toBeLessThanOrEqual(Date.now())
        expect(await catalog.getApp('first')).toEqual(app)
        await refused(catalog.createApp({ appid: 'first', name: 'again' }), 'app_exists')
        expect(await catalog.getApp('first')).toEqual(app)
      })

      it('that do not exist are null, or refused', async () => {
        expect(await catalog.getApp('none')).toBeNull()
        expect(await catalog.release('none')).toBeNull()
        const calls = [
          catalog.updateApp('none', { name: 'x' }),
          catalog.deleteApp('none'),
          publish('none', version('f')),
          catalog.listFunctions('none', { limit: 1 }),
          catalog.getFunction('none', 'f'),
          catalog.listVersions('none', 'f', { limit: 1 }),
          catalog.getVersion('none', 'f', 1),
          catalog.listEnv('none'),
          catalog.setEnv('none', { A: '1' }),
          catalog.deleteEnv('none', 'A'),
          newToken('none', 'secret of none'),
          catalog.listTokens('none'),
          catalog.deleteToken('none', 'id')
        ]
        await Promise.all(calls.map((call) => refused(call, 'app_not_found')))
        expect(await catalog.findToken(hashOf('secret of none'))).toBeNull()
      })

      it('are updated one field at a time', async () => {
        const appid = await newApp()
        const created = (await catalog.getApp(appid))!
        const renamed = await catalog.updateApp(appid, { name: 'New name' })
        expect(renamed).toMatchObject({ appid, name: 'New name', state: 'running', limits: {}, createdAt: created.createdAt })
        const suspended = await catalog.updateApp(appid, { state: 'suspended' })
        expect(suspended).toMatchObject({ name: 'New name', state: 'suspended' })
        expect(suspended.revision).toBeGreaterThan(renamed.revision)
        expect(suspended.updatedAt).toBeGreaterThanOrEqual(created.updatedAt)
        expect(await catalog.getApp(appid)).toEqual(suspended)
      })

      it('merge limits, and take one back by null', async () => {
        const appid = await newApp()
        await catalog.updateApp(appid, { limits: { heapMiB: 32, timers: 0 } })
        const merged = await catalog.updateApp(appid, { limits: { heapMiB: 128, connections: 5 } })
        expect(merged.limits).toEqual({ heapMiB: 128, timers: 0, connections: 5 })
        const less = await catalog.updateApp(appid, { limits: { heapMiB: null, idleMs: null } })
        expect(less.limits).toEqual({ timers: 0, connections: 5 })
        expect((await catalog.getApp(appid))!.limits).toEqual({ timers: 0, connections: 5 })
        expect((await catalog.updateApp(appid, { name: 'kept' })).limits).toEqual({ timers: 0, connections: 5 })
      })

      it('are listed in the order of appid, by pages', async () => {
        const other = await open()
        try {
          expect(await other.catalog.listApps({ limit: 10 })).toEqual({ items: [] })
          for (const appid of ['c3', 'a1', 'e5', 'b2', 'd4']) await other.catalog.createApp({ appid, name: appid })
          const first = await other.catalog.listApps({ limit: 2 })
          expect(first.items.map((app) => app.appid)).toEqual(['a1', 'b2'])
          expect(first.nextCursor).toMatch(/^[\w-]+$/)
          // The page goes on at its place, whatever came and went before it.
          await other.catalog.deleteApp('b2')
          await other.catalog.createApp({ appid: 'a0', name: 'late' })
          const second = await other.catalog.listApps({ limit: 2, cursor: first.nextCursor! })
          expect(second.items.map((app) => app.appid)).toEqual(['c3', 'd4'])
          const third = await other.catalog.listApps({ limit: 2, cursor: second.nextCursor! })
          expect(third).toEqual({ items: [expect.objectContaining({ appid: 'e5' })] })
          expect((await other.catalog.listApps({ limit: 5 })).nextCursor).toBeUndefined()
          expect((await allPages((query) => other.catalog.listApps(query), 1)).map((app) => app.appid)).toEqual(['a0', 'a1', 'c3', 'd4', 'e5'])
        } finally {
          await other.cleanup()
        }
      })

      it('are listed with their revisions, all at once', async () => {
        const other = await open()
        try {
          expect(await other.catalog.listRevisions()).toEqual([])
          for (const appid of ['b', 'a', '__proto__']) await other.catalog.createApp({ appid, name: appid })
          await other.catalog.setEnv('a', { KEY: 'value' })
          const revisions = async (): Promise<unknown[]> => (await other.catalog.listRevisions()).toSorted((a, b) => (a.appid < b.appid ? -1 : 1))
          const of = async (appid: string, revision: number): Promise<unknown> => ({ appid, instance: (await other.catalog.getApp(appid))!.instance, revision })
          expect(await revisions()).toEqual([await of('__proto__', 1), await of('a', 2), await of('b', 1)])
          await other.catalog.deleteApp('b')
          expect(await revisions()).toEqual([await of('__proto__', 1), await of('a', 2)])
        } finally {
          await other.cleanup()
        }
      })

      it('are another instance when they are made again, and the one before is remembered until it is forgotten', async () => {
        const appid = await newApp()
        const mine = async () => (await catalog.listDeleted()).filter((each) => each.appid === appid)
        const first = (await catalog.getApp(appid))!.instance
        await publish(appid, version('f'))
        expect((await catalog.release(appid))!.app.instance).toBe(first)
        await catalog.deleteApp(appid)
        expect(await mine()).toEqual([{ appid, instance: first }])
        const second = (await catalog.createApp({ appid, name: 'Again' })).instance
        expect(second).not.toBe(first)
        await catalog.deleteApp(appid)
        expect(new Set((await mine()).map(({ instance }) => instance))).toEqual(new Set([first, second]))
        await refused(catalog.deleteApp(appid), 'app_not_found')
        expect(await mine()).toHaveLength(2)
        await catalog.forgetDeleted({ appid, instance: first })
        await catalog.forgetDeleted({ appid, instance: first })
        expect(await mine()).toEqual([{ appid, instance: second }])
      })

      it('are removed with all that belongs to them, and start clean when made again', async () => {
        const appid = await newApp()
        const other = await newApp()
        for (const each of [appid, other]) {
          await publish(each, version('f'), version('g'))
          await publish(each, version('f', 'second'))
          await catalog.setEnv(each, { KEY: 'value' })
          await newToken(each, `token of ${each}`)
          await catalog.updateApp(each, { state: 'suspended', limits: { heapMiB: 32 } })
        }
        await catalog.deleteApp(appid)
        expect(await catalog.getApp(appid)).toBeNull()
        expect(await catalog.release(appid)).toBeNull()
        expect(await catalog.findToken(hashOf(`token of ${appid}`))).toBeNull()
        await refused(catalog.deleteApp(appid), 'app_not_found')
        await refused(catalog.getFunction(appid, 'f'), 'app_not_found')

        const again = await catalog.createApp({ appid, name: 'Again' })
        expect(again).toMatchObject({ name: 'Again', state: 'running', limits: {} })
        expect(await catalog.release(appid)).toEqual({ app: again, functions: [], env: {}, secret: expect.any(String) })
        expect(await catalog.listTokens(appid)).toEqual([])
        expect(await catalog.listEnv(appid)).toEqual([])
        await refused(catalog.listVersions(appid, 'f', { limit: 10 }), 'function_not_found')
        expect((await publish(appid, version('f', 'new'))).published[0]).toMatchObject({ created: true, info: { version: 1 } })
        expect((await catalog.listVersions(appid, 'f', { limit: 10 })).items).toHaveLength(1)

        expect(await namesOf(other)).toEqual(['f', 'g'])
        expect((await catalog.release(other))!.env).toEqual({ KEY: 'value' })
        expect(await catalog.findToken(hashOf(`token of ${other}`))).toMatchObject({ appid: other })
      })
    })

    describe('functions', () => {
      it('are published as new and as the next version', async () => {
        const appid = await newApp()
        const before = Date.now()
        const first = await publish(appid, version('f', 'one', { methods: ['GET', 'POST'], description: 'Does f', changelog: 'first' }))
        const info = first.published[0]!.info
        expect(first.removed).toEqual([])
        expect(first.published).toEqual([{ created: true, info }])
        expect(info).toEqual({
          name: 'f',
          version: 1,
          hash: hashOf('one'),
          methods: ['GET', 'POST'],
          description: 'Does f',
          changelog: 'first',
          publishedAt: info.publishedAt
        })
        expect(info.publishedAt).toBeGreaterThanOrEqual(before)
        expect(await catalog.getFunction(appid, 'f')).toEqual({ ...info, code: 'one', compiled: 'compiled:one' })

        const second = await publish(appid, version('f', 'two'), version('g', 'three'))
        expect(second.revision).toBeGreaterThan(first.revision)
        expect(second.published.map(({ created, info: { name, version: number } }) => [name, number, created])).toEqual([
          ['f', 2, false],
          ['g', 1, true]
        ])
        expect(await catalog.getFunction(appid, 'f')).toMatchObject({ version: 2, code: 'two', compiled: 'compiled:two', methods: [], description: '' })
        expect(await catalog.getVersion(appid, 'f', 1)).toEqual({ ...info, code: 'one', compiled: 'compiled:one' })
        expect(await catalog.listFunctions(appid, { limit: 10 })).toEqual({ items: second.published.map((each) => each.info) })
      })

      it('that do not exist are refused', async () => {
        const appid = await newApp()
        await publish(appid, version('f'))
        await refused(catalog.getFunction(appid, 'none'), 'function_not_found')
        await refused(catalog.listVersions(appid, 'none', { limit: 10 }), 'function_not_found')
        await refused(catalog.getVersion(appid, 'none', 1), 'function_not_found')
        for (const number of [0, 2, -1, 1.5]) await refused(catalog.getVersion(appid, 'f', number), 'version_not_found')
      })

      it('are listed by pages, in the order of name', async () => {
        const appid = await newApp()
        const names = ['zz', 'B', 'a', '_', 'a/b', 'a.b', 'a-b', '__websocket__', 'a/a']
        await publish(appid, ...names.map((name) => version(name)))
        const inOrder = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        for (const limit of [1, 2, 3, 8, 9, 10]) {
          const items = await allPages((query) => catalog.listFunctions(appid, query), limit)
          expect(items.map((item) => item.name)).toEqual(inOrder)
        }
        expect(Object.keys((await catalog.listFunctions(appid, { limit: 1 })).items[0]!)).not.toContain('code')
      })

      it('have their versions listed by pages, newest first', async () => {
        const appid = await newApp()
        for (let number = 1; number <= 7; number++) await publish(appid, version('f', `code ${number}`, { changelog: `change ${number}` }), version('g'))
        for (const limit of [1, 3, 7, 8]) {
          const items = await allPages((query) => catalog.listVersions(appid, 'f', query), limit)
          expect(items.map((item) => [item.version, item.changelog])).toEqual([7, 6, 5, 4, 3, 2, 1].map((number) => [number, `change ${number}`]))
        }
      })

      it('are removed, and their numbers go on when they come again', async () => {
        const appid = await newApp()
        await publish(appid, version('f', 'one'), version('g'))
        await publish(appid, version('f', 'two'))
        const before = await revisionOf(appid)
        const result = await catalog.publish(appid, { put: [], remove: ['f', 'none', 'f'], maxFunctions: 200 })
        expect(result).toEqual({ revision: expect.any(Number), published: [], removed: ['f'] })
        expect(result.revision).toBeGreaterThan(before)
        expect(await namesOf(appid)).toEqual(['g'])
        expect((await catalog.release(appid))!.functions.map((each) => each.name)).toEqual(['g'])
        await refused(catalog.getFunction(appid, 'f'), 'function_not_found')
        await refused(catalog.listVersions(appid, 'f', { limit: 10 }), 'function_not_found')
        await refused(catalog.getVersion(appid, 'f', 1), 'function_not_found')
        expect((await catalog.publish(appid, { put: [], remove: ['f'], maxFunctions: 200 })).removed).toEqual([])

        expect((await publish(appid, version('f', 'three'))).published[0]).toMatchObject({ created: true, info: { version: 3 } })
        expect((await catalog.listVersions(appid, 'f', { limit: 10 })).items.map((item) => item.version)).toEqual([3, 2, 1])
        expect(await catalog.getVersion(appid, 'f', 2)).toMatchObject({ code: 'two' })
      })

      /** Each publish left its code here for ever: whoever may publish could fill the disk of all. */
      it('have their oldest versions forgotten beyond a bound, of the app as a whole', async () => {
        const appid = await newApp()
        const large = (tag: string): NewVersion => version('large', `${tag} ${'x'.repeat(HISTORY_BYTES / 8)}`, { compiled: 'y'.repeat(HISTORY_BYTES / 8) })
        await publish(appid, version('small', 'runs'), version('gone', 'one'))
        await catalog.publish(appid, { put: [], remove: ['gone'], maxFunctions: 200 })
        const numbers = async (): Promise<number[]> => (await catalog.listVersions(appid, 'large', { limit: 100 })).items.map((item) => item.version)
        for (let number = 1; number <= 4; number++) await publish(appid, large(`of ${number}`))
        expect(await numbers()).toEqual([4, 3, 2, 1])
        // A removed function counts as its versions do, and begins anew when the last of them is forgotten.
        for (let number = 5; number <= 6; number++) await publish(appid, large(`of ${number}`))
        expect(await numbers()).toEqual([6, 5, 4, 3])
        await refused(catalog.getVersion(appid, 'large', 2), 'version_not_found')
        expect((await catalog.getVersion(appid, 'large', 3)).code).toMatch(/^of 3 x+$/)
        // What runs is none of it.
        expect(await catalog.getFunction(appid, 'small')).toMatchObject({ version: 1, code: 'runs' })
        expect((await catalog.release(appid))!.functions.map((each) => [each.name, each.version])).toEqual([['large', 6], ['small', 1]])
        expect((await publish(appid, version('gone', 'again'))).published[0]).toMatchObject({ created: true, info: { version: 1 } })
      })

      it('are pruned if they are not in the request', async () => {
        const appid = await newApp()
        await publish(appid, version('a'), version('b'), version('c'))
        const result = await catalog.publish(appid, { put: [version('b', 'new'), version('d')], remove: [], prune: true, maxFunctions: 2 })
        expect(result.removed.toSorted()).toEqual(['a', 'c'])
        expect(result.published.map((each) => each.created)).toEqual([false, true])
        expect(await namesOf(appid)).toEqual(['b', 'd'])
        expect((await catalog.publish(appid, { put: [], remove: [], prune: true, maxFunctions: 2 })).removed.toSorted()).toEqual(['b', 'd'])
        expect(await namesOf(appid)).toEqual([])
      })

      it('stay if they are both put and removed', async () => {
        const appid = await newApp()
        await publish(appid, version('f'))
        const result = await catalog.publish(appid, { put: [version('f', 'new')], remove: ['f'], maxFunctions: 1 })
        expect(result).toMatchObject({ removed: [], published: [{ created: false, info: { version: 2 } }] })
        expect(await catalog.getFunction(appid, 'f')).toMatchObject({ code: 'new' })
      })

      it('may stand twice in a request: the later one runs', async () => {
        const appid = await newApp()
        const result = await publish(appid, version('f', 'one'), version('f', 'two'))
        expect(result.published.map(({ created, info }) => [info.version, created])).toEqual([
          [1, true],
          [2, false]
        ])
        expect(await catalog.getFunction(appid, 'f')).toMatchObject({ version: 2, code: 'two' })
        expect(await catalog.getVersion(appid, 'f', 1)).toMatchObject({ code: 'one' })
        expect(await namesOf(appid)).toEqual(['f'])
      })

      it('are all refused if they would be too many', async () => {
        const appid = await newApp()
        await publish(appid, version('a', 'one'), version('b'))
        const before = await catalog.release(appid)
        const tooMany = { put: [version('a', 'two'), version('c'), version('d')], remove: ['b'], maxFunctions: 2 }
        await refused(catalog.publish(appid, tooMany), 'too_many_functions')
        expect(await catalog.release(appid)).toEqual(before)
        expect((await catalog.listVersions(appid, 'a', { limit: 10 })).items).toHaveLength(1)
        expect((await catalog.publish(appid, { ...tooMany, maxFunctions: 3 })).published).toHaveLength(3)
        expect(await namesOf(appid)).toEqual(['a', 'c', 'd'])
        // Removed ones do not count.
        expect((await catalog.publish(appid, { put: [version('b')], remove: ['a'], maxFunctions: 3 })).published[0]!.created).toBe(true)
      })

      it('can be repaired and removed in an app that is over a lowered limit', async () => {
        const appid = await newApp()
        await publish(appid, version('a'), version('b'), version('c'))
        expect((await catalog.publish(appid, { put: [version('a', 'new')], remove: [], maxFunctions: 1 })).published).toHaveLength(1)
        expect((await catalog.publish(appid, { put: [], remove: ['b'], maxFunctions: 1 })).removed).toEqual(['b'])
        await refused(catalog.publish(appid, { put: [version('d')], remove: [], maxFunctions: 1 }), 'too_many_functions')
        await refused(catalog.publish(await newApp(), { put: [version('a')], remove: [], maxFunctions: 0 }), 'too_many_functions')
      })

      it('may be 1 MiB and more, with any character in them', async () => {
        const appid = await newApp()
        // An emoji at an odd place, so that parts of a stored source do not end where characters do.
        const large = `x${'😀'.repeat(256 * 1024 - 1)}abc`
        expect(Buffer.byteLength(large)).toBe(1024 * 1024)
        const odd = 'a\0b\u2028\r\n\ufeff\u0001\ufffe\u{10ffff}é'
        await publish(appid, version('large', large, { compiled: 'y'.repeat(2 * 1024 * 1024) }), version('odd', odd), version('empty', '', { compiled: '' }))
        const read = await catalog.getFunction(appid, 'large')
        expect(read.code === large).toBe(true)
        expect(read.compiled).toHaveLength(2 * 1024 * 1024)
        expect(await catalog.getFunction(appid, 'odd')).toMatchObject({ code: odd, compiled: `compiled:${odd}` })
        expect(await catalog.getFunction(appid, 'empty')).toMatchObject({ code: '', compiled: '' })
        const release = await catalog.release(appid)
        expect(release!.functions.map((each) => [each.name, each.code.length])).toEqual([
          ['empty', 0],
          ['large', large.length],
          ['odd', odd.length]
        ])
      })

      it('may be as large as the largest limit allows', async () => {
        const appid = await newApp()
        const code = `${'é'.repeat(4 * 1024 * 1024)}x${'é'.repeat(4 * 1024 * 1024 - 1)}z`
        expect(Buffer.byteLength(code)).toBe(16 * 1024 * 1024)
        await publish(appid, version('huge', code))
        const read = await catalog.getFunction(appid, 'huge')
        expect(read.code === code).toBe(true)
        expect(read.compiled === `compiled:${code}`).toBe(true)
      })

      it('lose nothing when published 20 times at once', async () => {
        const appid = await newApp()
        const another = await opened.another()
        try {
          const before = await revisionOf(appid)
          const numbers = Array.from({ length: 20 }, (_, index) => index + 1)
          const results = await Promise.all(
            numbers.map((number) => {
              const through = number % 2 === 0 ? catalog : another
              return through.publish(appid, { put: [version('f', `code ${number}`), version(`own-${number}`)], remove: [], maxFunctions: 200 })
            })
          )
          const given = results.map((result) => result.published[0]!.info.version).toSorted((a, b) => a - b)
          expect(given).toEqual(numbers)
          expect(results.filter((result) => result.published[0]!.created)).toHaveLength(1)
          const revisions = new Set(results.map((result) => result.revision))
          expect(revisions.size).toBe(20)
          expect(await revisionOf(appid)).toBe(Math.max(...revisions))
          expect(Math.min(...revisions)).toBeGreaterThan(before)
          const versions = await catalog.listVersions(appid, 'f', { limit: 100 })
          expect(versions.items.map((item) => item.version)).toEqual(numbers.toReversed())
          const codes = await Promise.all(numbers.map(async (number) => (await catalog.getVersion(appid, 'f', number)).code))
          expect(new Set(codes)).toEqual(new Set(numbers.map((number) => `code ${number}`)))
          expect(await namesOf(appid)).toHaveLength(21)
        } finally {
          await another.close()
        }
      })
    })

    describe('names', () => {
      it('are data, whatever they look like', async () => {
        const appid = await newApp()
        for (const name of HOSTILE) await publish(appid, version(name, `code of ${name}`))
        const sorted = HOSTILE.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        expect(await namesOf(appid)).toEqual(sorted)
        expect((await allPages((query) => catalog.listFunctions(appid, query), 2)).map((item) => item.name)).toEqual(sorted)
        for (const name of HOSTILE) {
          expect(await catalog.getFunction(appid, name)).toMatchObject({ name, version: 1, code: `code of ${name}` })
          expect((await catalog.listVersions(appid, name, { limit: 2 })).items).toHaveLength(1)
          expect(await catalog.getVersion(appid, name, 1)).toMatchObject({ name })
        }
        expect((await catalog.publish(appid, { put: [], remove: HOSTILE, maxFunctions: 200 })).removed).toHaveLength(HOSTILE.length)
        expect(await namesOf(appid)).toEqual([])
      })

      it('of environment variables are data, too', async () => {
        const appid = await newApp()
        await catalog.setEnv(appid, Object.fromEntries(HOSTILE.map((name) => [name, `value of ${name}`])))
        const { env } = (await catalog.release(appid))!
        expect(Object.keys(env).toSorted()).toEqual(HOSTILE.toSorted())
        for (const name of HOSTILE) expect(Object.getOwnPropertyDescriptor(env, name)?.value).toBe(`value of ${name}`)
        await catalog.setEnv(appid, Object.fromEntries([['__proto__', null]]))
        await refused(catalog.deleteEnv(appid, '__proto__'), 'env_not_found')
        for (const name of HOSTILE.slice(1)) await catalog.deleteEnv(appid, name)
        expect(await catalog.listEnv(appid)).toEqual([])
      })

      it('of apps, tokens and settings are data, too', async () => {
        for (const [index, name] of HOSTILE.entries()) {
          await catalog.createApp({ appid: name, name })
          expect(await catalog.getApp(name)).toMatchObject({ appid: name, name })
          await newToken(name, `hostile ${index}`, { id: name, name })
          expect(await catalog.findToken(hashOf(`hostile ${index}`))).toMatchObject({ appid: name, id: name, name })
          await catalog.deleteToken(name, name)
          await catalog.deleteApp(name)
          await catalog.setSetting(name, name)
          expect(await catalog.getSetting(name)).toBe(name)
        }
        expect(await catalog.findToken('{"$gt":""}')).toBeNull()
      })
    })

    describe('cursors', () => {
      it('that no listing has given are refused', async () => {
        const appid = await newApp()
        await publish(appid, version('f'), version('g'))
        await publish(appid, version('f'))
        await newApp()
        const ofApps = (await catalog.listApps({ limit: 1 })).nextCursor!
        const ofFunctions = (await catalog.listFunctions(appid, { limit: 1 })).nextCursor!
        const ofVersions = (await catalog.listVersions(appid, 'f', { limit: 1 })).nextCursor!
        const bad = ['', 'x', '!!!', 'a b', '\0', 'bnVsbA', encode(['apps']), encode(['apps', {}]), encode({ $gt: '' }), encode(['functions', null]), encode(['versions', 1.5])]
        for (const cursor of [...bad, ofFunctions, ofVersions]) await refused(catalog.listApps({ limit: 1, cursor }), 'invalid_cursor')
        for (const cursor of [...bad, ofApps, ofVersions]) await refused(catalog.listFunctions(appid, { limit: 1, cursor }), 'invalid_cursor')
        for (const cursor of [...bad, ofApps, ofFunctions]) await refused(catalog.listVersions(appid, 'f', { limit: 1, cursor }), 'invalid_cursor')
      })
    })

    describe('env', () => {
      it('is set, listed without values, changed and removed', async () => {
        const appid = await newApp()
        expect(await catalog.listEnv(appid)).toEqual([])
        const before = Date.now()
        await catalog.setEnv(appid, { B: 'two', A: 'one', C: '' })
        const listed = await catalog.listEnv(appid)
        expect(listed.map((entry) => entry.name)).toEqual(['A', 'B', 'C'])
        for (const entry of listed) {
          expect(Object.keys(entry).toSorted()).toEqual(['name', 'updatedAt'])
          expect(entry.updatedAt).toBeGreaterThanOrEqual(before)
        }
        await catalog.setEnv(appid, { A: 'changed', B: null, D: 'new', none: null })
        expect((await catalog.release(appid))!.env).toEqual({ A: 'changed', C: '', D: 'new' })
        await catalog.deleteEnv(appid, 'C')
        await refused(catalog.deleteEnv(appid, 'C'), 'env_not_found')
        expect((await catalog.release(appid))!.env).toEqual({ A: 'changed', D: 'new' })
      })

      it('is replaced as a whole', async () => {
        const appid = await newApp()
        await catalog.setEnv(appid, { A: '1', B: '2' })
        await catalog.setEnv(appid, { B: '3', C: '4', D: null }, { replace: true })
        expect((await catalog.release(appid))!.env).toEqual({ B: '3', C: '4' })
        await catalog.setEnv(appid, {}, { replace: true })
        expect((await catalog.release(appid))!.env).toEqual({})
      })

      it('keeps values as they are given', async () => {
        const appid = await newApp()
        const values = { NUL: 'a\0b', LINES: '\r\n\u2028', JSON: '{"$set":{}}', SPACE: '  ', LARGE: 'é'.repeat(100_000), DOLLAR: '$HOME' }
        await catalog.setEnv(appid, values)
        expect((await catalog.release(appid))!.env).toEqual(values)
      })
    })

    describe('tokens', () => {
      it('are made, found by hash, listed and removed', async () => {
        const appid = await newApp()
        const expiresAt = Date.now() + 60_000
        const before = Date.now()
        const token = await newToken(appid, 'secret', { expiresAt })
        expect(token).toEqual({ id: 'id-secret', appid, name: 'CI', scopes: ['read', 'deploy'], createdAt: token.createdAt, expiresAt })
        expect(token.createdAt).toBeGreaterThanOrEqual(before)
        expect(await catalog.findToken(hashOf('secret'))).toEqual(token)
        expect(await catalog.findToken(hashOf('another'))).toBeNull()
        expect(await catalog.findToken('secret')).toBeNull()
        const second = await newToken(appid, 'second', { scopes: ['admin'], name: '' })
        expect(second.expiresAt).toBeNull()
        const listed = await catalog.listTokens(appid)
        expect(listed.toSorted((a, b) => a.id.localeCompare(b.id))).toEqual([second, token].toSorted((a, b) => a.id.localeCompare(b.id)))
        expect(JSON.stringify(listed)).not.toContain(hashOf('secret'))
        await catalog.deleteToken(appid, token.id)
        await refused(catalog.deleteToken(appid, token.id), 'token_not_found')
        expect(await catalog.findToken(hashOf('secret'))).toBeNull()
        expect(await catalog.listTokens(appid)).toEqual([second])
      })

      it('are found when they are expired, too', async () => {
        const appid = await newApp()
        const token = await newToken(appid, 'expired', { expiresAt: Date.now() - 1000 })
        expect(await catalog.findToken(hashOf('expired'))).toEqual(token)
      })

      it('of another app cannot be removed', async () => {
        const appid = await newApp()
        const other = await newApp()
        const token = await newToken(appid, 'mine')
        await refused(catalog.deleteToken(other, token.id), 'token_not_found')
        expect(await catalog.listTokens(other)).toEqual([])
        expect(await catalog.findToken(hashOf('mine'))).toEqual(token)
      })
    })

    describe('the secret of an app', () => {
      const secretOf = async (from: Catalog, appid: string): Promise<string> => (await from.release(appid))!.secret

      it('is 32 random bytes, its own, and stays what it is', async () => {
        const [one, other] = [await newApp(), await newApp()]
        const secret = await secretOf(catalog, one)
        expect(secret).toMatch(/^[\w-]{43}$/)
        expect(await secretOf(catalog, other)).not.toBe(secret)
        await publish(one, version('f'))
        await catalog.setEnv(one, { SERVER_SECRET: 'mine' }, { replace: true })
        await catalog.updateApp(one, { name: 'renamed', state: 'suspended', limits: { heapMiB: 32 } })
        expect(await secretOf(catalog, one)).toBe(secret)
        const another = await opened.another()
        expect(await secretOf(another, one)).toBe(secret)
        await another.close()
      })

      it('is in the release only', async () => {
        const appid = await newApp()
        const secret = await secretOf(catalog, appid)
        const shown = [await catalog.getApp(appid), await catalog.listApps({ limit: 1000 }), await catalog.listRevisions(), await catalog.updateApp(appid, { name: 'x' }), await catalog.listEnv(appid), (await catalog.release(appid))!.app]
        expect(JSON.stringify(shown)).not.toContain(secret)
      })

      it('is another one when the app is made again', async () => {
        const appid = await newApp()
        const secret = await secretOf(catalog, appid)
        await catalog.deleteApp(appid)
        await catalog.createApp({ appid, name: 'Again' })
        expect(await secretOf(catalog, appid)).not.toBe(secret)
      })

      it('is given to an app that has none, once, whoever asks', async () => {
        const appid = await newApp()
        await opened.forgetSecret(appid)
        const another = await opened.another()
        const secrets = await Promise.all([catalog, another, catalog, another].map((each) => secretOf(each, appid)))
        await another.close()
        expect(secrets[0]).toMatch(/^[\w-]{43}$/)
        expect(new Set(secrets).size).toBe(1)
        expect(await secretOf(catalog, appid)).toBe(secrets[0])
      })
    })

    describe('a release', () => {
      it('is all that the runtime needs', async () => {
        const appid = await newApp()
        await publish(appid, version('g', 'g1'), version('f', 'f1'), version('gone'))
        await publish(appid, version('f', 'f2', { methods: ['GET'] }))
        await catalog.publish(appid, { put: [], remove: ['gone'], maxFunctions: 200 })
        await catalog.setEnv(appid, { A: '1' })
        await catalog.updateApp(appid, { limits: { heapMiB: 32 } })
        const release = await catalog.release(appid)
        expect(release!.app).toEqual(await catalog.getApp(appid))
        expect(release!.env).toEqual({ A: '1' })
        expect(release!.functions).toEqual([await catalog.getFunction(appid, 'f'), await catalog.getFunction(appid, 'g')])
        expect(release!.functions[0]).toMatchObject({ version: 2, code: 'f2', compiled: 'compiled:f2', methods: ['GET'] })
      })

      it('never mixes two states', async () => {
        const appid = await newApp()
        const another = await opened.another()
        const rounds = 15
        try {
          const write = async (): Promise<void> => {
            for (let round = 1; round <= rounds; round++) await publish(appid, version('a', `round ${round}`), version('b', `round ${round}`))
          }
          const read = async (): Promise<void> => {
            let last = 0
            while (last < rounds + 1) {
              const { app, functions } = (await another.release(appid))!
              expect(new Set(functions.map((each) => each.code)).size).toBeLessThanOrEqual(1)
              expect(functions.every((each) => each.code === `round ${app.revision - 1}`)).toBe(true)
              expect(app.revision).toBeGreaterThanOrEqual(last)
              last = app.revision
              await new Promise(setImmediate)
            }
          }
          await Promise.all([write(), read()])
          expect((await another.release(appid))!.functions.map((each) => each.version)).toEqual([rounds, rounds])
        } finally {
          await another.close()
        }
      })

      it('has a revision that grows with each change', async () => {
        const appid = await newApp()
        const changes = [
          () => publish(appid, version('f')),
          () => publish(appid, version('f')),
          () => catalog.setEnv(appid, { A: '1', B: '2' }),
          () => catalog.deleteEnv(appid, 'A'),
          () => catalog.setEnv(appid, {}, { replace: true }),
          () => catalog.updateApp(appid, { limits: { heapMiB: 32 } }),
          () => catalog.updateApp(appid, { state: 'suspended' }),
          () => catalog.publish(appid, { put: [], remove: ['f'], maxFunctions: 1 })
        ]
        let before = await revisionOf(appid)
        for (const change of changes) {
          await change()
          const after = await revisionOf(appid)
          expect(after).toBeGreaterThan(before)
          before = after
        }
      })

      it('is not changed by what is refused', async () => {
        const appid = await newApp()
        await publish(appid, version('f'))
        const before = await catalog.release(appid)
        await refused(catalog.deleteEnv(appid, 'none'), 'env_not_found')
        await refused(catalog.publish(appid, { put: [version('g')], remove: [], maxFunctions: 1 }), 'too_many_functions')
        await refused(catalog.deleteToken(appid, 'none'), 'token_not_found')
        expect(await catalog.release(appid)).toEqual(before)
      })
    })

    describe('settings', () => {
      it('are null until they are set, and can be changed', async () => {
        expect(await catalog.getSetting('demo')).toBeNull()
        await catalog.setSetting('demo', 'published')
        expect(await catalog.getSetting('demo')).toBe('published')
        await catalog.setSetting('demo', '')
        expect(await catalog.getSetting('demo')).toBe('')
        expect(await catalog.getSetting('other')).toBeNull()
      })
    })

    it('shows another handle what was written', async () => {
      const appid = await newApp()
      const another = await opened.another()
      try {
        expect(await another.getApp(appid)).toEqual(await catalog.getApp(appid))
        await publish(appid, version('f', 'seen'))
        expect(await another.getFunction(appid, 'f')).toMatchObject({ code: 'seen' })
        await another.setEnv(appid, { FROM: 'another' })
        expect((await catalog.release(appid))!.env).toEqual({ FROM: 'another' })
        await refused(another.createApp({ appid, name: 'taken' }), 'app_exists')
      } finally {
        await another.close()
      }
    })

    it('leaves one app when two are made with the same appid at once', async () => {
      const another = await opened.another()
      try {
        const results = await Promise.allSettled([catalog.createApp({ appid: 'raced', name: 'a' }), another.createApp({ appid: 'raced', name: 'b' })])
        expect(results.map((result) => result.status).toSorted()).toEqual(['fulfilled', 'rejected'])
      } finally {
        await another.close()
      }
    })

    it('can be closed twice', async () => {
      const another = await opened.another()
      await another.close()
      await another.close()
    })
  })
}
