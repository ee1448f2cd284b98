import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { dataName, type Catalog, type DeletedApp, type Revision } from '@socklet/catalog'
import type { PoolApp } from './app.ts'
import type { Apps } from './apps.ts'
import type { Gateways } from './gateways.ts'
import type { LogStore } from './logs.ts'
import type { Placements } from './placement.ts'
import type { SharedStates } from './shared-states.ts'

const QUIET_WITHIN_MS = 3_000
const QUIET_CHECK_MS = 20
/** When what could not be put in force is tried again. */
const AGAIN_MS = 10_000

export interface ChangesParts {
  catalog: Catalog
  apps: Apps
  gateways: Gateways
  placements: Placements
  states: SharedStates
  logs: LogStore
  /** A line for the operator. */
  report: (message: string) => void
}

/** Puts in force what was changed in the catalog: what consoles tell of, and what one has stored and did not come to tell. */
export class Changes {
  readonly #parts: ChangesParts
  /** The end of what was begun for each app. */
  readonly #lanes = new Map<string, Promise<unknown>>()
  #caughtUp = Promise.resolve()

  constructor(parts: ChangesParts) {
    this.#parts = parts
  }

  /** Settles when what the catalog says of the app is in force, after what was begun for it before. */
  apply(appid: string): Promise<void> {
    const result = (this.#lanes.get(appid) ?? Promise.resolve()).then(() => applyChange(this.#parts, appid))
    const lane = result
      .catch(() => {})
      .then(() => {
        if (this.#lanes.get(appid) === lane) this.#lanes.delete(appid)
      })
    this.#lanes.set(appid, lane)
    return result
  }

  /**
   * For when a console has come: the one before it may have died between the catalog and the pool. Puts in force what differs from the catalog,
   * in the background, one app after the other. What fails is reported, and tried again.
   */
  catchUp(): void {
    this.#caughtUp = this.#caughtUp
      .then(() => this.#catchUp())
      .catch((error: Error) => {
        this.#parts.report(`not all changes of apps may be in force: ${error.message}`)
        setTimeout(() => this.catchUp(), AGAIN_MS).unref()
      })
  }

  async #catchUp(): Promise<void> {
    const { catalog, apps } = this.#parts
    const revisions = new Map((await catalog.listRevisions()).map((one) => [one.appid, one]))
    // An app that the pool does not know is read from the catalog when somebody comes for it.
    for (const app of apps.all) if (!isLoaded(app, revisions.get(app.appid))) await this.apply(app.appid)
    await removeData(this.#parts, await catalog.listDeleted())
  }
}

function isLoaded(app: PoolApp, now: Revision | undefined): boolean {
  return now !== undefined && now.revision === app.revision && dataName(now) === app.dataName
}

/** First where the code runs, then where clients come in. */
async function applyChange(parts: ChangesParts, appid: string): Promise<void> {
  const { catalog, apps, gateways, placements } = parts
  const before = await apps.knownSoon(appid)
  const revision = before?.revision
  const limits = before?.route.limits
  const app = await apps.reload(appid)
  if (app === null || (before !== undefined && app !== before)) await takeAway(parts, appid, before)
  if (app !== before) await removeData(parts, (await catalog.listDeleted()).filter((one) => one.appid === appid))
  if (app === null) return
  // A suspended app still gets the close events of the connections that it loses.
  if (app.route.state === 'suspended') {
    await tellRoute(gateways, app)
    await untilQuiet(gateways, app.number)
  }
  // A change may be told that was caught up with meanwhile: modules that are as they should be do not start anew.
  if (app === before && limits !== undefined && app.revision !== revision) await placements.update(app, limits)
  if (app.route.state === 'running') await tellRoute(gateways, app)
}

/** The app is not in the catalog any more, or another one has its appid. */
async function takeAway({ gateways, placements }: ChangesParts, appid: string, app: PoolApp | undefined): Promise<void> {
  await gateways.all('route', { appid, route: null })
  if (app !== undefined) await placements.remove(app)
}

/** Removes what is kept of deleted apps. The catalog forgets each of them last: whoever is killed before that finds it there again. */
async function removeData({ catalog, apps, states, logs }: ChangesParts, deleted: DeletedApp[]): Promise<void> {
  for (const app of deleted) {
    const name = dataName(app)
    // It would log on. That it is deleted is still to be told.
    if (apps.known(app.appid)?.dataName === name) continue
    await states.remove(name)
    logs.remove(name)
    await catalog.forgetDeleted(app)
    // All of it keeps this thread busy, and there may be many.
    await nextTurn()
  }
}

/** Settles when the app's connections are closed and their close events are handled, or when that has taken too long. */
async function untilQuiet(gateways: Gateways, app: number): Promise<void> {
  for (const end = Date.now() + QUIET_WITHIN_MS; Date.now() < end; await sleep(QUIET_CHECK_MS)) {
    const traffic = (await gateways.traffic(app)).get(app)
    if (traffic === undefined || (traffic.connections === 0 && traffic.queueEvents === 0)) return
  }
}

/** Most publishes change nothing for the gateways, which may be busy. */
async function tellRoute(gateways: Gateways, app: PoolApp): Promise<void> {
  const told = `${gateways.indexes.join()} ${JSON.stringify(app.route)}`
  if (app.toldRoute === told) return
  await gateways.all('route', { appid: app.appid, route: app.route })
  app.toldRoute = told
}
