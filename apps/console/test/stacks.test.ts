import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { FunctionVersion } from '@socklet/catalog'
import { Compiler } from '../src/publish/compiler.ts'
import { entry } from './fake-pool.ts'
import { ADMIN, harness, until, type Harness } from './harness.ts'

// An error in a function that stands in line 8 of the source was logged with line 24, of code that the tenant has never seen, between
// frames of ours.

const SOURCE = `// What the compiler leaves out.
interface Message { text: string }

import { shout } from '@/lib'

/** More of that. */
export function main(ctx: unknown): void {
  const message: Message = { text: 'é' }; shout(message.text)
}
`
const LIB = `
export type Loud = string

export const shout = (text: Loud): never => { throw new Error(text) }
`

let h: Harness
beforeAll(async () => {
  h = await harness()
})
afterAll(async () => await h.stop())

let appid: string
let number = 0
beforeEach(async () => {
  appid = `stacks-${number++}`
  await h.app(appid)
})

afterEach(() => vi.restoreAllMocks())

async function put(functions: Record<string, string>): Promise<void> {
  const body = { functions: Object.fromEntries(Object.entries(functions).map(([name, code]) => [name, { code }])) }
  expect((await h.ask('PUT', `/v1/apps/${appid}/functions`, { json: body })).status).toBe(200)
}

/** `NAME.js:LINE:COLUMN` of this text in what is running of the function. */
async function placeOf(name: string, text: string): Promise<string> {
  const { compiled } = await h.catalog.getFunction(appid, name)
  const line = compiled.split('\n').findIndex((candidate) => candidate.includes(text))
  return `${name}.js:${line + 1}:${compiled.split('\n')[line]!.indexOf(text) + 1}`
}

function stackOf(...places: string[]): string {
  return ['Error: é', ...places.map((place) => `    at f (${place})`), '    at #r (socklet:guest:33:38203)'].join('\n')
}

async function logged(): Promise<string[]> {
  const { status, body } = await h.ask('GET', `/v1/apps/${appid}/logs`)
  expect(status).toBe(200)
  return body.items.map(({ message }: { message: string }) => message)
}

const now = { function: 'f', version: 1 }
const READABLE = 'Error: é\n    at f (lib.ts:4:53)\n    at f (f.ts:8:43)'

