import { setTimeout as sleep } from 'node:timers/promises'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Catalog } from '@socklet/catalog'
import { listen, type PlatformState } from '@socklet/protocol'
import { Auth } from './auth.ts'
import { log } from './log.ts'
import { Metrics } from './metrics.ts'
import { PoolClient } from './pool-client.ts'
import { Compiler } from './publish/compiler.ts'
import { publishDemo } from './publish/demo.ts'
import { Publisher } from './publish/publisher.ts'
import { createApp } from './server.ts'
import { SharedReader } from './shared-reader.ts'
import { LogStacks } from './stacks/log-stacks.ts'
import { SourcePlaces } from './stacks/source-places.ts'
import { Tails } from './tails.ts'

export interface ConsoleOptions {
  host: string
  /** 0 picks a free one. */
  port: number
  catalog: Catalog
  /** Path of the pool's socket. */
  poolSocket: string
  /** Path of the shared store, which need not exist. */
  sharedStore: string
  /** How long a call waits for a pool that is being restarted, milliseconds. */
  poolPatienceMs?: number
  adminToken: string
  metricsToken: string | null
  appUrl: (appid: string) => string | undefined
  /** Somebody tells with `setPlatform` whether the platform is ready; else the pool is asked. */
  supervised: boolean
  /** Whether the sample app is published, and from where if not from its usual place. */
  demo: boolean
  demoFolder?: string
  heartbeatMs?: number
  bodySilenceMs?: number
  compileTimeoutMs?: number
}

export interface Console {
  port: number
  /** Settles when publishing works, and the sample app was published if it should be. */
  usable: Promise<void>
  setPlatform: (state: PlatformState) => void
  /** Ends requests in order, and closes the catalog. */
  stop: (graceMs: number) => Promise<void>
}

const HEARTBEAT_MS = 15_000
const READY_CHECK_MS = 20
const BODY_SILENCE_MS = 15_000
const REQUEST_TIMEOUT_MS = 60_000
const HEADERS_TIMEOUT_MS = 10_000
/** How often Node looks at the two above; by itself, every 30 s. */
const TIMEOUT_CHECK_MS = 5_000
const CLOSE_IDLE_MS = 20

/** Starts the console. It listens when this settles, and looks for the pool by itself. */
export async function startConsole(options: ConsoleOptions): Promise<Console> {
  const { catalog } = options
  let platform: PlatformState | null = null
  const compiler = new Compiler({ timeoutMs: options.compileTimeoutMs })
  const places = new SourcePlaces(compiler)
  const stacks = new LogStacks(catalog, places)
  const tails = new Tails(() => pool, stacks)
  const pool = new PoolClient({
    path: options.poolSocket,
    patienceMs: options.poolPatienceMs,
    onLogged: (appid, entries) => tails.onLogged(appid, entries),
    onConnected: () => tails.onConnected()
  })
  const shared = new SharedReader(options.sharedStore)
  const publisher = new Publisher({ catalog, pool, compiler, places })
  const app = createApp({
    catalog,
    pool,
    shared,
    publisher,
    tails,
    stacks,
    auth: new Auth({ adminToken: options.adminToken, metricsToken: options.metricsToken, catalog }),
    metrics: new Metrics(),
    version: ownVersion(),
    platform: () => platform,
    appUrl: options.appUrl,
    isReady: async () => (options.supervised ? platform?.ready === true && pool.connected : await poolIsReady(pool)),
    heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
    bodySilenceMs: options.bodySilenceMs ?? BODY_SILENCE_MS
  })
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: TIMEOUT_CHECK_MS }, app)
  await listen(server, { host: options.host, port: options.port }, (error) => log('accepting a connection', error))
  pool.start()
  void compiler.warmUp()
  return {
    port: (server.address() as AddressInfo).port,
    usable: untilRuntimeReady(pool).then(async () => (options.demo ? await publishDemo(catalog, publisher, options.demoFolder) : undefined)),
    setPlatform: (state) => {
      platform = state
    },
    stop: async (graceMs) => {
      const closed = close(server, graceMs)
      tails.end()
      await closed
      pool.stop()
      await compiler.stop()
      await shared.close()
      await catalog.close()
    }
  }
}

/** Settles when there are workers and gateways: before, what is published could not run. */
async function untilRuntimeReady(pool: PoolClient): Promise<void> {
  do await sleep(READY_CHECK_MS)
  while (!pool.stopped && !(await poolIsReady(pool)))
}

async function poolIsReady(pool: PoolClient): Promise<boolean> {
  try {
    return pool.connected && (await pool.call('ready', null))
  } catch {
    return false
  }
}

/** Lets requests that are under way finish, but not for so long that the rest of stopping has no time. */
function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    // A connection that becomes idle after `close` would be kept for the client's next request.
    const idle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_MS)
    const all = setTimeout(() => server.closeAllConnections(), graceMs * 0.8)
    server.close(() => {
      clearInterval(idle)
      clearTimeout(all)
      resolve()
    })
  })
}

function ownVersion(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version
}
