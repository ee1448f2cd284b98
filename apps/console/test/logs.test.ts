import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ADMIN, harness, until, type Harness } from './harness.ts'
import { entry } from './fake-pool.ts'

let h: Harness
beforeAll(async () => {
  h = await harness({ heartbeatMs: 100 })
  await h.app('chat')
})
afterAll(async () => await h.stop())
beforeEach(() => {
  h.pool.calls.length = 0
  h.pool.entries = []
})

interface Tail {
  text: () => string
  entries: () => { id: number; message: string }[]
  ended: () => boolean
  close: () => void
}

const open: Tail[] = []
afterEach(() => {
  for (const live of open.splice(0)) live.close()
})

async function tail(query = '', headers: Record<string, string> = {}, token = ADMIN, appid = 'chat'): Promise<Tail> {
  const controller = new AbortController()
  const response = await fetch(`${h.base}/v1/apps/${appid}/logs${query}`, { headers: { accept: 'text/event-stream', authorization: `Bearer ${token}`, ...headers }, signal: controller.signal })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  let text = ''
  let ended = false
  const read = async (): Promise<void> => {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) text += chunk
  }
  void read()
    .catch(() => {})
    .finally(() => (ended = true))
  const made = {
    text: () => text,
    entries: () => [...text.matchAll(/^id: \d+\ndata: (.*)$/gm)].map(([, data]) => JSON.parse(data!)),
    ended: () => ended,
    close: () => controller.abort()
  }
  open.push(made)
  return made
}

describe('pages', () => {
  test('are newest first, and end', async () => {
    h.pool.entries = [1, 2, 3, 4, 5].map((id) => entry(id, { connection: id === 5 ? 'c5' : '' }))
    const first = (await h.ask('GET', '/v1/apps/chat/logs?limit=2')).body
    expect(first.items).toEqual([
      { id: 5, time: new Date(entry(5).time).toISOString(), level: 'info', function: '__websocket__', requestId: 'r5', connection: 'c5', version: 1, message: 'line 5' },
      { id: 4, time: new Date(entry(4).time).toISOString(), level: 'info', function: '__websocket__', requestId: 'r4', version: 1, message: 'line 4' }
    ])
    const second = (await h.ask('GET', `/v1/apps/chat/logs?limit=2&before=${first.nextCursor}`)).body
    expect(second.items.map(({ id }: { id: number }) => id)).toEqual([3, 2])
    const third = (await h.ask('GET', `/v1/apps/chat/logs?limit=2&before=${second.nextCursor}`)).body
    expect(third.items).toHaveLength(1)
    expect(third).not.toHaveProperty('nextCursor')
  })

  test('have no next one when they end exactly', async () => {
    h.pool.entries = [1, 2].map((id) => entry(id))
    expect((await h.ask('GET', '/v1/apps/chat/logs?limit=2')).body).not.toHaveProperty('nextCursor')
  })

  // A page of 100 lines of 1 MiB was an answer that no frame could hold, and one of 600 ended the pool.
  test('are shorter where entries are long, and go on', async () => {
    h.pool.entries = [1, 2, 3, 4, 5, 6].map((id) => entry(id, { message: 'x'.repeat(1024 * 1024) }))
    const first = (await h.ask('GET', '/v1/apps/chat/logs?limit=6')).body
    expect(first.items.map(({ id }: { id: number }) => id)).toEqual([6, 5, 4])
    const second = (await h.ask('GET', `/v1/apps/chat/logs?limit=6&before=${first.nextCursor}`)).body
    expect(second.items.map(({ id }: { id: number }) => id)).toEqual([3, 2, 1])
    expect(second).not.toHaveProperty('nextCursor')
  })

  test('hand filters to the pool', async () => {
    await h.ask('GET', '/v1/apps/chat/logs?level=warn&function=dir%2Ff&requestId=r&connection=c&before=9')
    expect(h.pool.called('logs')).toEqual([{ appid: 'chat', limit: 100, level: 'warn', function: 'dir/f', requestId: 'r', connection: 'c', before: 9 }])
  })

  test.each(['level=fatal', 'before=x', 'before=0', 'limit=1001', 'function=', 'since=1'])('refuse %s', async (query) => {
    expect(await h.ask('GET', `/v1/apps/chat/logs?${query}`)).toMatchObject({ status: 400, body: { error: { details: [{ path: query.split('=')[0] }] } } })
  })

  test('of an app that does not exist give 404', async () => {
    expect((await h.ask('GET', '/v1/apps/nobody/logs')).status).toBe(404)
    expect((await h.ask('GET', '/v1/apps/nobody/logs', { headers: { accept: 'text/event-stream' } })).status).toBe(404)
  })
})

