import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startPlatform, type Platform } from '../../support/platform.ts'
import { startChild } from '../child.ts'
import { own } from '../owned.ts'

const START_TIMEOUT_MS = 20_000
const ASLEEP_CHECK_MS = 100

/** A server under test, in processes of its own, which are ended when the benchmark is over (owned.ts). */
export interface Server {
  readonly port: number
  /** Its process, or the one that has started the others. */
  readonly pid: number
  /** Where it is asked to echo, or whatever it was started for. */
  readonly paths: string[]
}

export interface Socklet extends Server {
  readonly platform: Platform
}

export interface AppSpec {
  functions: Record<string, string>
  limits?: Record<string, number>
}

/** A bare `ws` server. It knows the paths /echo and /broadcast. */
export async function startWs(): Promise<Server> {
  const child = startChild<{ port: number }>(new URL('ws-main.ts', import.meta.url), [])
  const { port } = await child.line(START_TIMEOUT_MS)
  return { port, pid: child.pid, paths: ['/echo'] }
}

/** What an isolate in a second process costs, and nothing else (floor-main.ts). It knows the paths /echo, /broadcast, and /0, /1… for isolates of their own. */
export async function startFloor(args: string[] = []): Promise<Server> {
  const child = startChild<{ port: number }>(new URL('floor-main.ts', import.meta.url), args)
  const { port } = await child.line(START_TIMEOUT_MS)
  return { port, pid: child.pid, paths: ['/echo'] }
}

/** The whole platform as `npm start` runs it, all options at their defaults but for `args`, with these apps; the paths are theirs, in the same order. */
export async function startSocklet(apps: Record<string, AppSpec>, args: string[] = []): Promise<Socklet> {
  const platform = await startOwnPlatform(args)
  for (const [appid, spec] of Object.entries(apps)) await addApp(platform, appid, spec)
  return { platform, port: platform.gatewayPort, pid: platform.pid, paths: Object.keys(apps).map(pathOf) }
}

async function startOwnPlatform(args: string[]): Promise<Platform> {
  // Not in platform.ts's own folder: it has to go away on a signal too.
  const data = await mkdtemp(join(tmpdir(), 'socklet-bench-'))
  let starting: Promise<Platform> | null = null
  own(async () => {
    // One that does not come up has ended.
    await starting?.then((platform) => platform.stop(), () => {})
    rmSync(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  })
  starting = startPlatform({ data, args })
  return starting
}

export function pathOf(appid: string): string {
  return `/${appid}/__websocket__`
}

export async function addApp(platform: Platform, appid: string, { functions, limits }: AppSpec): Promise<void> {
  await platform.app(appid, functions)
  if (limits === undefined) return
  const { status, text } = await platform.admin('PATCH', `/apps/${appid}`, { limits })
  if (status !== 200) throw new Error(`the limits of ${appid} were not set: ${text}`)
}

/** Settles when these apps, or all of them, are put away. @throws Error if one is not after so long */
export async function untilAsleep(platform: Platform, timeoutMs: number, appids?: string[]): Promise<void> {
  for (const end = performance.now() + timeoutMs; ; await sleep(ASLEEP_CHECK_MS)) {
    const { json } = await platform.admin('GET', '/platform')
    const awake = (json.workers as { apps: string[] }[]).flatMap(({ apps }) => apps).filter((appid) => appids?.includes(appid) ?? true)
    if (awake.length === 0) return
    if (performance.now() > end) throw new Error(`${awake.length} apps did not go to sleep, such as ${awake[0]}`)
  }
}
