/**
 * The pool: starts, watches and kills workers, decides which of them holds which app, and brokers what apps may
 * reach. It runs no tenant code.
 */
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { appidIn, dataName, openCatalog } from '@socklet/catalog'
import { DATA, enterDataFolder, readOptions } from '@socklet/config'
import { CallError, decodeLogLine, runAsChild, type LogLevel } from '@socklet/protocol'
import { openSharedStore } from '@socklet/shared'
import { makeGuest } from '../snapshot/index.ts'
import { setGuestModules } from './app.ts'
import { Apps } from './apps.ts'
import type { PoolParts } from './calls.ts'
import { Changes } from './changes.ts'
import { Fetches, isPublicAddress, makeResolve } from './fetch/index.ts'
import { Gateways } from './gateways.ts'
import { onCounted } from './counts.ts'
import { countReached, onReached } from './limits-reached.ts'
import { LogStore, cutLine } from './logs.ts'
import { memoryShareBytes } from './memory-watch.ts'
import { listenForPeers, tellConsoles, type Console } from './peers.ts'
import { Placements } from './placement.ts'
import { SandboxError, chooseSandbox } from './sandbox.ts'
import { SharedStates } from './shared-states.ts'
import { Trials } from './trials.ts'
import type { WorkerProcess } from './worker-process.ts'
import { Workers } from './workers.ts'

const DAY_MS = 86_400_000
const MIB = 1024 * 1024
/** Isolates that do not let themselves be put away in this time lose what they have not written. */
const PUT_AWAY_MS = 5_000

const report = (message: string): void => void process.stderr.write(`${message}\n`)

const options = readOptions(process.argv.slice(2), process.env)
enterDataFolder(options.data)
const [catalog, guest, sandbox] = await Promise.all([openCatalog(options), makeGuest(), chooseSandbox(options.sandbox, report).catch(endWithout)])
setGuestModules(guest.modules)
const consoles = new Set<Console>()
const logs = new LogStore(
  DATA.logs,
  (name, entries) => {
    const appid = appidIn(name)
    // The last lines of a deleted app are not for who follows another one that has its appid.
    if (apps.known(appid)?.dataName === name) tellConsoles(consoles, appid, entries)
  },
  (error) => report(`log lines were lost: ${error.message}`)
)
const apps = new Apps(catalog)
const states = new SharedStates({ store: openSharedStore(DATA.shared), apps, report })
const gateways = new Gateways()
const fetches = new Fetches({ app: (number) => apps.byNumber(number), resolve: makeResolve(), isAllowed: options['allow-private-fetch'] ? () => true : isPublicAddress, onLate })
const count = options.workers > 0 ? options.workers : Math.max(1, availableParallelism() - 1)
const memoryBytes = options['worker-memory-mib'] > 0 ? options['worker-memory-mib'] * MIB : memoryShareBytes(count)
report(`workers: ${count}, ${sandbox.kind === 'bwrap' ? 'each under bwrap' : 'without bwrap'}, with at most ${Math.round(memoryBytes / MIB)} MiB of memory each`)
const workers = new Workers({
  count,
  gateways: options.gateways,
  program: guest.worker,
  snapshot: guest.snapshot,
  sandbox,
  memoryBytes,
  onMemory: (worker, rssBytes) => placements.onMemory(worker, rssBytes),
  onLog: writeLog,
  onReached: (number, payload) => {
    const app = apps.byNumber(number)
    if (app !== undefined) onReached(app, payload)
  },
  onCounted: (number, payload) => {
    const app = apps.byNumber(number)
    if (app !== undefined) onCounted(app, payload)
  },
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
const placements = new Placements({ apps, workers, gateways, states, memoryBytes, report, log })
const changes = new Changes({ catalog, apps, gateways, placements, states, logs, report })
const trials = new Trials({ program: guest.worker, snapshot: guest.snapshot, sandbox, memoryBytes, lend, report })
const parts: PoolParts = { catalog, apps, changes, workers, trials, gateways, placements, logs, consolePid: () => [...consoles][0]?.pid ?? null }

const server = await listenForPeers({
  parts: () => parts,
  consoles,
  onGateways: () => {
    if (gateways.size === options.gateways) workers.start()
    else workers.pause()
  },
  report
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

/** A request of an app has taken longer than it may. */
function onLate(number: number, limitMs: number): void {
  const app = apps.byNumber(number)
  if (app === undefined) return
  countReached(app, 'fetchMs', 1)
  const now = Date.now()
  if (now - (app.lateToldAt) < 1_000) return
  app.lateToldAt = now
  log(app.appid, 'warn', `requests took more than ${limitMs} ms and were given up (limit fetchMs)`)
}

/** A line of the platform's own. */
function log(appid: string, level: LogLevel, message: string): void {
  const app = apps.known(appid)
  if (app !== undefined) logs.add(app.dataName, { time: Date.now(), level, function: '', requestId: '', connection: '', version: 0, message })
}

/** Asked of the catalog: the pool may not have heard yet that the appid is another app's now. */
async function lend(appid: string, number: number, worker: WorkerProcess): Promise<void> {
  const app = await catalog.getApp(appid)
  if (app === null) throw new CallError('app_not_found', `there is no app ${JSON.stringify(appid)}`)
  await states.lend(dataName(app), number, worker)
}

/** The operator asked for a sandbox that this machine does not have. */
function endWithout(error: Error): never {
  if (!(error instanceof SandboxError)) throw error
  report(error.message)
  process.exit(1)
}

/** A worker is not trusted: what it sends as a log line may be anything. */
function writeLog(number: number, payload: Uint8Array): void {
  const app = apps.byNumber(number)
  if (app === undefined) return
  try {
    const line = cutLine(decodeLogLine(payload), app.route.limits.logLineBytes)
    const now = Date.now()
    logs.add(app.dataName, { ...line, time: Math.abs(line.time - now) < DAY_MS ? line.time : now })
  } catch (error) {
    report(`a log line of ${app.appid} was dropped: ${(error as Error).message}`)
  }
}
