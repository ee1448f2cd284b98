import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DATA } from '@socklet/config'
import { Control, FrameType, Link, PROTOCOL_VERSION, SUPERVISED_ENV, type ChildCalls, type SupervisorCalls } from '@socklet/protocol'
import { open, refused } from './support/client.ts'
import { at, routeOf } from './support/platform.ts'
import { FakePool } from './support/pool.ts'
import { until } from './support/until.ts'
import { connectWorker } from './support/worker.ts'

const MAIN = join(import.meta.dirname, '../src/main.ts')

let folder: string
let pool: FakePool
let child: ChildProcess | null
let stderr: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'socklet-gw-'))
  pool = new FakePool(join(folder, DATA.poolSocket))
  child = null
  stderr = ''
})
afterEach(async () => {
  if (child !== null && child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await pool.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Processor time that a process has used (proc(5): the 14th and 15th of its fields, in ticks of 10 ms). */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** Starts main.ts as the supervisor does, and says at which port it listens. */
async function start(files?: number): Promise<{ port: number; control: Control<ChildCalls, SupervisorCalls> }> {
  const args = [process.execPath, MAIN, '--port', '0', '--data', folder]
  const command = files === undefined ? args : ['/bin/sh', '-c', `ulimit -n ${files}; exec "$@"`, 'sh', ...args]
  child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'inherit', 'pipe', 'pipe'], env: { [SUPERVISED_ENV]: '1' } })
  child.stderr!.on('data', (part: Buffer) => {
    stderr += part.toString()
  })
  let port: number | undefined
  const control: Control<ChildCalls, SupervisorCalls> = new Control<ChildCalls, SupervisorCalls>(() => link, {
    ready: (params) => {
      port = params.port
      return null
    }
  })
  const link: Link = new Link(child.stdio[3] as Socket, { onFrame: (bytes, begin, end) => control.onFrame(bytes, begin, end), onClose: () => control.onClose() })
  await until(() => port !== undefined || child!.exitCode !== null, 'ready')
  if (port === undefined) throw new Error(stderr)
  return { port, control }
}

test('lives as a child of the supervisor: ready, platform, stop', async () => {
  const { port, control } = await start()
  await pool.start()
  pool.routes.set('demo', routeOf('demo', 7))
  pool.placements.set(7, at(7, 1, 1))
  await until(() => pool.control !== null)
  const readyz = async (): Promise<number> => (await fetch(`http://127.0.0.1:${port}/readyz`)).status
  expect(await readyz()).toBe(503)
  await control.call('platform', { ready: true, since: Date.now(), restarts: {} })
  await expect.poll(readyz).toBe(200)

  const worker = await connectWorker(join(folder, DATA.gatewaySocket(0)), 1)
  worker.echo()
  const client = await open(`ws://127.0.0.1:${port}/demo`)
  client.ws.send('hello')
  expect(await client.heard(1)).toEqual(['hello'])
  await control.call('stop', { graceMs: 5_000 })
  expect(await client.closed()).toBe(1001)
  expect(worker.log.at(-1)).toBe('CLOSED 1001 the platform is stopping')
  if (child!.exitCode === null) await once(child!, 'exit')
  expect(child!.exitCode).toBe(0)
  expect(stderr).toBe('')
})

test('is not ready without its pool, whatever the supervisor has heard', async () => {
  const { port, control } = await start()
  const readyz = async (): Promise<number> => (await fetch(`http://127.0.0.1:${port}/readyz`)).status
  await control.call('platform', { ready: true, since: Date.now(), restarts: {} })
  expect(await readyz()).toBe(503)
  await pool.start()
  await expect.poll(readyz).toBe(200)
  await pool.stop()
  await expect.poll(readyz).toBe(503)
})

