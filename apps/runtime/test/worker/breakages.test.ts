import { Flag, FrameType, decodeLogLine, splitHead } from '@socklet/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acknowledged, closed, makeHarness, numbers, openPayload, type FarEnd, type Harness, type TestApp } from './harness.ts'
import { ALLOWED, ASKED } from './breakages/allowed.ts'
import { HTTP_FUNCTION, INTERCEPTOR, MODES, TENANT, type Mode } from './breakages/tenant.ts'

/**
 * Found by hand at first: `console.log` failed after a tenant had deleted `globalThis.Map`. Here everything that a tenant can reach is broken,
 * one object after the other, while all that the guest does is done; what comes out has to be what comes out of an app that breaks nothing,
 * and no replacement is ever called.
 */
let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

const CONTROL = 1
const CLIENT = 2
const LEAVING = 3
/** `{ uid: 'é', iat: 5 }`, signed with the secret that the harness gives. */
const TOKEN = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1aWQiOiLDqSIsImlhdCI6NX0.tEkPdfUje23azWgA6tCSe4lWjqjHl2kyHgAn-3V8W80'

interface Breakage {
  owner: number
  mode: Mode
  /** Properties that are left as they are. */
  kept: string[]
}
interface Report {
  calls: { label: string; receiver: string; count: number }[]
  times: number
}

const PART = (more: string, content: string): string => `--b\r\nContent-Disposition: form-data; name="n[a][]"${more}\r\n\r\n${content}\r\n`
const MULTIPART = `${PART('', 'é')}${PART('', '2')}${PART(`; filename="a\\"b"; filename*=utf-8''%C3%A9`, '{}')}${PART('; filename=x\r\nContent-Type: image/png; a=b', '')}--b--`

class Subject {
  readonly #test: TestApp
  #gateway = 0
  #pool = 0
  #changes = 0

  constructor(test: TestApp) {
    this.#test = test
  }

  static async start(): Promise<Subject> {
    const test: TestApp = await harness.start(TENANT, {
      functions: { http: HTTP_FUNCTION, __interceptor__: INTERCEPTOR },
      limits: { logLinesPerSecond: 1_000_000, turnCpuMs: 5_000, minuteCpuMs: 1_000_000 },
      onPoolFrame: (head, payload) => {
        if (head.type === FrameType.FETCH) answerFetch(test, head.connection, payload)
      }
    })
    test.open(CONTROL)
    return new Subject(test)
  }

