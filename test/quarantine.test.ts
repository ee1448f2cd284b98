import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect } from './support/client.ts'
import { LONG } from './support/long.ts'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ args: ['--workers', '1'] })
})
afterAll(() => platform.close())

const ECHO = `
  import cloud from '@lafjs/cloud'
  export async function main({ method, params, socket }) {
    if (method !== 'WebSocket:message') return
    const n = await cloud.shared.update('n', (n = 0) => n + 1)
    socket.send(params.data.toString() + ' ' + n)
  }`

/** Ends its whole process by plain JavaScript (V8 cannot make so long an array), from a timer: no event has it in its turn. */
const DEADLY = `
  export async function main({ method, socket }) {
    if (method === 'WebSocket:connection') socket.send('welcome')
  }`
const INIT = `export default () => { setTimeout(() => { 'x'.padStart(2 ** 29 - 30).split('') }, 20) }`

it('an app that ends its worker again and again gets one of its own, and the others of that worker go on', { timeout: 120_000 }, async () => {
  const quiet = ['quiet-a', 'quiet-b', 'quiet-c']
  for (const appid of quiet) await platform.app(appid, { __websocket__: ECHO })
  const clients = await Promise.all(quiet.map((appid) => connect(platform.url(appid))))
  let sent = 0
  const echo = async (): Promise<void> => {
    sent++
    for (const client of clients) client.send('hello')
    for (const client of clients) expect(await client.next()).toBe(`hello ${sent}`)
  }
  await echo()
  const holder = async (appid: string): Promise<number | undefined> => (await platform.holder(appid))?.pid
  // There is a worker that holds no app, but it belongs to one that is asleep.
  await platform.app('private', { __websocket__: ECHO })
  await platform.admin('PATCH', '/apps/private', { limits: { dedicatedWorker: 1 } })
  const sleeper = await connect(platform.url('private'))
  const reserved = await until('the dedicated one has a worker', () => holder('private'))
  await platform.admin('PATCH', '/apps/private', { limits: { idleMs: 100 } })
  await until('it sleeps', async () => (await platform.admin('GET', '/apps/private/stats')).json.hibernated)
  await platform.app('deadly', { __websocket__: DEADLY, __init__: INIT })
  // On a slow machine that would end the turn first, and the isolate alone with it.
  await platform.admin('PATCH', '/apps/deadly', { limits: { turnCpuMs: 60_000 } })
  const victim = await connect(platform.url('deadly'))
  await until('it is known which app it is', () => platform.errors().includes('deadly was running when worker'), 60_000)
  // From now on it ends nobody's worker but its own.
  const shared = await until('the quiet ones have a worker', () => holder('quiet-a'))
  const restarts = async (): Promise<number> => (await platform.admin('GET', '/apps/deadly/stats')).json.restarts
  const before = await restarts()
  while ((await restarts()) < before + (LONG ? 4 : 2)) {
    await echo()
    expect(await holder('deadly')).not.toBe(reserved)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  expect(await holder('quiet-a')).toBe(shared)
  expect((await platform.processes('worker')).filter(({ apps }) => apps.includes('deadly') && apps.length > 1)).toEqual([])
  sleeper.send('hello')
  expect(await sleeper.next()).toBe('hello 1')
  expect((await platform.processes('worker')).find(({ pid }) => pid === reserved)?.apps.filter((appid) => appid !== 'private')).toEqual([])
  expect([...clients, victim, sleeper].every(({ ws }) => ws.readyState === ws.OPEN)).toBe(true)
  // When it is mended, it goes on as if nothing had been.
  const { status } = await platform.admin('PUT', '/apps/deadly/functions', { functions: { __websocket__: { code: ECHO } }, prune: true })
  expect(status).toBe(200)
  victim.send('hello')
  expect(await victim.nextMatching(/^hello/)).toBe('hello 1')
  for (const { ws } of [...clients, victim, sleeper]) ws.terminate()
})

it('an app whose turns do not end gets a worker of its own when the second one was ended, and is mended by a publish', { timeout: 60_000 }, async () => {
  await platform.app('calm', { __websocket__: ECHO })
  await platform.app('endless', { __websocket__: `export const main = ({ method }) => { if (method === 'WebSocket:message') for (;;); }` })
  const calm = await connect(platform.url('calm'))
  const victim = await connect(platform.url('endless'))
  const shared = (await platform.holder('calm'))!.pid
  expect((await platform.holder('endless'))!.pid).toBe(shared)
  // It is delivered again when its turn was ended, and ends another one.
  victim.send('x')
  await until('it is alone', async () => {
    const worker = await platform.holder('endless')
    return worker !== undefined && worker.pid !== shared && worker.apps.length === 1
  })
  calm.send('hello')
  expect(await calm.next()).toBe('hello 1')
  expect((await platform.holder('calm'))!.pid).toBe(shared)
  expect((await platform.admin('GET', '/apps/endless/logs?level=error')).text).toContain('turnCpuMs')
  expect((await platform.admin('PUT', '/apps/endless/functions/__websocket__', ECHO)).status).toBe(200)
  victim.send('hello')
  expect(await victim.nextMatching(/^hello/)).toBe('hello 1')
  for (const { ws } of [calm, victim]) ws.terminate()
})
