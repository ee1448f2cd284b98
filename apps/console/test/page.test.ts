import { createContext, runInContext } from 'node:vm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ADMIN, harness, until, type Harness } from './harness.ts'

let h: Harness
beforeEach(async () => {
  h = await harness()
})
afterEach(async () => await h.stop())

/** As much of an element as the page uses. */
class Element {
  hidden = false
  textContent = ''
  className = ''
  value = ''
  readonly cells: Element[] = []
  rows: Element[] = []
  readonly tBodies = [{ replaceChildren: (...rows: Element[]) => void (this.rows = rows) }]
  readonly #listeners = new Map<string, (event: unknown) => void>()

  addEventListener(name: string, listener: (event: unknown) => void): void {
    this.#listeners.set(name, listener)
  }

  insertCell(): Element {
    this.cells.push(new Element())
    return this.cells.at(-1)!
  }

  fire(name: string): void {
    this.#listeners.get(name)!({ preventDefault: () => {} })
  }
}

interface Page {
  element: (id: string) => Element
  /** The names of the apps that it shows. */
  apps: () => string[]
  /** What it has planned, which happens when the test says so. */
  planned: Map<number, () => void>
  /** Requests for lists of apps that are under way. */
  listing: () => number
}

/** The page's script, as the console serves it and against that console, without a browser around it. */
async function openPage(): Promise<Page> {
  const html = (await h.ask('GET', '/', { token: null })).body as string
  const elements = new Map([...html.matchAll(/ id="([\w-]+)"/g)].map(([, id]) => [id!, new Element()]))
  const planned = new Map<number, () => void>()
  let listing = 0
  const context = createContext({
    document: { getElementById: (id: string) => elements.get(id) ?? null, createElement: () => new Element() },
    fetch: async (path: string, init: RequestInit) => {
      const isList = path.startsWith('/v1/apps?')
      if (isList) listing += 1
      return await fetch(h.base + path, init).finally(() => (listing -= isList ? 1 : 0))
    },
    setTimeout: (work: () => void) => planned.set(planned.size + 1, work).size,
    clearTimeout: (id: number | undefined) => void planned.delete(id ?? 0)
  })
  runInContext((await h.ask('GET', '/page.js', { token: null })).body as string, context)
  const element = (id: string): Element => elements.get(id)!
  element('token').value = ADMIN
  return { element, planned, listing: () => listing, apps: () => element('apps').rows.map(({ cells }) => cells[0]!.textContent) }
}

// What was above 50 apps was cut off without a word.
test('the page says that there are more apps than it shows, and shows more', async () => {
  const names = Array.from({ length: 120 }, (_, index) => `app-${String(index).padStart(3, '0')}`)
  for (const appid of names) await h.catalog.createApp({ appid, name: appid })
  const page = await openPage()
  page.element('login').fire('submit')
  await until(() => page.apps().length === 50)
  expect(page.apps()).toEqual(names.slice(0, 50))
  expect(page.element('rest')).toMatchObject({ hidden: false })
  expect(page.element('rest-text').textContent).toBe('These are the first 50, in the order of their names; there are more.')
  page.element('more').fire('click')
  await until(() => page.apps().length === 100)
  expect(page.element('rest-text').textContent).toContain('the first 100')
  page.element('more').fire('click')
  await until(() => page.apps().length === 120)
  expect(page.apps()).toEqual(names)
  expect(page.element('rest').hidden).toBe(true)
})

// Each "Show apps" while a refresh ran began another chain of refreshes, for ever.
test('the page refreshes itself once, however often apps are asked for meanwhile', async () => {
  await h.app('chat')
  const page = await openPage()
  for (let times = 0; times < 3; times++) page.element('login').fire('submit')
  await until(() => page.apps().length === 1 && page.listing() === 0)
  // The others, whose answers came as well, have had their time to go on.
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(page.planned.size).toBe(1)
  await h.app('later')
  for (const work of page.planned.values()) work()
  await until(() => page.apps().length === 2)
})

test('the page stops at a wrong token', async () => {
  const page = await openPage()
  page.element('token').value = 'wrong'
  page.element('login').fire('submit')
  await until(() => page.element('state').textContent !== '')
  expect(page.element('state')).toMatchObject({ textContent: 'the token is unknown', className: 'error' })
  expect(page.planned.size).toBe(0)
})
