import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { Histogram } from '../load/histogram.ts'
import type { Line, Row } from '../row.ts'
import { pathOf, startSocklet, type AppSpec, type Socklet } from '../servers/server.ts'
import { ECHO } from '../servers/functions.ts'

const APPS = 10
const CONNECTIONS = 100
const SEND_EVERY_MS = 50
const KILL_EVERY_MS = 1_000
const KILLS = 12
const QUICK_KILLS = 6

/** A client that sends numbers steadily. */
interface Steady {
  readonly appid: string
  readonly ws: WebSocket
  sent: number
  /** When its worker was killed, and the first number that was sent after that. null once that was answered. */
  killed: { at: number; number: number } | null
}

/** From kill -9 of a worker to the answer to what a client of it sends next. */
export const recovery: Row = {
  name: 'recovery',
  what: 'a worker is killed every second, under steady traffic',
  takesLong: true,
  run: async ({ quick, rounds, say }): Promise<Line[]> => {
    const appids = Array.from({ length: APPS }, (_, n) => `steady-${n}`)
    const socklet = await startSocklet(Object.fromEntries(appids.map((appid): [string, AppSpec] => [appid, { functions: { __websocket__: ECHO } }])))
    const p50: number[] = []
    const p99: number[] = []
    const clients = await Promise.all(Array.from({ length: CONNECTIONS }, (_, n) => connect(socklet, appids[n % APPS]!)))
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
  return { appid, ws, sent: 0, killed: null }
}

/** @throws Error if a connection is lost, or an app stays silent */
async function killing({ platform }: Socklet, clients: Steady[], kills: number): Promise<{ p50: number; p99: number }> {
  const times = new Histogram()
  let lost: string | null = null
  for (const client of clients) {
    client.ws.on('close', (code) => (lost = `a connection was closed with ${code}`))
    client.ws.on('message', (data) => {
      if (client.killed === null || Number(String(data)) < client.killed.number) return
      times.record(performance.now() - client.killed.at)
      client.killed = null
    })
  }
  const timer = setInterval(() => {
    for (const client of clients) client.ws.send(String(client.sent++))
  }, SEND_EVERY_MS)
  for (let kill = 0; kill < kills; kill++) {
    await sleep(KILL_EVERY_MS)
    const { json } = await platform.admin('GET', '/platform')
    const worker = (json.workers as { pid: number; apps: string[] }[]).find(({ apps }) => apps.length > 0)!
    for (const client of clients) if (worker.apps.includes(client.appid)) client.killed = { at: performance.now(), number: client.sent }
    process.kill(worker.pid, 'SIGKILL')
  }
  await sleep(KILL_EVERY_MS * 2)
  clearInterval(timer)
  for (const { ws } of clients) ws.removeAllListeners()
  const silent = clients.filter(({ killed }) => killed !== null).length
  if (lost !== null || silent > 0) throw new Error(lost ?? `${silent} clients were not answered again`)
  return times.latency()
}
