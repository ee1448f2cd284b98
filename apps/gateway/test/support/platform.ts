import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { effectiveLimits, type Limits } from '@socklet/config'
import type { AppRoute, AppTraffic, Placement } from '@socklet/protocol'
import { createGateway, type GatewayHandle, type Times } from '../../src/index.ts'
import { Client, open } from './client.ts'
import { FakePool } from './pool.ts'
import { until } from './until.ts'
import { connectWorker, type FakeWorker } from './worker.ts'

/** What of a route is not as usual. */
export type RouteChange = Partial<Omit<AppRoute, 'limits'> & { limits: Partial<Limits> }>

export function routeOf(appid: string, app: number, { limits = {}, ...more }: RouteChange = {}): AppRoute {
  return { appid, instance: 'one', app, state: 'running', limits: effectiveLimits(limits), functions: { __websocket__: [] }, upgrade: false, ...more }
}

export function at(app: number, worker: number, generation: number): Placement {
  return { app, worker, generation }
}

export interface PlatformOptions {
  times?: Partial<Times>
  supervised?: boolean
  domain?: string
  trustProxy?: boolean
  queueBytes?: number
  sendBufferBytes?: number
  /** The pool is not started. */
  alone?: boolean
}

/** A gateway in this process, with a pool and workers that the test plays, over real sockets. */
export class Platform {
  readonly folder = mkdtempSync(join(tmpdir(), 'socklet-gw-'))
  readonly pool = new FakePool(join(this.folder, 'pool.sock'))
  readonly linkSocket = join(this.folder, 'gateway.sock')
  readonly gateway: GatewayHandle
  readonly #clients: Client[] = []
  readonly #workers: FakeWorker[] = []
  port = 0

  constructor({ times = {}, supervised = false, domain = 'example.com', trustProxy = false, queueBytes = 256 * 1024 * 1024, sendBufferBytes = 512 * 1024 * 1024 }: PlatformOptions) {
    this.gateway = createGateway({
      index: 3,
      host: '127.0.0.1',
      port: 0,
      domain,
      trustProxy,
      queueBytes,
      sendBufferBytes,
      reusePort: false,
      poolSocket: join(this.folder, 'pool.sock'),
      linkSocket: this.linkSocket,
      supervised,
      times: { reconnectMin: 5, reconnectMax: 20, ...times }
    })
  }

  get http(): string {
    return `http://127.0.0.1:${this.port}`
  }

  url(path: string): string {
    return `ws://127.0.0.1:${this.port}${path}`
  }

  async ready(): Promise<void> {
    await until(() => this.pool.control !== null, 'the gateway at the pool')
    await untilAsync(async () => (await fetch(`${this.http}/readyz`)).status === 200)
  }

  async worker(number: number): Promise<FakeWorker> {
    const worker = await connectWorker(this.linkSocket, number)
    this.#workers.push(worker)
    return worker
  }

  /** An app on a worker of its own that is there, in generation 1. */
  async app(appid: string, app: number, more: RouteChange = {}): Promise<FakeWorker> {
    this.pool.routes.set(appid, routeOf(appid, app, more))
    this.pool.placements.set(app, at(app, app, 1))
    return this.worker(app)
  }

  async open(path: string, protocols: string[] = [], options = {}): Promise<Client> {
    const client = await open(this.url(path), protocols, options)
    this.#clients.push(client)
    return client
  }

  async traffic(app: number): Promise<AppTraffic> {
    return (await this.pool.control!.call('traffic', { app }))[app]!
  }

  async stop(graceMs = 20): Promise<void> {
    for (const client of this.#clients) client.ws.terminate()
    for (const worker of this.#workers) worker.kill()
    await this.gateway.stop(graceMs)
    await this.pool.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const platform = new Platform(options)
  if (!options.alone) await platform.pool.start()
  platform.port = await platform.gateway.listen()
  if (!options.alone && !options.supervised) await platform.ready()
  return platform
}

export async function untilAsync(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 8_000
  while (!(await condition())) if (Date.now() > end) throw new Error('waited in vain')
}
