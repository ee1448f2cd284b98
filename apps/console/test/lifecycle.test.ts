import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CallError } from '@socklet/protocol'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { appUrls } from '../src/app-url.ts'
import { publishDemo } from '../src/publish/demo.ts'
import type { Publisher } from '../src/publish/publisher.ts'
import { FakePool, entry } from './fake-pool.ts'
import { ADMIN, harness, until } from './harness.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const folders: string[] = []
const children: ChildProcess[] = []
afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'socklet-console-'))
  folders.push(folder)
  return folder
}

function start(args: string[], env: Record<string, string>): { child: ChildProcess; errors: () => string } {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
  children.push(child)
  let errors = ''
  child.stderr!.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  return { child, errors: () => errors }
}

describe('the process', () => {
  test('refuses to start without an admin token, and says what to do', async () => {
    const { child, errors } = start(['--data', await temporary()], {})
    expect((await once(child, 'exit'))[0]).toBe(1)
    expect(errors()).toContain('SOCKLET_ADMIN_TOKEN')
    expect(errors().trim().split('\n')).toHaveLength(1)
  })

  test('says in one line that its port is in use', async () => {
    const h = await harness()
    const { child, errors } = start(['--data', await temporary(), '--console-port', String(h.console.port)], { SOCKLET_ADMIN_TOKEN: ADMIN })
    expect((await once(child, 'exit'))[0]).toBe(1)
    expect(errors()).toBe(`console: cannot start: port ${h.console.port} of 127.0.0.1 is in use: give another one with --console-port (SOCKLET_CONSOLE_PORT)\n`)
    await h.stop()
  })

  test('starts alone, finds a pool that comes later, and stops on SIGTERM', async () => {
    const data = await temporary()
    const { child, errors } = start(['--data', data, '--console-port', '0', '--no-demo'], { SOCKLET_ADMIN_TOKEN: ADMIN })
    await until(() => errors().includes('listening'))
    const base = `http://${/listening on (\S+)/.exec(errors())![1]}`
    expect((await fetch(`${base}/healthz`)).status).toBe(200)
    expect((await fetch(`${base}/readyz`)).status).toBe(503)
    const pool = new FakePool(join(data, 'run/pool.sock'))
    await pool.start()
    await until(async () => (await fetch(`${base}/readyz`)).status === 200)
    const headers = { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' }
    expect((await fetch(`${base}/v1/apps`, { method: 'POST', headers, body: '{"appid":"chat"}' })).status).toBe(201)
    expect((await fetch(`${base}/v1/apps/chat/functions/f`, { method: 'PUT', headers, body: '{"code":"export default 1"}' })).status).toBe(201)
    const stream = await fetch(`${base}/v1/apps/chat/logs`, { headers: { ...headers, accept: 'text/event-stream' } })
    child.kill('SIGTERM')
    expect((await once(child, 'exit'))[0]).toBe(0)
    expect(await stream.text()).toContain(': hello')
    await pool.stop()
  })
})

test('stopping ends streams, and lets a request that is under way finish', async () => {
  const h = await harness()
  await h.app('chat')
  h.pool.entries = [entry(1)]
  h.pool.override.logs = async () => {
    await new Promise((resolve) => setTimeout(resolve, 100))
    return { items: h.pool.entries }
  }
  const stream = await fetch(`${h.base}/v1/apps/chat/logs`, { headers: { accept: 'text/event-stream', authorization: `Bearer ${ADMIN}` } })
  const slow = h.ask('GET', '/v1/apps/chat/logs')
  await until(() => h.pool.called('logs').length === 1)
  const stopped = h.stop()
  expect((await slow).status).toBe(200)
  expect(await stream.text()).toBe(': hello\n\n')
  await stopped
  await expect(fetch(h.base)).rejects.toThrow()
})

test('under a supervisor, the console is ready when it is told that the platform is', async () => {
  const h = await harness({ supervised: true })
  expect((await h.ask('GET', '/readyz')).status).toBe(503)
  h.console.setPlatform({ ready: true, since: Date.now(), restarts: {} })
  expect((await h.ask('GET', '/readyz')).status).toBe(200)
  h.console.setPlatform({ ready: false, since: Date.now(), restarts: {} })
  expect((await h.ask('GET', '/readyz')).status).toBe(503)
  await h.stop()
})

test('a pool that speaks another version of the protocol is told to the operator; what needs it gets 503, until there is one of the same', async () => {
  const h = await harness({ supervised: true })
  h.console.setPlatform({ ready: true, since: Date.now(), restarts: {} })
  await h.app('chat')
  await h.pool.stop()
  const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  onTestFinished(() => told.mockRestore())
  h.pool.override.hello = ({ version }) => {
    throw new CallError('version', `the pool speaks version 99, not ${version}`)
  }
  await h.pool.start()
  await until(() => told.mock.calls.some(([text]) => String(text).startsWith('console: the pool refuses the console: CallError: the pool speaks version 99, not 1')))
  expect(await h.ask('GET', '/v1/apps/chat/stats')).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } })
  h.pool.override = {}
  await until(async () => (await h.ask('GET', '/v1/apps/chat/stats')).status === 200)
  await h.stop()
})

