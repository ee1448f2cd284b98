import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from './support/client.ts'
import { startPlatform, type Platform } from './support/platform.ts'

/*
 * An app that loses its isolate again and again is started anew with growing delays, and after the eleventh loss in a row not any more: its
 * clients are told so. That takes half a minute, of which nearly all is delays: both apps go through it at the same time.
 */
let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ args: ['--workers', '1'] })
})
afterAll(() => platform.close())

const APPS = ['mended', 'restarted'] as const
const source = (answer: string): string => `
  export function main({ method, params, socket }) {
    if (method !== 'WebSocket:message') return
    const text = params.data.toString()
    if (text === 'loop') for (;;) {}
    socket.send('${answer} ' + text)
  }`
const LOSSES = 11
/** Each of them ends one isolate, or two. */
const LOOPS = LOSSES

/** Runs until the app cannot run. */
async function wearOut(appid: string): Promise<void> {
  await platform.app(appid, { __websocket__: source('first'), ping: `export default () => 'pong'` })
  await platform.admin('PATCH', `/apps/${appid}`, { limits: { turnCpuMs: 50 } })
  const client = await connect(platform.url(appid))
  client.send('hello')
  expect(await client.next()).toBe('first hello')
  for (let n = 0; n < LOOPS; n++) client.send('loop')
  expect(await client.closed).toEqual({ code: 1011, reason: 'the app cannot run' })
}

/** That it goes on, and that a loss counts as the first one. */
async function expectAlive(appid: string, answer: string): Promise<void> {
  expect(await platform.request(appid, '/ping')).toMatchObject({ status: 200, text: 'pong' })
  const client = await connect(platform.url(appid))
  for (const text of ['hello', 'loop', 'after']) client.send(text)
  expect([await client.next(), await client.next()]).toEqual([`${answer} hello`, `${answer} after`])
  expect(client.ws.readyState).toBe(client.ws.OPEN)
  await client.close()
}

describe('an app that has lost eleven isolates in a row', () => {
  beforeAll(async () => {
    await Promise.all(APPS.map(wearOut))
  }, 120_000)

  it('is not started again by whoever comes for it', async () => {
    for (const appid of APPS) {
      expect(await platform.request(appid, '/ping')).toMatchObject({ status: 503, json: { error: { code: 'unavailable' } } })
      await expect(connect(platform.url(appid))).rejects.toThrow('503')
      expect((await platform.admin('GET', `/apps/${appid}/stats`)).json).toMatchObject({ restarts: LOSSES, connections: 0 })
      // Its log says so last: nothing else of it does, while nobody is connected.
      const { items } = (await platform.admin('GET', `/apps/${appid}/logs?limit=1`)).json
      expect(items).toMatchObject([{ level: 'error', function: '', message: expect.stringContaining(`the app cannot run: it was lost ${LOSSES} times in a row`) }])
    }
  })

  it('comes back with a publish', async () => {
    expect((await platform.admin('PUT', '/apps/mended/functions/__websocket__', source('second'))).status).toBe(200)
    await expectAlive('mended', 'second')
  })

  it('comes back when it is told to start anew', async () => {
    expect((await platform.admin('POST', '/apps/restarted/restart')).status).toBe(200)
    await expectAlive('restarted', 'first')
  })
})
