import { isAppid } from '@socklet/config'
import type { AppRoute, Placement } from '@socklet/protocol'
import { App } from './app.ts'
import { ArrivingBytes } from './arriving.ts'
import type { Gateway } from './context.ts'
import { unplace, wasPlaced } from './delivery.ts'
import { afterLimits } from './flow.ts'
import { closeAll, forgetPeers } from './forget.ts'
import { Refusal } from './refuse.ts'

/** Appids that do not exist are remembered, so that a scanner does not ask the pool for each; no more than this. */
const UNKNOWN_KEPT = 10_000

/** The apps that this gateway knows: whoever was asked for, until it is deleted. */
export class Apps {
  /** Of all of them together. */
  readonly arriving = new ArrivingBytes()
  readonly #gateway: () => Gateway
  readonly #byAppid = new Map<string, App>()
  readonly #byNumber = new Map<number, App>()
  readonly #lookups = new Map<string, Promise<App | null>>()
  /** What the pool has said, during lookups, of where apps are that are not known here, by number: one of them may be an app that is looked up. */
  readonly #heard = new Map<number, Placement | null>()
  /** When the pool said that there is no such app. */
  readonly #unknown = new Map<string, number>()

  /** The gateway is given as a function, because it holds this. */
  constructor(gateway: () => Gateway) {
    this.#gateway = gateway
  }

  all(): IterableIterator<App> {
    return this.#byAppid.values()
  }

  byNumber(number: number): App | undefined {
    return this.#byNumber.get(number)
  }

  known(appid: string): App | undefined {
    return this.#byAppid.get(appid)
  }

  /**
   * The app, asked of the pool if need be; `soon` if it will be asked for its place at once. null if there is none.
   * @throws CallError when the pool cannot be asked.
   */
  async find(appid: string, soon = false): Promise<App | null> {
    const known = this.#byAppid.get(appid)
    if (known !== undefined) return known
    if (!isAppid(appid) || this.#isUnknown(appid)) return null
    let lookup = this.#lookups.get(appid)
    if (lookup === undefined) {
      lookup = this.#locate(appid, soon).finally(() => this.#onLookedUp(appid))
      this.#lookups.set(appid, lookup)
    }
    return lookup
  }

  /** The pool says where an app is that is not known here. */
  hear(number: number, placement: Placement | null): void {
    if (this.#lookups.size > 0) this.#heard.set(number, placement)
  }

  /** The pool says what the app is like from now on. */
  applyRoute(appid: string, route: AppRoute | null): void {
    this.#unknown.delete(appid)
    const app = this.#byAppid.get(appid)
    if (route === null) {
      if (app !== undefined) this.#remove(app)
      // A lookup may be on its way with an older answer.
      else if (this.#lookups.has(appid)) this.#rememberUnknown(appid)
      return
    }
    if (app !== undefined) this.#change(app, route)
    else if (this.#lookups.has(appid)) this.#add(route)
  }

  /** The pool is gone. The next one may give the same number to another app, so none of them means anything any more. */
  onPoolLost(): void {
    this.#byNumber.clear()
    this.#heard.clear()
    for (const app of this.#byAppid.values()) unplace(app)
  }

  /** The pool is back, and may be another one: every app is looked up anew. */
  async refresh(): Promise<void> {
    this.#unknown.clear()
    await Promise.all([...this.#byAppid.values()].map((app) => this.#refreshOne(app)))
  }

  async #locate(appid: string, soon: boolean): Promise<App | null> {
    const route = await this.#gateway().pool.call('locate', soon ? { appid, soon } : { appid })
    const pushed = this.#byAppid.get(appid)
    if (pushed !== undefined) return pushed
    if (route === null) this.#rememberUnknown(appid)
    return route === null || this.#isUnknown(appid) ? null : this.#add(route)
  }

  async #refreshOne(app: App): Promise<void> {
    const route = await this.#gateway().pool.call('locate', { appid: app.appid })
    if (this.#byAppid.get(app.appid) !== app) return
    if (route === null) {
      this.#remove(app)
      return
    }
    this.#change(app, route)
  }

  #add(route: AppRoute): App {
    const app = new App(this.#gateway(), route)
    this.#byAppid.set(app.appid, app)
    this.#byNumber.set(app.number, app)
    const placement = this.#heard.get(app.number)
    if (placement) wasPlaced(app, placement)
    return app
  }

  #onLookedUp(appid: string): void {
    this.#lookups.delete(appid)
    if (this.#lookups.size === 0) this.#heard.clear()
  }

  #change(app: App, route: AppRoute): void {
    // It was deleted while the pool or its link was away, and its clients are not another app's. That is looked up when somebody comes for it.
    if (app.route.instance !== route.instance) {
      this.#remove(app)
      return
    }
    if (this.#byNumber.get(app.number) === app) this.#byNumber.delete(app.number)
    app.setRoute(route)
    this.#byNumber.set(app.number, app)
    afterLimits(app)
    if (!app.suspended) return
    for (const waiting of [...app.requests.values(), ...app.upgrades.values()]) waiting.refuse(new Refusal('app_suspended'))
    // Where the app still is, it handles its close events; the pool takes it away afterwards.
    if (app.placement === null) forgetPeers(app, 'suspended')
    else closeAll(app, 1001, 'the app is suspended')
  }

  #remove(app: App): void {
    this.#byAppid.delete(app.appid)
    if (this.#byNumber.get(app.number) === app) this.#byNumber.delete(app.number)
    forgetPeers(app, 'deleted')
  }

  #isUnknown(appid: string): boolean {
    const since = this.#unknown.get(appid)
    return since !== undefined && Date.now() - since < this.#gateway().times.unknownApp
  }

  #rememberUnknown(appid: string): void {
    if (this.#unknown.size >= UNKNOWN_KEPT) this.#unknown.clear()
    this.#unknown.set(appid, Date.now())
  }
}