describe('the sample app', () => {
  const makeFolder = async (): Promise<string> => {
    const folder = await temporary()
    await writeFile(join(folder, '__websocket__.ts'), "import { hello } from './hello'\nexport const main = async (ctx: any) => ctx.socket?.send(hello)")
    await writeFile(join(folder, 'hello.ts'), "export const hello: string = 'hello'")
    await writeFile(join(folder, 'types.d.ts'), 'export {}')
    await writeFile(join(folder, 'README.md'), 'x')
    await mkdir(join(folder, 'dir'))
    return folder
  }

  test('is published at the first start, and not again when it was deleted', async () => {
    const demoFolder = await makeFolder()
    const h = await harness({ demo: true, demoFolder })
    const { body } = await h.ask('GET', '/v1/apps/demo/functions')
    expect(body.items).toMatchObject([{ name: '__websocket__', version: 1 }, { name: 'hello' }])
    expect(h.pool.called('appChanged')).toEqual([{ appid: 'demo' }])
    await h.ask('DELETE', '/v1/apps/demo')
    await publishDemo(h.catalog, {} as Publisher, demoFolder)
    expect((await h.ask('GET', '/v1/apps/demo')).status).toBe(404)
    await h.stop()
  })

  test('that comes with the project compiles', async () => {
    const h = await harness({ demo: true })
    expect((await h.ask('GET', '/v1/apps/demo/functions/__websocket__')).status).toBe(200)
    await h.stop()
  })

  test('leaves an app of that name alone', async () => {
    const demoFolder = await makeFolder()
    const h = await harness()
    await h.app('demo')
    await publishDemo(h.catalog, {} as Publisher, demoFolder)
    expect((await h.ask('GET', '/v1/apps/demo/functions')).body.items).toEqual([])
    expect(await h.catalog.getSetting('demo')).toBe('published')
    await h.stop()
  })

  test('is published by the next start when the first one was cut short', async () => {
    const demoFolder = await makeFolder()
    const h = await harness()
    await expect(publishDemo(h.catalog, { publish: () => Promise.reject(new Error('cut short')) } as unknown as Publisher, demoFolder)).resolves.toBe(undefined)
    let published = 0
    await publishDemo(h.catalog, { publish: async () => void published++ } as unknown as Publisher, demoFolder)
    expect(published).toBe(1)
    expect(await h.catalog.getSetting('demo')).toBe('published')
    await h.stop()
  })

  test('that is missing keeps nothing from starting', async () => {
    const h = await harness({ demo: true, demoFolder: '/nowhere' })
    expect((await h.ask('GET', '/readyz')).status).toBe(200)
    await h.stop()
  })
})

test('where clients reach an app', () => {
  expect(appUrls({ domain: 'example.com', host: '0.0.0.0', port: 80 })('chat')).toBe('wss://chat.example.com/__websocket__')
  expect(appUrls({ domain: 'localhost', host: '127.0.0.1', port: 8080 })('chat')).toBe('ws://127.0.0.1:8080/chat/__websocket__')
  expect(appUrls({ domain: 'localhost', host: '0.0.0.0', port: 8080 })('chat')).toBe('ws://localhost:8080/chat/__websocket__')
  expect(appUrls({ domain: 'localhost', host: '::1', port: 8080 })('chat')).toBe('ws://[::1]:8080/chat/__websocket__')
  expect(appUrls({ domain: 'localhost', host: '127.0.0.1', port: 0 })('chat')).toBe(undefined)
})