describe('stacks in the log', () => {
  test('name places in the sources, and none of ours', async () => {
    await put({ lib: LIB, f: SOURCE })
    const stack = stackOf(await placeOf('lib', 'new Error(text)'), await placeOf('f', '(0, import_lib.shout)'))
    h.pool.entries = [entry(1, { ...now, time: Date.now(), message: stack }), entry(2, { ...now, time: Date.now(), message: `caught ${stack}\nin vain` })]
    expect(await logged()).toEqual([`caught ${READABLE}\nin vain`, READABLE])
  })

  test('are those of the version that was running', async () => {
    await put({ lib: LIB, f: SOURCE })
    const time = Date.now()
    const places = [await placeOf('lib', 'new Error(text)'), await placeOf('f', '(0, import_lib.shout)')]
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(time))
    await put({ lib: `\n\n\n${LIB}`, f: `\n\n${SOURCE}` })
    const message = stackOf(...places)
    h.pool.entries = [
      entry(1, { ...now, time, message }),
      entry(2, { function: 'f', version: 2, time: Date.now() + 1, message }),
      // No function logged it, such as a rejection that nobody handles.
      entry(3, { function: '', version: 0, time, message }),
      // Timers go on with the code that has set them.
      entry(4, { ...now, time: Date.now() + 1, message: stackOf(places[1]!) })
    ]
    expect(await logged()).toEqual(['Error: é\n    at f (f.ts:8:43)', READABLE, 'Error: é\n    at f (lib.ts:7:53)\n    at f (f.ts:10:43)', READABLE])
  })

  test('are as they were where nothing is known: of deleted functions, of what the compiler adds, of another compiler', async () => {
    await put({ gone: LIB, f: SOURCE, other: SOURCE.replace('@/lib', './gone') })
    const place = await placeOf('other', '(0, import_gone.shout)')
    const { name, code, hash, methods, description, changelog } = await h.catalog.getFunction(appid, 'other')
    const version = { name, code, hash: `${hash}-`, methods, description, changelog, compiled: 'older' } satisfies Partial<FunctionVersion>
    await h.catalog.publish(appid, { put: [version], remove: ['gone'], maxFunctions: 10 })
    const message = stackOf('gone.js:24:9', await placeOf('f', 'Object.defineProperty'), place, 'never.js:1:1', 'f.js:9999:1')
    h.pool.entries = [entry(1, { ...now, version: 1, time: Date.now() + 1, message })]
    expect(await logged()).toEqual([message.replace(/\n.*socklet:guest.*/, '')])
  })

  test('are readable as soon as they are known, and the log does not wait for a compiler that has much to do', async () => {
    await put({ lib: `${LIB}// Unlike the others.` })
    const message = stackOf(await placeOf('lib', 'new Error(text)'))
    h.pool.entries = [entry(1, { ...now, time: Date.now(), message })]
    const compiled = Promise.withResolvers<void>()
    const map = Compiler.prototype.map
    const slow = vi.spyOn(Compiler.prototype, 'map').mockImplementation(async function (this: Compiler, name, source) {
      await compiled.promise
      return map.call(this, name, source)
    })
    const [stack] = await logged()
    expect(stack).toContain('lib.js:')
    compiled.resolve()
    await until(async () => (await logged())[0]!.includes('lib.ts:4:53'))
    expect(slow).toHaveBeenCalledTimes(1)
  })

  test('are readable in the live tail, in order with what comes meanwhile', async () => {
    await put({ lib: LIB, f: SOURCE })
    const message = stackOf(await placeOf('lib', 'new Error(text)'), await placeOf('f', '(0, import_lib.shout)'))
    h.pool.entries = [entry(1, { ...now, time: Date.now(), message })]
    const controller = new AbortController()
    const response = await fetch(`${h.base}/v1/apps/${appid}/logs`, { headers: { accept: 'text/event-stream', authorization: `Bearer ${ADMIN}`, 'last-event-id': '0' }, signal: controller.signal })
    let text = ''
    void (async () => {
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) text += chunk
    })().catch(() => {})
    const heard = (): [number, string][] => [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!)).map(({ id, message: said }) => [id, said])
    await until(() => heard().length === 1)
    h.pool.logged(appid, [entry(2, { message: 'before' }), entry(3, { ...now, time: Date.now(), message })])
    h.pool.logged(appid, [entry(4, { message: 'after' })])
    h.pool.logged(appid, [entry(5, { ...now, time: Date.now(), message })])
    await until(() => heard().length === 5)
    expect(heard()).toEqual([[1, READABLE], [2, 'before'], [3, READABLE], [4, 'after'], [5, READABLE]])
    controller.abort()
  })
})

test('a function that throws while it is loaded is refused with places in its source, and in those that it imports', async () => {
  await put({ lib: LIB })
  const at = await placeOf('lib', 'new Error(text)')
  // The fake pool says where it is in the compiled code, which is stored nowhere.
  const compiler = new Compiler()
  const { code } = await compiler.compile('f', `${SOURCE}shout('now')\n`)
  await compiler.stop()
  const line = code.split('\n').findIndex((candidate) => candidate.includes('("now")')) + 1
  const column = code.split('\n')[line - 1]!.indexOf('("now")') + 1
  h.pool.override = { trial: () => [{ function: 'f', message: 'Error: now', stack: `Error: now\n    at shout (${at})\n    at f.js:${line}:${column}\n    at trial (socklet:guest:35:36650)` }] }
  const refused = await h.ask('PUT', `/v1/apps/${appid}/functions/f`, { json: { code: `${SOURCE}shout('now')\n` } })
  h.pool.override = {}
  expect(refused).toMatchObject({ status: 422, body: { error: { code: 'load_error', details: [{ function: 'f', message: 'Error: now', stack: 'Error: now\n    at shout (lib.ts:4:53)\n    at f.ts:10:1' }] } } })
})
