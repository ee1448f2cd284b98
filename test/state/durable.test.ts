import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { connect } from '../support/client.ts'
import { LONG } from '../support/long.ts'
import { startPlatform, type Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'

let data: string
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'socklet-test-'))
})
afterAll(() => rm(data, { recursive: true, force: true }))

const KEEPER = `
  import cloud from '@lafjs/cloud'
  export async function main({ method, params, socket }) {
    if (method === 'WebSocket:close') cloud.shared.set('closed', (cloud.shared.get('closed') ?? 0) + 1)
    if (method !== 'WebSocket:message') return
    const { n } = JSON.parse(params.data.toString())
    globalThis.kept ??= []
    if (!cloud.shared.has('kept')) cloud.shared.set('kept', globalThis.kept)
    cloud.shared.set('n', n)
    cloud.shared.set('map', (cloud.shared.get('map') ?? new Map()).set(n, { n, socket }))
    socket.send(String(n))
    // Through a reference, when the turn is over: found by the sweep, or when the isolate is put away.
    if (n === 99) setTimeout(() => globalThis.kept.push('late'), 20)
  }`

const READER = `
  import cloud from '@lafjs/cloud'
  export default async () => ({ n: cloud.shared.get('n'), size: cloud.shared.get('map')?.size, last: cloud.shared.get('map')?.get(99), kept: cloud.shared.get('kept'), closed: cloud.shared.get('closed'), sockets: cloud.sockets.size,
    states: [...new Set([...(cloud.shared.get('map')?.values() ?? [])].map(({ socket }) => socket.readyState))] })`

async function fill(platform: Platform): Promise<void> {
  const client = await connect(platform.url('keeper'))
  for (let n = 0; n < 100; n++) {
    client.send(JSON.stringify({ n }))
    expect(await client.next()).toBe(String(n))
  }
}

it('SIGTERM persists everything, the close events of its clients and late changes as well', async () => {
  const first = await startPlatform({ data })
  await first.app('keeper', { __websocket__: KEEPER, read: READER })
  await fill(first)
  const late = new Promise((resolve) => setTimeout(resolve, 60))
  await late
  expect(await first.stop()).toBe(0)
  const second = await startPlatform({ data })
  expect((await second.request('keeper', '/read')).json).toEqual({ n: 99, size: 100, last: { n: 99, socket: expect.anything() }, kept: ['late'], closed: 1, sockets: 0, states: [3] })
  await second.close()
})

it('kill -9 of everything loses nothing that a client has seen, and the files open again, time after time', { timeout: 120_000 }, async () => {
  for (let round = 1; round <= (LONG ? 5 : 2); round++) {
    const platform = await startPlatform({ data })
    const pids = (await platform.processes()).map(({ pid }) => pid)
    const client = await connect(platform.url('keeper'))
    let sent = 0
    let answered = 0
    client.ws.on('message', (text) => (answered = Number(String(text))))
    const sending = setInterval(() => {
      for (let i = 0; i < 5; i++) client.ws.send(JSON.stringify({ n: round * 100_000 + ++sent }))
    }, 2)
    await until('some are answered', () => answered > round * 100_000 + 200)
    // At once, and whoever has gone with its parent meanwhile is no error.
    spawnSync('kill', ['-9', ...[platform.pid, ...pids].map(String)])
    clearInterval(sending)
    client.ws.terminate()
    const known = answered
    await until('all are gone', () => spawnSync('ps', ['-p', [platform.pid, ...pids].join(), '-o', 'stat=']).stdout.toString().trim().split('\n').every((state) => state === '' || state.startsWith('Z')))
    const after = await startPlatform({ data })
    const { n } = (await after.request('keeper', '/read')).json
    expect(n).toBeGreaterThanOrEqual(known)
    expect(n).toBeLessThanOrEqual(round * 100_000 + sent)
    await after.stop()
  }
})

it('an app whose values cannot be read is refused, and has them when they can be read again', { timeout: 60_000 }, async () => {
  const platform = await startPlatform()
  onTestFinished(() => platform.close())
  await platform.app('keeper', { __websocket__: KEEPER, read: READER })
  await platform.admin('PATCH', '/apps/keeper', { limits: { idleMs: 200 } })
  const client = await connect(platform.url('keeper'))
  client.send(JSON.stringify({ n: 7 }))
  expect(await client.next()).toBe('7')
  await client.close()
  await until('it is put away', async () => (await platform.holder('keeper')) === undefined)
  // Who opens an app writes its lease.
  const other = new DatabaseSync(join(platform.data, 'shared.db'))
  other.exec('BEGIN IMMEDIATE')
  await expect(connect(platform.url('keeper'))).rejects.toThrow('503')
  expect(await platform.holder('keeper')).toBeUndefined()
  other.exec('ROLLBACK')
  other.close()
  expect((await platform.request('keeper', '/read')).json).toMatchObject({ n: 7, size: 1 })
  expect((await platform.processes('worker')).filter(({ apps }) => apps.includes('keeper'))).toHaveLength(1)
})