  /** Every object that can be broken, and its properties. */
  async owners(): Promise<{ name: string; keys: string[] }[]> {
    const done = this.#test.event(FrameType.MESSAGE, CONTROL, '{"list":true}')
    await this.#acknowledged(done)
    return JSON.parse(this.#take().gateway.find(({ text }) => text.startsWith('['))!.text)
  }

  /** What comes out of the app while this is broken, and who was called. */
  async run(breakage: Breakage | null): Promise<{ output: unknown; report: Report | null }> {
    const test = this.#test
    this.#take()
    if (breakage !== null) test.event(FrameType.MESSAGE, CONTROL, JSON.stringify({ break: breakage.owner, mode: breakage.mode, kept: breakage.kept }))
    await this.#useAll()
    const output = this.#take()
    const done = test.event(FrameType.MESSAGE, CONTROL, Buffer.from([255]), Flag.BINARY)
    const acknowledgedInTime = await this.#acknowledged(done)
    const mended = this.#take().gateway.filter(({ text }) => text.startsWith('{"calls"')).at(-1)
    return { output, report: acknowledgedInTime && mended !== undefined ? (JSON.parse(mended.text) as Report) : null }
  }

  dispose(): void {
    this.#test.app.dispose()
  }

  async #useAll(): Promise<void> {
    const test = this.#test
    test.open(CLIENT, { headers: { 'x-head': 'head' }, rooms: ['first', 'second'], id: 'client' })
    test.event(FrameType.MESSAGE, CLIENT, 'use')
    test.event(FrameType.MESSAGE, CLIENT, Buffer.from([1, 2, 3]), Flag.BINARY)
    test.event(FrameType.MESSAGE, CLIENT, 'throw')
    test.event(FrameType.MESSAGE, CLIENT, 'reject')
    test.event(FrameType.MESSAGE, CLIENT, 'listen')
    test.event(FrameType.MESSAGE, CLIENT, 'throw')
    test.event(FrameType.PING, CLIENT, 'data')
    test.open(LEAVING, { headers: { 'x-head': 'leaving' }, rooms: ['first'], id: 'leaving' })
    test.event(FrameType.MESSAGE, LEAVING, 'close')
    test.event(FrameType.BUFFERED, CLIENT, numbers(7))
    for (const [number, token] of [[900, 't'], [901, 'x']] as const) test.event(FrameType.UPGRADE, number, JSON.stringify({ requestId: 'r', url: `/?token=${token}&a[b]=1&list=1&list=2&c=%20d`, headers: { a: 'b' }, address: '192.0.2.1', protocols: ['v1'] }))
    const requests = [
      request(910, 'json', { 'content-type': 'application/json; charset=utf-8' }, '{"a":[1,"é"]}'),
      request(911, 'json', { 'content-type': 'application/x-www-form-urlencoded', authorization: `Bearer ${TOKEN}` }, 'a=1&b%5Bc%5D=2&list[]=3&list[]=4&e=%C3%A9+x'),
      request(912, 'json', { 'content-type': 'application/json' }, '{not json'),
      request(913, 'bytes', { 'content-type': 'application/octet-stream' }, 'raw'),
      request(918, 'files', { 'content-type': 'multipart/form-data; boundary="b"' }, MULTIPART),
      request(919, 'files', { 'content-type': 'multipart/form-data; boundary="b' }, MULTIPART),
      request(914, 'text', { 'content-type': 'application/octet-stream' }, 'raw'),
      request(915, 'stream', {}, ''),
      request(916, 'redirect', {}, ''),
      request(917, 'fail', {}, '')
    ]
    for (const [number, payload] of requests) test.event(FrameType.REQUEST, number, payload)
    const told = await this.#until((frames) => frames.find(({ head }) => (head.flags & Flag.TELL) !== 0))
    if (told !== undefined) test.event(FrameType.SENT, CLIENT, numbers(told.head.sequence))
    await this.#until((frames) => ['timeout x', 'interval', 'immediate', 'written', 'updated 1', 'web done'].every((text) => frames.some(({ payload }) => payload.toString() === text)))
    test.event(FrameType.ERROR, CLIENT, JSON.stringify({ name: 'RangeError', message: 'bad frame', code: 'WS_ERR' }))
    if ((await this.#until((frames) => frames.some(({ head }) => head.type === FrameType.CLOSE))) === true) test.event(FrameType.CLOSED, LEAVING, closed(1000, 'reason'))
    await this.#acknowledged(test.event(FrameType.CLOSED, CLIENT, closed(1001, 'going')))
  }

  async #acknowledged(sequence: number): Promise<boolean> {
    return (await this.#until((frames) => acknowledged(frames).includes(sequence) || undefined)) === true
  }

  /** undefined if it does not come to that. */
  async #until<T>(found: (frames: FarEnd['frames']) => T | undefined | false): Promise<T | undefined> {
    for (const end = Date.now() + 500; Date.now() < end && this.#test.downs.length === 0; ) {
      const answer = found(this.#test.gateway.frames.slice(this.#gateway))
      if (answer) return answer
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    return undefined
  }

  /** What has come out since the last time, without what differs from time to time. */
  #take(): { gateway: Shown[]; log: string[]; changes: string[]; downs: string[] } {
    const { gateway, pool, changes, downs } = this.#test
    const shown = gateway.frames.slice(this.#gateway).filter(({ head }) => head.type !== FrameType.ACK && head.type !== FrameType.STARTED).map(show)
    const lines = pool.frames.slice(this.#pool).filter(({ head }) => head.type === FrameType.LOG).map(({ payload }) => decodeLogLine(payload)).map(({ level, function: name, message }) => `${level} ${name} ${message.replaceAll(/\b\d+: \d+ms|^default: \d+/g, '')}`)
    const written = changes.slice(this.#changes).map((bytes) => Buffer.from(bytes).toString('latin1').length > 0 ? 'changed' : 'empty')
    this.#gateway = gateway.frames.length
    this.#pool = pool.frames.length
    this.#changes = changes.length
    return { gateway: shown.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)), log: lines.toSorted(), changes: written.slice(0, 1), downs: [...downs] }
  }
}

interface Shown {
  type: number
  flags: number
  connection: number
  text: string
}

const key = ({ type, flags, connection, text }: Shown): string => `${type} ${flags} ${connection} ${text}`

function show({ head, payload }: FarEnd['frames'][number]): Shown {
  return { type: head.type, flags: head.flags, connection: head.connection, text: payload.toString('latin1') }
}

function request(number: number, doing: string, headers: Record<string, string>, body: string): [number, Uint8Array] {
  const head = { requestId: 'r', function: 'http', method: 'POST', url: `/http?do=${doing}&q[a]=1&q[b]=2&list=1&list=2`, headers: { ...headers, 'x-head': 'head' }, address: '192.0.2.1' }
  return [number, openPayload(head as never, Buffer.from(body))]
}

/** As a pool would: nobody is at most addresses. */
function answerFetch(test: TestApp, id: number, payload: Buffer): void {
  const { url } = JSON.parse(String(splitHead(payload).head)) as { url: string }
  if (url.includes('silent')) return
  if (!url.includes('answers')) {
    test.event(FrameType.FETCH_RESULT, id, JSON.stringify({ name: 'Error', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' }), Flag.FAILED | Flag.END)
    return
  }
  test.event(FrameType.FETCH_RESULT, id, JSON.stringify({ status: 200, statusText: 'OK', headers: [['x-y', 'z']], url, redirected: false }))
  test.event(FrameType.FETCH_PART, id, '{"j":')
  test.event(FrameType.FETCH_PART, id, '"k"}', Flag.END)
}

let subject: Subject
let expected: unknown
let owners: { name: string; keys: string[] }[]

/** null if it is as it should be. */
async function problemOf(breakage: Breakage, without: string[] = []): Promise<string | null> {
  const { output, report } = await subject.run(breakage)
  const called = new Set(report?.calls.map(({ label }) => label))
  const name = `${owners[breakage.owner]!.name} (${breakage.mode})`
  const wrong = report === null ? 'the app is lost' : called.size > 0 ? unexpected(called) : firstDifference(expected, output, without)
  if (report === null) {
    subject.dispose()
    subject = await Subject.start()
    await subject.run(null)
  }
  return wrong === null ? null : `${name}: ${wrong}`
}

function unexpected(called: Set<string>): string | null {
  const labels = [...called].filter((name) => !ASKED.some(({ label }) => label.test(name)))
  return labels.length === 0 ? null : `called: ${labels.join(', ')}`
}

function firstDifference(one: unknown, other: unknown, without: string[]): string | null {
  const [a, b] = [one, other] as Record<string, unknown[]>[]
  for (const part of Object.keys(a!).filter((name) => !without.includes(name))) {
    const [left, right] = [a![part]!.map((item) => JSON.stringify(item)), b![part]!.map((item) => JSON.stringify(item))]
    const missing = left.filter((item) => !right.includes(item))
    const more = right.filter((item) => !left.includes(item))
    if (missing.length + more.length > 0) return `${part} without ${missing.slice(0, 3).join().slice(0, 400)} and with ${more.slice(0, 3).join().slice(0, 400)}`
  }
  return null
}

describe('a tenant that breaks', () => {
  beforeAll(async () => {
    subject = await Subject.start()
    owners = await subject.owners()
    await subject.run(null)
    expected = (await subject.run(null)).output
  })

  it('nothing, sees the same each time', async () => {
    expect((await subject.run(null)).output).toEqual(expected)
    const { gateway, log } = expected as { gateway: Shown[]; log: string[] }
    expect(gateway.length).toBeGreaterThan(40)
    expect(log.length).toBeGreaterThan(50)
    expect(owners.length).toBeGreaterThan(100)
    const texts = gateway.map(({ text }) => text)
    expect(texts.filter((text) => text.startsWith('web failed'))).toEqual([])
    expect(gateway).toContainEqual({ type: FrameType.CLOSE, flags: 0, connection: 3, text: '\u00e8\u0003reason' })
    expect(texts).toContain(`token ${TOKEN} \u00c3\u00a9 null text`)
    expect(texts.some((text) => text.includes('"intercepted":true'))).toBe(true)
    expect(texts.some((text) => text.includes('"body":{"n":{"a":["\u00c3\u00a9","2"]}},"files":["n[a][]","\u00c3\u00a9","text/plain","7bit",2,123,"x"]'))).toBe(true)
    expect(texts.some((text) => text.includes('"error":"a quote in a header field does not end"'))).toBe(true)
    expect(texts.some((text) => text.includes('"user":{"uid":"\u00c3\u00a9","iat":5}'))).toBe(true)
    expect(texts).toEqual(expect.arrayContaining(['fetch fetch failed connect ECONNREFUSED ECONNREFUSED true', 'cut AbortError', 'given 200z{"j":"k"}', 'cloud.fetch connect ECONNREFUSEDECONNREFUSEDtrue', 'cloud.fetch 200k']))
  })

  const kept = Object.keys(ALLOWED)

  it.each(MODES)('any object that it can reach (%s), changes nothing', async (mode) => {
    const problems: (string | null)[] = []
    for (const owner of owners.keys()) problems.push(await problemOf({ owner, mode, kept }))
    expect(problems.filter((problem) => problem !== null)).toEqual([])
  }, 60_000)

  // `await` asks a promise for its constructor, copies of arrays and buffers ask them for theirs, and inspect asks for names.
  // Where a promise has neither constructor nor `then`, who awaits it gets the promise: the tenant does, with those of its handlers.
  it.each([
    { mode: 'getter', also: [] },
    { mode: 'deleted', also: ['Promise.prototype.constructor'] }
  ] as const)('what objects say of themselves ($mode), changes nothing but what they are called in the log', async ({ mode, also }) => {
    const problems: (string | null)[] = []
    const names = [...kept.filter((name) => !name.startsWith('*.')), ...also]
    for (const owner of owners.keys()) problems.push(await problemOf({ owner, mode, kept: names }, ['log']))
    expect(problems.filter((problem) => problem !== null)).toEqual([])
  }, 120_000)
})
