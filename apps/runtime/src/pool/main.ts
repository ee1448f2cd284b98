/**
 * The pool: starts, watches and kills workers, decides which of them holds which app, and brokers what apps may
 * reach. It runs no tenant code.
 */
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { openCatalog } from '@socklet/catalog'
import { DATA, enterDataFolder, readOptions } from '@socklet/config'
import { decodeLogLine, runAsChild } from '@socklet/protocol'
import { openSharedStore } from '@socklet/shared'
import { makeGuest } from '../snapshot/index.ts'
import { setGuestModules } from './app.ts'
import { Apps } from './apps.ts'
import type { PoolParts } from './calls.ts'
import { Fetches, isPublicAddress, makeResolve } from './fetch/index.ts'
import { Gateways } from './gateways.ts'
import { LogStore } from './logs.ts'
import { listenForPeers, tellConsoles, type Console } from './peers.ts'
import { Placements } from './placement.ts'
import { SharedStates } from './shared-states.ts'
import { Trials } from './trials.ts'
import { Workers } from './workers.ts'

const DAY_MS = 86_400_000
/** Isolates that do not let themselves be put away in this time lose what they have not written. */
const PUT_AWAY_MS = 5_000

const report = (message: string): void => void process.stderr.write(`${message}\n`)

const options = readOptions(process.argv.slice(2), process.env)
enterDataFolder(options.data)
const [catalog, guest] = await Promise.all([openCatalog(options), makeGuest()])
setGuestModules(guest.modules)
const consoles = new Set<Console>()
const logs = new LogStore(
  DATA.logs,
  (appid, entries) => tellConsoles(consoles, appid, entries),
  (error) => report(`log lines were lost: ${error.message}`)
)
const apps = new Apps(catalog)
const states = new SharedStates({ store: openSharedStore(DATA.shared), apps, report })
const gateways = new Gateways()
const fetches = new Fetches({ app: (number) => apps.byNumber(number), resolve: makeResolve(), isAllowed: options['allow-private-fetch'] ? () => true : isPublicAddress })
const workers = new Workers({
  count: options.workers > 0 ? options.workers : Math.max(1, availableParallelism() - 1),
  gateways: options.gateways,
  snapshot: guest.snapshot,
  onLog: writeLog,
  onShared: (worker, bytes, start, end) => states.onChange(worker, bytes, start, end),
  onFetch: (worker, bytes, start, end) => fetches.onFrame(worker, bytes, start, end),
  onIdle: (worker, idle) => placements.onIdle(worker, idle),
  onDown: (worker, down) => placements.onDown(worker, down),
  onLost: (worker, loss) => {
    fetches.onLost(worker)
    placements.onLost(worker, loss)
  },
  report
})
const placements = new Placements({ apps, workers, gateways, states, report })
const trials = new Trials({ snapshot: guest.snapshot, lend: (appid, number, worker) => states.lend(appid, number, worker), report })
const parts: PoolParts = { catalog, apps, workers, trials, gateways, placements, states, logs, consolePid: () => [...consoles][0]?.pid ?? null }

const server = await listenForPeers({
  parts: () => parts,
  consoles,
  onGateways: () => {
    if (gateways.size === options.gateways) workers.start()
    else workers.pause()
  }
})

const child = runAsChild({
  stop: async () => {
    await Promise.race([placements.putAllAway(), sleep(PUT_AWAY_MS)])
    workers.stop()
    await fetches.close()
    trials.stop()
    server.close()
    logs.close()
    await states.close()
    await catalog.close()
  }
})
child.ready()

/** A worker is not trusted: what it sends as a log line may be anything. */
function writeLog(number: number, payload: Uint8Array): void {
  const app = apps.byNumber(number)
  if (app === undefined) return
  try {
    const line = decodeLogLine(payload)
    const now = Date.now()
    logs.add(app.appid, { ...line, time: Math.abs(line.time - now) < DAY_MS ? line.time : now })
  } catch (error) {
    report(`a log line of ${app.appid} was dropped: ${(error as Error).message}`)
  }
}
