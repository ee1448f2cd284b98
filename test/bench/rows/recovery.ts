import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { Histogram } from '../load/histogram.ts'
import type { Line, Row } from '../row.ts'
import { pathOf, startSocklet, type AppSpec, type Socklet } from '../servers/server.ts'
import { ECHO } from '../servers/functions.ts'

const APPS = 10
const CONNECTIONS = 1_000
/** A hundredth of the clients send at a time, each of them once a second. */
const SEND_EVERY_MS = 10
const GROUPS = 100
const KILL_EVERY_MS = 1_000
const KILLS = 12
const QUICK_KILLS = 6

/** A client that sends steadily. */
interface Steady {
  readonly appid: string
  readonly ws: WebSocket
  /** When it sent its last message, and has no answer to it; else 0. */
  askedAt: number
}

/** From kill -9 of a worker to the answer to what one of an app's clients sends next, for each app. */
export const recovery: Row = {
  name: 'recovery',
  what: 'a worker is killed every second, under steady traffic',
  takesLong: true,
  run: async ({ quick, rounds, say }): Promise<Line[]> => {
    const appids = Array.from({ length: APPS }, (_, n) => `steady-${n}`)
    const socklet = await startSocklet(Object.fromEntries(appids.map((appid): [string, AppSpec] => [appid, { functions: { __websocket__: ECHO } }])))
    const p50: number[] = []
    const p99: number[] = []
    const clients: Steady[] = []
    while (clients.length < CONNECTIONS) clients.push(...(await Promise.all(appids.map((appid) => connect(socklet, appid)))))
    for (let round = 0; round < rounds; round++) {
      say(`round ${round + 1} of ${rounds}`)
      const times = await killing(socklet, clients, quick ? QUICK_KILLS : KILLS)
      p50.push(times.p50 / 1000)
      p99.push(times.p99 / 1000)
    }
    for (const { ws } of clients) ws.terminate()
    const line = (share: string, values: number[], most: number): Line => ({ measure: `a worker is killed: ${share} of the time to the next answer`, unit: 'ms', socklet: values, reach: { of: 'value', most } })
    return [line('p50', p50, 300), line('p99', p99, 1_000)]
  }
}

async function connect({ port }: Socklet, appid: string): Promise<Steady> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}${pathOf(appid)}`)
  await once(ws, 'open')
  return { appid, ws, askedAt: 0 }
}

/** @throws Error if a connection is lost, or an app stays silent */
async function killing({ platform }: Socklet, clients: Steady[], kills: number): Promise<{ p50: number; p99: number }> {
  const times = new Histogram()
  /** When the worker of an app was killed, until it has answered. */
  const killedAt = new Map<string, number>()
  let lost: string | null = null
  for (const client of clients) {
    client.ws.on('close', (code) => (lost = `a connection was closed with ${code}`))
    client.ws.on('message', () => {
      const at = killedAt.get(client.appid)
      if (at !== undefined && client.askedAt > at) {
        times.record(performance.now() - at)
        killedAt.delete(client.appid)
      }
    })
  }
  let group = 0
  const timer = setInterval(() => {
    group = (group + 1) % GROUPS
    for (let index = group * (clients.length / GROUPS), end = index + clients.length / GROUPS; index < end; index++) {
      clients[index]!.askedAt = performance.now()
      clients[index]!.ws.send('x')
    }
  }, SEND_EVERY_MS)
  for (let kill = 0; kill < kills; kill++) {
    await sleep(KILL_EVERY_MS)
    const { json } = await platform.admin('GET', '/platform')
    const worker = (json.workers as { pid: number; apps: string[] }[]).find(({ apps }) => apps.length > 0)
    if (worker === undefined) continue
    for (const appid of worker.apps) killedAt.set(appid, performance.now())
    process.kill(worker.pid, 'SIGKILL')
  }
  await sleep(KILL_EVERY_MS * 2)
  clearInterval(timer)
  for (const { ws } of clients) ws.removeAllListeners()
  if (lost !== null || killedAt.size > 0) throw new Error(lost ?? `${killedAt.size} apps did not answer again`)
  return times.latency()
}
