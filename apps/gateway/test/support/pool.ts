import { CallError, controlLink, Link, PROTOCOL_VERSION, type AppRoute, type Control, type GatewayCalls, type LogLine, type Placement, type PoolCallsOfGateway } from '@socklet/protocol'
import { createServer, type Server } from 'node:net'
import { once } from 'node:events'
import { until } from './until.ts'

/** The pool as the gateway sees it: knows the routes it is given, and places apps where it is told to. */
export class FakePool {
  readonly routes = new Map<string, AppRoute>()
  /** By number of the app. Without one, `place` waits. */
  readonly placements = new Map<number, Placement>()
  /** Apps whose `place` is refused. */
  readonly failing = new Set<number>()
  readonly logs: { app: number; line: LogLine }[] = []
  /** `locate` is answered after this. */
  gate: Promise<void> | null = null
  /** `stopping` is answered after this. */
  storing: Promise<void> | null = null
  stoppings = 0
  locates: string[] = []
  /** Of those, for which it was said that a client waits: what has a place is placed then. */
  soon: string[] = []
  places: number[] = []
  hellos = 0
  /** Of the protocol. */
  version = PROTOCOL_VERSION
  control: Control<GatewayCalls, PoolCallsOfGateway> | null = null
  #link: Link | null = null
  #server: Server | null = null
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  async start(): Promise<void> {
    this.#server = createServer((socket) => {
      const { link, control } = controlLink<GatewayCalls, PoolCallsOfGateway>((on) => new Link(socket, on), {
        hello: ({ version }) => {
          this.hellos++
          if (version !== this.version) throw new CallError('version', `the pool speaks version ${this.version}, not ${version}`)
          this.control = control
          return null
        },
        locate: async ({ appid, soon }) => {
          this.locates.push(appid)
          if (soon) this.soon.push(appid)
          await this.gate
          const route = this.routes.get(appid) ?? null
          const placement = route === null ? undefined : this.placements.get(route.app)
          if (soon && placement !== undefined) control.note('placed', { app: placement.app, placement, loss: 'none' })
          return route
        },
        place: ({ app }) => this.#place(app),
        stopping: async () => {
          this.stoppings++
          await this.storing
          return null
        },
        log: (log) => {
          this.logs.push(log)
          return null
        }
      })
      this.#link = link
    }).listen(this.#path)
    await once(this.#server, 'listening')
  }

  /** Dies: its links break, and it does not listen any more. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve))
    this.#link?.destroy()
    this.control = null
    await closed
  }

  async #place(app: number): Promise<Placement> {
    this.places.push(app)
    if (!this.failing.has(app)) await until(() => this.placements.has(app) || this.failing.has(app))
    if (this.failing.has(app)) throw new CallError('unavailable', 'the app cannot run')
    return this.placements.get(app)!
  }

  /** Tells the gateway where the app is from now on. */
  async placed(app: number, placement: Placement | null, crashed = false): Promise<void> {
    if (placement === null) this.placements.delete(app)
    else this.placements.set(app, placement)
    await this.control!.call('placed', { app, placement, loss: crashed ? 'crashed' : 'none' })
  }

  async route(route: AppRoute): Promise<void> {
    this.routes.set(route.appid, route)
    await this.control!.call('route', { appid: route.appid, route })
  }

  async remove(appid: string): Promise<void> {
    this.routes.delete(appid)
    await this.control!.call('route', { appid, route: null })
  }
}
