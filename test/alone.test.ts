import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect } from './support/client.ts'
import { startPlatform, type Platform } from './support/platform.ts'

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

interface Worker {
  pid: number
  apps: string[]
}

async function holder(appid: string): Promise<Worker | undefined> {
  const workers: Worker[] = (await platform.admin('GET', '/platform')).json.workers
  return workers.find(({ apps }) => apps.includes(appid))
}

it('a turn without end on the thread of the worker keeps no other app out, costs no message, and is known in the end', { timeout: 60_000 }, async () => {
  await platform.app('spinner', { __websocket__: ECHO_OR_SPIN })
  await platform.app('other', { __websocket__: ECHO_OR_SPIN })
  const spinner = await connect(platform.url('spinner'))
  for (let n = 0; n < 200; n++) {
    spinner.send(String(n))
    expect(await spinner.next()).toBe(String(n))
  }
  const before = (await holder('spinner'))!
  spinner.send('spin')
  for (let n = 0; n < 100; n++) spinner.send(`after ${n}`)

  const other = await connect(platform.url('other'))
  other.send('hello')
  expect(await other.next()).toBe('hello')
  // It was not the death of the one that spins for which this one waited.
  expect((await holder('spinner'))!.pid).toBe(before.pid)
  expect((await holder('other'))!.pid).not.toBe(before.pid)

  for (let n = 0; n < 100; n++) expect(await spinner.next()).toBe(`after ${n}`)
  expect((await holder('spinner'))!.pid).not.toBe(before.pid)
  const { json } = await platform.admin('GET', '/apps/spinner/logs')
  const messages: string[] = json.items.map(({ message }: { message: string }) => message)
  expect(messages.join('\n')).toContain('(limit turnCpuMs)')
  expect(messages.join('\n')).toContain('was running when the process of the app died, again: it is dropped')
  await Promise.all([spinner.close(), other.close()])
})
