import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from './support/client.ts'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform()
})
afterAll(() => platform.close())

/** Answers with the number of the message, late, so that some are always under way. */
const SLOW_ECHO = `
  export async function main(ctx) {
    if (ctx.method !== 'WebSocket:message') return
    const text = ctx.params.data.toString()
    await new Promise((resolve) => setTimeout(resolve, 5))
    ctx.socket.send(text + ' ' + ctx.requestId + (ctx.redelivered ? ' again' : ''))
  }`

describe('a worker that is killed', () => {
  it('closes no connection, and every message is answered, in order', async () => {
    await platform.app('killed', { __websocket__: SLOW_ECHO })
    const client = await connect(platform.url('killed'))
    const answers: string[] = []
    client.ws.on('message', (data) => answers.push(String(data)))
    let sent = 0
    const sending = setInterval(() => client.send(String(sent++)), 2)
    const killed = new Set<number>()
    for (let kill = 0; kill < 3; kill++) {
      const before = answers.length
      await until('answers come', () => answers.length > before + 20)
      const holder = await until('a worker holds the app', async () => (await platform.processes('worker')).find((worker) => worker.apps.includes('killed') && !killed.has(worker.pid)))
      process.kill(holder.pid, 'SIGKILL')
      // It is listed until its end is known.
      killed.add(holder.pid)
    }
    clearInterval(sending)
    await until('the last message is answered', () => answers.some((answer) => answer.startsWith(`${sent - 1} `)))
    const numbers = answers.map((answer) => Number(answer.split(' ')[0]))
    expect([...new Set(numbers)].toSorted((a, b) => a - b)).toEqual(Array.from({ length: sent }, (_, index) => index))
    const firsts = numbers.filter((number, index) => numbers.indexOf(number) === index)
    expect(firsts).toEqual(firsts.toSorted((a, b) => a - b))
    const requestIds = new Map<string, Set<string>>()
    for (const answer of answers) {
      const [number, requestId] = answer.split(' ') as [string, string]
      requestIds.set(number, (requestIds.get(number) ?? new Set()).add(requestId))
    }
    expect([...requestIds.values()].filter((ids) => ids.size !== 1)).toEqual([])
    expect(client.ws.readyState).toBe(client.ws.OPEN)
    await client.close()
  })
})

describe('an endless loop', () => {
  it('is ended, named in the log, dropped after two deaths, and the connection goes on', async () => {
    await platform.app('loop', {
      __websocket__: `export function main(ctx) { const text = String(ctx.params?.data ?? ''); if (text === 'loop') for (;;) {} ; if (text) ctx.socket.send(text) }`
    })
    await platform.admin('PATCH', '/apps/loop', { limits: { turnCpuMs: 100 } })
    const client = await connect(platform.url('loop'))
    client.send('before')
    expect(await client.next()).toBe('before')
    client.send('loop')
    client.send('after')
    expect(await client.next()).toBe('after')
    const items = await until('the log tells', async () => {
      const { json } = await platform.admin('GET', '/apps/loop/logs?level=error')
      return json.items.length >= 3 && json.items
    })
    const text = items.map((item: { message: string }) => item.message).join('\n')
    expect(text).toMatch(/more than 100 ms of CPU/)
    expect(text).toMatch(/dropped/)
    await client.close()
  })

  it('in one app does not keep another in the same worker from answering', async () => {
    await platform.app('noisy', { __websocket__: `export function main(ctx) { if (ctx.method === 'WebSocket:message') for (;;) {} }` })
    await platform.app('quiet', { __websocket__: SLOW_ECHO })
    const noisy = await connect(platform.url('noisy'))
    const quiet = await connect(platform.url('quiet'))
    noisy.send('loop')
    for (let i = 0; i < 20; i++) {
      quiet.send(String(i))
      expect(await quiet.next(5_000)).toMatch(new RegExp(`^${i} `))
    }
    await quiet.close()
    await noisy.close()
  })
})

describe('an app that takes all memory', () => {
  it('is ended, also where that takes its worker along, and other apps go on', async () => {
    await platform.app('greedy', { __websocket__: `const all = []; export function main(ctx) { if (ctx.method === 'WebSocket:message') for (;;) all.push(new Array(1000).fill({})) }` })
    await platform.app('modest', { __websocket__: SLOW_ECHO })
    const greedy = await connect(platform.url('greedy'))
    const modest = await connect(platform.url('modest'))
    greedy.send('go')
    await until('the log of the app tells', async () => (await platform.admin('GET', '/apps/greedy/logs?level=error')).json.items.length > 0)
    modest.send('hi')
    expect(await modest.next()).toMatch(/^hi/)
    expect(greedy.ws.readyState).toBe(greedy.ws.OPEN)
    await greedy.close()
    await modest.close()
  })
})

describe('a process of the platform that is killed', () => {
  it('the pool comes back, connections stay, and messages are answered', async () => {
    await platform.app('pool', { __websocket__: SLOW_ECHO })
    const client = await connect(platform.url('pool'))
    client.send('before')
    expect(await client.next()).toMatch(/^before/)
    process.kill((await platform.processes('pool'))[0]!.pid, 'SIGKILL')
    client.send('during')
    expect(await client.next()).toMatch(/^during/)
    await until('the platform is ready again', async () => (await fetch(`${platform.gateway}/readyz`)).status === 200)
    await client.close()
  })

  it('the gateway comes back on its port', async () => {
    await platform.app('gate', { __websocket__: SLOW_ECHO })
    const client = await connect(platform.url('gate'))
    process.kill((await platform.processes('gateway'))[0]!.pid, 'SIGKILL')
    await client.closed
    const again = await until('clients can connect again', () => connect(platform.url('gate')).catch(() => null))
    again.send('hi')
    expect(await again.next()).toMatch(/^hi/)
    await again.close()
  })
})

describe('the supervisor that is killed', () => {
  it('leaves no process behind', async () => {
    const other = await startPlatform()
    await other.app('orphan', { __websocket__: SLOW_ECHO })
    const client = await connect(other.url('orphan'))
    const pids = (await other.processes()).map(({ pid }) => pid)
    expect(pids.length).toBeGreaterThanOrEqual(4)
    await other.kill()
    await client.closed
    await until('all processes are gone', () => pids.every((pid) => !isAlive(pid)))
    await other.close()
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
