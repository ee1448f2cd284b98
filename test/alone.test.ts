import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect, type Client } from './support/client.ts'
import { cpuMs } from './support/cpu.ts'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'

/**
 * An app that is alone in its worker has its turns on the worker's own thread, once they have been short for long. Then nothing in that
 * process can end a turn, and nobody else can come in.
 */
let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ args: ['--workers', '1'] })
})
afterAll(() => platform.close())

const ECHO_OR_SPIN = `
  export function main({ method, params, socket }) {
    if (method !== 'WebSocket:message') return
    const text = params.data.toString()
    if (text === 'spin') for (;;) {}
    socket.send(text)
  }`

const ENDED = '(limit turnCpuMs)'
/** Half of turnCpuMs: on another thread the turn would be ended at twice that, and this one does next to nothing meanwhile. */
const SPINS_FROM_MS = 500

async function logOf(appid: string): Promise<string> {
  const { json } = await platform.admin('GET', `/apps/${appid}/logs`)
  return json.items.map(({ message }: { message: string }) => message).join('\n')
}

/** One whose turns have been short for long, by itself in a worker, begins one that never ends. Returns the worker's process, and whether it is the thread of that which spins. */
async function spin(appid: string): Promise<{ spinner: Client; pid: number; here: boolean }> {
  await platform.app(appid, { __websocket__: ECHO_OR_SPIN })
  const spinner = await connect(platform.url(appid))
  for (let n = 0; n < 500; n++) {
    spinner.send(String(n))
    expect(await spinner.next()).toBe(String(n))
  }
  const { pid } = (await platform.holder(appid))!
  const before = cpuMs(pid, pid)
  spinner.send('spin')
  for (let n = 0; n < 100; n++) spinner.send(`after ${n}`)
  const where = await until('the turn spins on that thread, or is ended on another', async () => (cpuMs(pid, pid) - before > SPINS_FROM_MS ? 'here' : (await logOf(appid)).includes(ENDED) && 'elsewhere'))
  return { spinner, pid, here: where === 'here' }
}

/** Where this machine was too busy for turns to be short, the turn runs elsewhere and ends at its limit, in the same process: then once more. */
async function spinOnTheWorkersThread(round = 1): Promise<{ appid: string; spinner: Client; pid: number }> {
  const appid = `spinner-${round}`
  const spinning = await spin(appid)
  if (spinning.here) return { appid, ...spinning }
  if (round === 5) throw new Error('no turn ran on the thread of its worker')
  await platform.admin('DELETE', `/apps/${appid}`)
  return spinOnTheWorkersThread(round + 1)
}

it('a turn without end on the thread of the worker keeps no other app out, costs no message, and is known in the end', { timeout: 120_000 }, async () => {
  const newcomers = ['other', 'another', 'a-third']
  for (const name of newcomers) await platform.app(name, { __websocket__: ECHO_OR_SPIN })
  const { appid, spinner, pid } = await spinOnTheWorkersThread()

  const others = await Promise.all(newcomers.map((name) => connect(platform.url(name))))
  for (const other of others) {
    other.send('hello')
    expect(await other.next()).toBe('hello')
  }
  // It was not the death of the one that spins for which they waited.
  expect((await platform.holder(appid))!.pid).toBe(pid)
  for (const name of newcomers) expect((await platform.holder(name))!.pid).not.toBe(pid)

  for (let n = 0; n < 100; n++) expect(await spinner.next()).toBe(`after ${n}`)
  expect((await platform.holder(appid))!.pid).not.toBe(pid)
  const log = await logOf(appid)
  expect(log).toContain(ENDED)
  expect(log).toContain('was running when the process of the app died, again: it is dropped')
  await Promise.all([spinner, ...others].map((client) => client.close()))
})