describe('the live tail', () => {
  test('brings what is logged, as JSON with an id', async () => {
    const live = await tail()
    h.pool.logged('chat', [entry(7, { message: 'two\nlines\r\n\r\ndata: x' }), entry(8)])
    h.pool.logged('other', [entry(9)])
    await until(() => live.entries().length === 2)
    expect(live.entries()).toMatchObject([{ id: 7, time: new Date(entry(7).time).toISOString(), message: 'two\nlines\r\n\r\ndata: x' }, { id: 8 }])
  })

  test('filters', async () => {
    const live = await tail('?level=warn&function=f&connection=c&requestId=r')
    const right = { level: 'warn', function: 'f', connection: 'c', requestId: 'r' } as const
    h.pool.logged('chat', [entry(1, { ...right, level: 'info' }), entry(2, { ...right, function: 'g' }), entry(3, { ...right, connection: 'd' }), entry(4, { ...right, requestId: 's' }), entry(5, right), entry(6, { ...right, level: 'error' })])
    await until(() => live.entries().length === 2)
    expect(live.entries().map(({ id }) => id)).toEqual([5, 6])
  })

  test('is asked of the pool, and given up when the last one goes', async () => {
    const one = await tail()
    const two = await tail()
    one.close()
    h.pool.logged('chat', [entry(1)])
    await until(() => two.entries().length === 1)
    expect(h.pool.called('tail')).not.toContainEqual({ appid: 'chat', off: true })
    two.close()
    await until(() => h.pool.called('tail').some((params) => (params as { off?: boolean }).off === true))
  })

  test('goes on after the pool was restarted', async () => {
    const live = await tail()
    await h.pool.stop()
    h.pool.calls.length = 0
    await h.pool.start()
    await until(() => h.pool.called('tail').length > 0)
    expect(h.pool.called('tail')).toEqual([{ appid: 'chat' }])
    h.pool.logged('chat', [entry(1)])
    await until(() => live.entries().length === 1)
  })

  test('first brings what was missed since Last-Event-ID, once', async () => {
    h.pool.entries = [1, 2, 3, 4].map((id) => entry(id))
    h.pool.override.logs = ({ limit }) => {
      // Is logged while the missed entries are read, and is among them.
      h.pool.logged('chat', [entry(4), entry(5)])
      return { items: h.pool.entries.toReversed().slice(0, limit) }
    }
    const live = await tail('', { 'last-event-id': '2' })
    h.pool.override = {}
    h.pool.logged('chat', [entry(6)])
    await until(() => live.entries().length >= 4)
    expect(live.entries().map(({ id }) => id)).toEqual([3, 4, 5, 6])
  })

  test('brings what was missed in more than one page', async () => {
    const asked: (number | undefined)[] = []
    h.pool.override.logs = ({ before = 6 }) => {
      asked.push(before)
      return { items: [entry(before - 1), entry(before - 2)], ...(before > 3 ? { next: before - 2 } : {}) }
    }
    const live = await tail('', { 'last-event-id': '2' })
    h.pool.override = {}
    await until(() => live.entries().length === 3)
    expect(live.entries().map(({ id }) => id)).toEqual([3, 4, 5])
    // Not a third one: the second has what the reader knows.
    expect(asked).toEqual([6, 4])
  })

  // What was above 1,000 entries was left out without a word.
  test.each([[1_000, 0], [1_001, 1], [3_500, 2_500]])('says how many of %i missed entries it leaves out', async (count, left) => {
    h.pool.entries = Array.from({ length: count }, (_, index) => entry(index + 10))
    const live = await tail('', { 'last-event-id': '9' })
    await until(() => live.entries().length === 1_000)
    expect(live.entries().map(({ id }) => id)).toEqual(h.pool.entries.slice(left).map(({ id }) => id))
    expect(live.text().startsWith(`: hello\n\n${left === 0 ? 'id: 10\n' : `event: dropped\ndata: {"count":${left}}\n\nid: ${left + 10}\n`}`)).toBe(true)
  })

  test('says how many it leaves out of what comes while the missed entries are read', async () => {
    const early = Array.from({ length: 1_200 }, (_, index) => entry(index + 2, { level: index < 100 ? 'debug' : 'info' }))
    h.pool.override.logs = () => {
      h.pool.logged('chat', early)
      return { items: [entry(105)] }
    }
    const live = await tail('?level=info', { 'last-event-id': '1' })
    h.pool.override = {}
    await until(() => live.text().includes('event: dropped'))
    // Of 1,100 that it may see 1,000 wait; of those it has had 4, and the last that was missed is its own.
    expect(live.entries().map(({ id }) => id)).toEqual([105, ...early.slice(104, 1_100).map(({ id }) => id)])
    expect(live.text()).toMatch(/event: dropped\ndata: \{"count":100\}\n\n$/)
  })

  test('has heartbeats', async () => {
    const live = await tail()
    await until(() => live.text().includes(': heartbeat\n\n'))
  })

  test('ends with the app', async () => {
    await h.app('doomed')
    const live = await tail('', {}, ADMIN, 'doomed')
    await h.ask('DELETE', '/v1/apps/doomed')
    await until(live.ended)
  })

  test('ends with the token', async () => {
    const { body } = await h.ask('POST', '/v1/apps/chat/tokens', { json: { name: 'x', scopes: ['read'] } })
    const live = await tail('', {}, body.token)
    await h.ask('DELETE', `/v1/apps/chat/tokens/${body.id}`)
    await until(live.ended)
  })

  test('is refused while the runtime is away, and above a number', async () => {
    const lives = await Promise.all(Array.from({ length: 32 }, async () => await tail()))
    const init = { headers: { accept: 'text/event-stream' } }
    expect(await h.ask('GET', '/v1/apps/chat/logs', init)).toMatchObject({ status: 429, body: { error: { code: 'busy' } } })
    for (const live of lives) live.close()
    await until(() => h.pool.called('tail').some((params) => (params as { off?: boolean }).off === true))
    await h.pool.stop()
    expect(await h.ask('GET', '/v1/apps/chat/logs', init)).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } })
    expect(await h.ask('GET', '/v1/apps/chat/logs')).toMatchObject({ status: 503 })
    await h.pool.start()
    await until(async () => (await h.ask('GET', '/v1/apps/chat/logs')).status === 200)
  })

  test('drops what a slow reader does not take, and says how many', async () => {
    const { connect } = await import('node:net')
    const socket = connect(h.console.port, '127.0.0.1')
    let text = ''
    socket.setEncoding('utf8')
    socket.write(`GET /v1/apps/chat/logs HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nauthorization: Bearer ${ADMIN}\r\n\r\n`)
    await new Promise((resolve) => socket.once('data', resolve))
    socket.pause()
    const message = 'x'.repeat(64 * 1024)
    for (let id = 1; id <= 200; id++) h.pool.logged('chat', [entry(id, { message })])
    // The entries go over a link of their own: a call on the same link that is answered comes after them.
    await h.pool.flushed()
    socket.on('data', (chunk: string) => (text += chunk))
    socket.resume()
    const received = (): number[] => [...text.matchAll(/^id: (\d+)/gm)].map(([, id]) => Number(id))
    const dropped = (): number => [...text.matchAll(/event: dropped\ndata: \{"count":(\d+)\}/g)].reduce((sum, [, count]) => sum + Number(count), 0)
    await until(() => received().length + dropped() === 200)
    expect(dropped()).toBeGreaterThan(0)
    expect(received()).toEqual(received().toSorted((a, b) => a - b))
    socket.destroy()
  })
})
