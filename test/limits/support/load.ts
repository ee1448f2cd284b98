import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../support/client.ts'
import { startPlatform, type Platform, type PlatformOptions } from '../../support/platform.ts'

export const ECHO = `export function main(ctx) { if (ctx.method === 'WebSocket:message') ctx.socket.send(ctx.params.isBinary ? ctx.params.data : ctx.params.data.toString()) }`

const MiB = 1024 * 1024
const NEIGHBOUR = 'neighbour'
/** A neighbour that waits so long was kept from its turns. The machines are noisy: how fast it is otherwise is no matter of a test. */
const SANE_P99_MS = 5_000
const PAUSE_MS = 5

/** A platform on which another app answers all the time. */
export async function startWithNeighbour(options: PlatformOptions = {}): Promise<Platform> {
  const platform = await startPlatform(options)
  await platform.app(NEIGHBOUR, { __websocket__: ECHO })
  return platform
}

/** An app with these limits. */
export async function appWith(platform: Platform, appid: string, limits: Record<string, number>, functions: Record<string, string> = { __websocket__: ECHO }): Promise<void> {
  await platform.app(appid, functions)
  const { status, text } = await platform.admin('PATCH', `/apps/${appid}`, { limits })
  if (status !== 200) throw new Error(`limits were not set: ${text}`)
}

export interface Toll {
  /** Milliseconds of the neighbour's echo: the worst of a hundred is not counted. */
  p99: number
  echoes: number
  /** MiB that the platform's processes have grown, together. */
  grownMiB: number
}

/** Runs something, and says what it cost others meanwhile. */
export async function tollOf(platform: Platform, run: () => Promise<void>): Promise<Toll> {
  const neighbour = await connect(platform.url(NEIGHBOUR))
  const before = await rssBytes(platform)
  const times: number[] = []
  const over = new AbortController()
  const probing = (async () => {
    while (!over.signal.aborted || times.length < 20) {
      const start = performance.now()
      neighbour.send('x')
      await neighbour.next()
      times.push(performance.now() - start)
      await sleep(PAUSE_MS)
    }
  })()
  let peak = before
  const watching = (async () => {
    while (!over.signal.aborted) {
      peak = Math.max(peak, await rssBytes(platform))
      await sleep(100)
    }
  })()
  try {
    await run()
  } finally {
    over.abort()
    await Promise.all([probing, watching])
    await neighbour.close()
  }
  times.sort((a, b) => a - b)
  return { p99: times[Math.floor(times.length * 0.99)]!, echoes: times.length, grownMiB: (peak - before) / MiB }
}

/** @throws Error if others had to wait, or memory grew beyond this. */
export function expectBounded({ p99, grownMiB }: Toll, maxMiB: number): void {
  if (p99 > SANE_P99_MS) throw new Error(`the neighbour's p99 was ${p99.toFixed(0)} ms`)
  if (grownMiB > maxMiB) throw new Error(`the platform grew by ${grownMiB.toFixed(0)} MiB, more than ${maxMiB}`)
}

/** No tenant's code is in the others, and one of them may start just now. */
const UNTOUCHED = new Set(['console', 'spare', 'trial'])

async function rssBytes(platform: Platform): Promise<number> {
  return (await platform.processes()).filter(({ kind }) => !UNTOUCHED.has(kind)).reduce((sum, { rssBytes: bytes }) => sum + bytes, 0)
}

export interface LogItem {
  level: string
  message: string
  function: string
  requestId: string
}

/** The app's log, oldest first. */
export async function logOf(platform: Platform, appid: string, query = ''): Promise<LogItem[]> {
  const { json } = await platform.admin('GET', `/apps/${appid}/logs?limit=1000${query}`)
  return json.items.toReversed()
}
