import { isAppid } from '@socklet/config'
import type { AppRoute, Placement } from '@socklet/protocol'
import { App } from './app.ts'
import type { Gateway } from './context.ts'
import { noStranger, tellStrangers, unplace, wasPlaced } from './delivery.ts'
import { afterLimits } from './flow.ts'
import { closeAll, forgetPeers } from './forget.ts'
import { Refusal } from './refuse.ts'

/** Appids that do not exist are remembered, so that a scanner does not ask the pool for each; no more than this. */
const UNKNOWN_KEPT = 10_000
/** Apps that this gateway knows without a reason: they were asked for last, and may be asked for again. */
const APPS_KEPT = 10_000
/** Above that, each app that comes is a reason to look at so many of those that were asked for long ago. */
const LOOKED_AT = 8
/** Apps that are looked up anew at a time: a link takes 10,000 calls at once, and the catalog should not have to. */
const REFRESHED_AT_A_TIME = 200

/** The apps that this gateway knows: whoever was asked for, until it is deleted, or is not used and has not been asked for since many others were. */
export class Apps {
  readonly #gateway: () => Gateway
  /** The one that was asked for last stands last, but for those in use. */
  readonly #byAppid = new Map<string, App>()
  readonly #byNumber = new Map<number, App>()
  readonly #lookups = new Map<string, Promise<App | null>>()
  /** What the pool has said, during lookups, of where apps are that are not known here, by number: one of them may be an app that is looked up. */
  readonly #heard = new Map<number, Placement | null>()
  /** When the pool said that there is no such app. */
  readonly #unknown = new Map<string, number>()
  #last: App | null = null
  /** The pool's numbers are known here: not from the loss of a pool until the apps were looked up at the next one. */
  numbersHold = false

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
    if (known !== undefined) {
      this.#moveToEnd(known)
      return known
    }
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
    this.numbersHold = false
    this.#byNumber.clear()
    this.#heard.clear()
    for (const app of this.#byAppid.values()) unplace(app)
  }

  /** The pool is back, and may be another one: the apps that are in use are looked up anew, the others when somebody asks for them. */
  async refresh(): Promise<void> {
    this.#unknown.clear()
    for (const app of this.#byAppid.values()) if (!isInUse(app)) this.#forget(app)
    const apps = [...this.#byAppid.values()]
    while (apps.length > 0) await Promise.all(apps.splice(-REFRESHED_AT_A_TIME).map((app) => this.#refreshOne(app)))
    this.numbersHold = true
    tellStrangers(this.#gateway())
  }

  async #locate(appid: string, soon: boolean): Promise<App | null> {
    const route = await this.#gateway().pool.call('locate', soon ? { appid, soon } : { appid })
    const pushed = this.#byAppid.get(appid)
    if (pushed !== undefined) return pushed
    if (route === null) this.#rememberUnknown(appid)
    return route === null || this.#isUnknown(appid) ? null : this.#add(route)
  }

  async #refreshOne(app: App): Promise<void> {
    if (this.#byAppid.get(app.appid) !== app) return
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
    this.#last = app
    this.#forgetOldest()
    return app
  }

  #moveToEnd(app: App): void {
    if (app === this.#last) return
    this.#byAppid.delete(app.appid)
    this.#byAppid.set(app.appid, app)
    this.#last = app
  }

  #forgetOldest(): void {
    for (let looked = 0; looked < LOOKED_AT && this.#byAppid.size > APPS_KEPT; looked++) {
      const oldest: App = this.#byAppid.values().next().value!
      if (isInUse(oldest)) this.#moveToEnd(oldest)
      else this.#forget(oldest)
    }
  }

  #forget(app: App): void {
    this.#byAppid.delete(app.appid)
    if (this.#byNumber.get(app.number) === app) this.#byNumber.delete(app.number)
    if (this.#last === app) this.#last = null
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
    noStranger(app)
    afterLimits(app)
    if (!app.suspended) return
    for (const waiting of [...app.requests.values(), ...app.upgrades.values()]) waiting.refuse(new Refusal('app_suspended'))
    // Where the app still is, it handles its close events; the pool takes it away afterwards.
    if (app.placement === null) forgetPeers(app, 'suspended')
    else closeAll(app, 1001, 'the app is suspended')
  }

  #remove(app: App): void {
    this.#forget(app)
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

/** Something here is of this app, or will be at once. */
function isInUse({ placement, placing, arriving, connections, requests, upgrades, outbox }: App): boolean {
  return placement !== null || placing !== null || arriving > 0 || connections.size > 0 || requests.size > 0 || upgrades.size > 0 || outbox.count > 0
}