test('says that its pool speaks another version of the protocol, refuses clients meanwhile, and goes on when it is the same', { timeout: 30_000 }, async () => {
  const { port, control } = await start()
  await control.call('platform', { ready: true, since: Date.now(), restarts: {} })
  pool.version = 99
  pool.routes.set('demo', routeOf('demo', 7))
  pool.placements.set(7, at(7, 1, 1))
  await pool.start()
  await until(() => pool.hellos >= 3, 'it tries again')
  expect(stderr).toContain('gateway: the pool does not take this gateway: the pool speaks version 99, not 1')
  const readyz = async (): Promise<number> => (await fetch(`http://127.0.0.1:${port}/readyz`)).status
  expect(await readyz()).toBe(503)
  expect(await refused(`ws://127.0.0.1:${port}/demo`)).toMatchObject({ status: 503, code: 'unavailable' })
  pool.version = PROTOCOL_VERSION
  await expect.poll(readyz).toBe(200)
  const worker = await connectWorker(join(folder, DATA.gatewaySocket(0)), 1)
  worker.echo()
  const client = await open(`ws://127.0.0.1:${port}/demo`)
  client.ws.send('hello')
  expect(await client.heard(1)).toEqual(['hello'])
})

/** A gateway that may have so many descriptors, with an app that echoes and a client of it. */
async function startWithClient(descriptors: number) {
  const { port } = await start(descriptors)
  await pool.start()
  pool.routes.set('demo', routeOf('demo', 7))
  pool.placements.set(7, at(7, 1, 1))
  await until(() => pool.control !== null)
  const worker = await connectWorker(join(folder, DATA.gatewaySocket(0)), 1)
  worker.echo()
  const client = await open(`ws://127.0.0.1:${port}/demo`)
  return { port, worker, client }
}

test('when descriptors run out, connections are refused, and those who are connected go on', async () => {
  const { port, worker, client } = await startWithClient(110)
  const sockets = Array.from({ length: 300 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  await until(() => sockets.filter((socket) => socket.closed).length > 100)
  client.ws.send('hello')
  expect(await client.heard(1)).toEqual(['hello'])
  for (const socket of sockets) socket.destroy()
  await expect.poll(async () => (await open(`ws://127.0.0.1:${port}/demo`)).ws.readyState).toBe(1)
  await worker.got(FrameType.OPEN, 1)
})

/** The system itself says EMFILE: what the gateway holds back for such a case is taken from it. */
test.runIf(existsSync('/usr/bin/prlimit'))('when the system has no more descriptors, the gateway goes on, and recovers', async () => {
  const { port, worker, client } = await startWithClient(400)
  const descriptors = (): number => readdirSync(`/proc/${child!.pid}/fd`).length
  execFileSync('prlimit', ['--pid', String(child!.pid), `--nofile=${descriptors() + 10}:400`])
  const sockets = Array.from({ length: 100 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  await until(() => sockets.filter((socket) => socket.closed).length >= 80)
  // It waits for descriptors and does not spin: more clients knock all the while.
  const [cpu, began] = [cpuMs(child!.pid!), performance.now()]
  for (let n = 1; n <= 100; n++) {
    sockets.push(connect(port, '127.0.0.1').on('error', () => {}))
    client.ws.send(`still ${n}`)
    expect((await client.heard(n)).at(-1)).toBe(`still ${n}`)
    await sleep(10)
  }
  expect(cpuMs(child!.pid!) - cpu).toBeLessThan((performance.now() - began) / 2)
  expect(sockets.filter((socket) => !socket.closed).length).toBeLessThan(20)
  expect(await pool.control!.call('traffic', { app: 7 })).toMatchObject({ 7: { connections: 1 } })
  for (const socket of sockets) socket.destroy()
  await expect.poll(async () => (await open(`ws://127.0.0.1:${port}/demo`)).ws.readyState).toBe(1)
  await worker.got(FrameType.OPEN, 1)
  expect(child!.exitCode).toBeNull()
})

test('a socket file that a killed gateway has left is no obstacle', async () => {
  await start()
  child!.kill('SIGKILL')
  await once(child!, 'exit')
  const { port } = await start()
  await pool.start()
  await until(() => pool.control !== null)
  expect(await refused(`ws://127.0.0.1:${port}/nobody`)).toMatchObject({ status: 404, code: 'app_not_found' })
  await connectWorker(join(folder, DATA.gatewaySocket(0)), 1)
})
