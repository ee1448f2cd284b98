import { dataName, type Catalog } from '@socklet/catalog'
import { WEBSOCKET_FUNCTION } from '@socklet/config'
import { CallError, type CallHandlers, type PoolCallsOfConsole, type PoolCallsOfGateway } from '@socklet/protocol'
import type { PoolApp } from './app.ts'
import type { Apps } from './apps.ts'
import type { Changes } from './changes.ts'
import { listConnections, mustFind, positive } from './connections.ts'
import type { Gateways } from './gateways.ts'
import type { LogStore } from './logs.ts'
import type { Placements } from './placement.ts'
import { appStats, processes } from './stats.ts'
import type { Trials } from './trials.ts'
import { tryChange } from './try-change.ts'
import type { Workers } from './workers.ts'

export interface PoolParts {
  catalog: Catalog
  apps: Apps
  changes: Changes
  workers: Workers
  gateways: Gateways
  placements: Placements
  trials: Trials
  logs: LogStore
  consolePid: () => number | null
}

/** What gateways ask, but `hello`. */
export function gatewayCalls({ apps, gateways, placements, logs }: PoolParts): Omit<CallHandlers<PoolCallsOfGateway>, 'hello'> {
  return {
    locate: async ({ appid, soon }) => {
      const app = await apps.find(appid)
      // All gateways hear of the place before this one has the answer. If there is none it asks for it, and is told then what is wrong.
      if (soon === true && app !== null && app.placement === null && mayConnect(app)) await placements.place(app).catch(() => {})
      return app?.route ?? null
    },
    place: async ({ app: number }) => {
      const app = apps.byNumber(number)
      if (app === undefined) throw new CallError('app_not_found', `there is no app with the number ${number}`)
      return placements.place(app)
    },
    stopping: async () => {
      await gateways.untilAllStop()
      await placements.putAllAway()
      return null
    },
    log: ({ app: number, line }) => {
      const app = apps.byNumber(number)
      if (app !== undefined) logs.add(app.dataName, line)
      return null
    }
  }
}

/** Whether a gateway that knows no connection of the app would take one. */
function mayConnect({ route: { state, functions, limits } }: PoolApp): boolean {
  return state === 'running' && Object.hasOwn(functions, WEBSOCKET_FUNCTION) && limits.connections > 0
}

/** What consoles ask, but `hello` and `tail`. */
export function consoleCalls(parts: PoolParts): Omit<CallHandlers<PoolCallsOfConsole>, 'hello' | 'tail'> {
  const { catalog, apps, changes, workers, gateways, placements, logs } = parts
  return {
    appChanged: async ({ appid }) => {
      await changes.apply(appid)
      return null
    },
    restart: async ({ appid }) => {
      await placements.restart(await mustFind(apps, appid))
      return null
    },
    sharedDelete: async ({ appid, key }) => placements.deleteShared(await mustFind(apps, appid), Buffer.from(key, 'base64')),
    trial: (change) => tryChange(parts, change),
    stats: async ({ appid }) => {
      const app = await mustFind(apps, appid)
      return (await appStats(parts, app))[appid]!
    },
    allStats: () => appStats(parts),
    logs: async (query) => {
      // Asked of the catalog: the pool may not have heard yet that the appid is another app's now.
      const app = await catalog.getApp(query.appid)
      return app === null ? { items: [] } : logs.read({ ...query, appid: dataName(app) })
    },
    connections: (params) => listConnections(apps, gateways, params),
    connection: async ({ appid, id }) => positive(await gateways.all('connection', { app: (await mustFind(apps, appid)).number, id })) ?? null,
    closeConnection: async ({ appid, id, code, reason }) =>
      positive(await gateways.all('closeConnection', { app: (await mustFind(apps, appid)).number, id, code, reason })) ?? false,
    sendTo: async ({ appid, id, data, binary }) => positive(await gateways.all('sendTo', { app: (await mustFind(apps, appid)).number, id, data, binary })) ?? false,
    processes: () => processes(parts),
    runtime: () => ({ sandbox: workers.sandbox, workerRestarts: workers.restarts }),
    ready: () => gateways.size > 0 && workers.all.length > 0
  }
}
