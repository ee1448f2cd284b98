import { WEBSOCKET_FUNCTION, effectiveLimits, type Limits } from '@socklet/config'
import { dataName, type FunctionVersion, type Release } from '@socklet/catalog'
import { NO_COUNTS, type AppCounts, type AppRelease, type AppRoute, type ModuleSource, type Placement } from '@socklet/protocol'

/** Only the isolate knows what a function exports. Who mentions the word is asked at each upgrade, who does not cannot have it. */
const MENTIONS_UPGRADE = /\bupgrade\b/

/** As a module's name in quotes: the word alone stands in many sources. */
const MENTIONS_STREAM = /\bcreateWebSocketStream\b|["'`](?:node:)?stream(?:\/promises)?["'`]/
const MENTIONS: Record<string, RegExp> = { stream: MENTIONS_STREAM }

let guestModules: ModuleSource[] = []

/** Once, at the start: the modules that apps get which name them. */
export function setGuestModules(modules: ModuleSource[]): void {
  guestModules = modules
}

/** An app as the pool knows it while it lives. Sources stay in the catalog until a worker needs them. */
export interface PoolApp {
  readonly appid: string
  /** Its shared values and its log are kept under this name. Another app that gets the appid has another one. */
  readonly dataName: string
  /** On links. Never given to another app. */
  readonly number: number
  route: AppRoute
  /** Of the catalog's app, as it was read last: another one there has something that is not in force. */
  revision: number
  /** What the gateways have heard of it, and which of them. */
  toldRoute: string
  placement: Placement | null
  /** Isolates that were started anew after one was lost. */
  restarts: number
  /** Times that its worker was ended because of its memory, see blame.ts. */
  memoryKills: number
  /** How often each limit was reached in its isolates, see limits-reached.ts. */
  limitsReached: Map<string, number>
  counts: AppCounts
  /** When its log was last told of requests that took too long. */
  lateToldAt: number
  /** Losses in a row, and when the last isolate was started. */
  losses: number
  startedAt: number
  /** When it lost an isolate by its own fault last. Epoch milliseconds. */
  faultAt: number
  /** Epoch milliseconds: until then it is watched, because a worker that held it has crashed. */
  watchedUntil: number
  /** Until then it has a worker of its own, for what it did to others (blame.ts). Epoch milliseconds. */
  quarantinedUntil: number
  /** Has failed so often that it is not started again until it changes, or is to start anew. */
  failed: boolean
  /** What changes placement happens one after the other. */
  busy: Promise<unknown>
}

export function makePoolApp(number: number, release: Release): PoolApp {
  const app: PoolApp = {
    appid: release.app.appid,
    dataName: dataName(release.app),
    number,
    route: routeOf(number, release),
    revision: release.app.revision,
    toldRoute: '',
    placement: null,
    restarts: 0,
    memoryKills: 0,
    limitsReached: new Map(),
    counts: NO_COUNTS,
    lateToldAt: 0,
    losses: 0,
    faultAt: 0,
    watchedUntil: 0,
    quarantinedUntil: 0,
    startedAt: 0,
    failed: false,
    busy: Promise.resolve()
  }
  return app
}

/** Takes over what the catalog says now. */
export function refresh(app: PoolApp, release: Release): void {
  app.route = routeOf(app.number, release)
  app.revision = release.app.revision
}

/** No other app is ever in the worker that holds it. */
export function isDedicated(limits: Limits): boolean {
  return limits.dedicatedWorker === 1
}

/** Runs `work` when what was begun for this app before is over, failed or not. */
export function inTurn<T>(app: PoolApp, work: () => Promise<T>): Promise<T> {
  const result = app.busy.then(work, work)
  app.busy = result.catch(() => {})
  return result
}

function routeOf(number: number, release: Release): AppRoute {
  return {
    appid: release.app.appid,
    instance: release.app.instance,
    app: number,
    state: release.app.state,
    limits: effectiveLimits(release.app.limits),
    functions: Object.fromEntries(release.functions.map(({ name, methods }) => [name, methods])),
    upgrade: release.functions.some(({ name, compiled }) => name === WEBSOCKET_FUNCTION && MENTIONS_UPGRADE.test(compiled))
  }
}

/** What a worker is told of a release; of the functions only what runs. */
export type RunnableRelease = Omit<Release, 'functions'> & { functions: Pick<FunctionVersion, 'name' | 'version' | 'compiled'>[] }

/** What a worker needs of it. */
export function appRelease(release: RunnableRelease): AppRelease {
  return {
    appid: release.app.appid,
    functions: release.functions.map(({ name, version, compiled }) => ({ name, version, code: compiled })),
    modules: guestModules.filter(({ name }) => release.functions.some(({ compiled }) => MENTIONS[name]!.test(compiled))),
    env: release.env,
    // As laf calls it: tokens that an app has made there stay good. One that is empty would let anybody sign.
    secret: release.env['SERVER_SECRET'] || release.secret,
    limits: effectiveLimits(release.app.limits)
  }
}
