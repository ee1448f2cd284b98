import type { LogLevel } from '@socklet/protocol'
import type { PoolApp } from './app.ts'
import { memoryText } from './memory-watch.ts'
import type { WorkerProcess } from './worker-process.ts'

/** An isolate that lived this long was not lost because of how it starts. */
const SETTLED_MS = 10_000
const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 60_000
/** After a crash the apps of the worker are watched for so long. */
const WATCH_MS = 60_000
/** Who was running when a worker crashed is alone for so long. */
const QUARANTINE_MS = 600_000
/** Who loses a second isolate by its own fault (a turn without end, its heap) within this time is alone, too: each costs the others time. */
const FAULT_MS = 60_000
/** Losses in a row after which the app cannot run, and its clients are told so. */
const MAX_LOSSES = 10

export interface BlameParts {
  /** Memory of a worker process, see Workers. */
  memoryBytes: number
  report: (message: string) => void
  /** A line of the platform's in the log of an app. */
  log: (appid: string, level: LogLevel, message: string) => void
}

/** Which app ends isolates and workers, and what follows for it: a delay, a worker of its own, or that it cannot run. */
export class Blame {
  readonly #parts: BlameParts

  constructor(parts: BlameParts) {
    this.#parts = parts
  }

  /** The app has lost its isolate, and its worker goes on. */
  onDown(app: PoolApp, fault: 'tenant' | 'platform'): void {
    countLoss(app)
    if (fault !== 'tenant') return
    const now = Date.now()
    if (now - app.faultAt < FAULT_MS) this.#quarantine(app, `${app.appid} has lost two isolates by its own fault`)
    app.faultAt = now
  }

  /**
   * One of these apps has ended the worker that held them, or none. At first nobody knows which: from now on they are watched. Of those
   * that are watched, it was one that was in a turn; from now on that has a worker of its own, and delays that grow.
   */
  onCrash(lost: PoolApp[], worker: WorkerProcess): void {
    const now = Date.now()
    for (const app of lost) {
      app.watchedUntil = now + WATCH_MS
      if (!worker.running.has(app.number) && lost.length > 1) continue
      countLoss(app)
      if (worker.running.has(app.number)) this.#quarantine(app, `${app.appid} was running when worker ${worker.index} ended`)
    }
  }

  /** The worker that holds these apps is killed now because of its memory. Told are those that were in a turn, or all if it was none of them: then they have it together. */
  onMemory(held: PoolApp[], worker: WorkerProcess, rssBytes: number): void {
    const running = held.filter(({ number }) => worker.running.has(number))
    const blamed = held.length === 1 ? held : running
    for (const app of blamed) app.memoryKills++
    for (const app of blamed.length > 0 ? blamed : held) {
      const when = running.includes(app) ? 'while a turn of this app ran' : blamed.includes(app) ? 'and this app was alone in it' : 'which it has for all its apps together'
      const others = held.length === 1 ? '' : `; ${held.length - 1} other apps were in it`
      this.#parts.log(app.appid, 'error', `${memoryText('the worker', rssBytes, this.#parts.memoryBytes)}, ${when} (limit heapMiB: ${app.route.limits.heapMiB})${others}`)
    }
  }

  /** It has been lost too often in a row, and is not started again. Its clients are told, and here whoever can do something about it. */
  giveUp(app: PoolApp): void {
    app.failed = true
    this.#parts.report(`${app.appid} was lost ${app.losses} times in a row: it is not started again until it is changed or restarted`)
    this.#parts.log(app.appid, 'error', `the app cannot run: it was lost ${app.losses} times in a row. It is started again when something of it is published or changed, or when it is restarted`)
  }

  #quarantine(app: PoolApp, why: string): void {
    const now = Date.now()
    if (app.quarantinedUntil < now) this.#parts.report(`${why}: it gets a worker of its own`)
    app.quarantinedUntil = now + QUARANTINE_MS
  }
}

/** One more in a row, if the last isolate did not live for long. */
export function countLoss(app: PoolApp): void {
  app.losses = Date.now() - app.startedAt > SETTLED_MS ? 1 : app.losses + 1
}

/** Milliseconds until the app is started anew: more with each loss. null if it has had too many: it cannot run. */
export function delayAfterLoss({ losses }: PoolApp): number | null {
  if (losses > MAX_LOSSES) return null
  return losses <= 2 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (losses - 3), MAX_DELAY_MS)
}

/** The app is to have a worker that no other app is in. */
export function isQuarantined(app: PoolApp): boolean {
  return app.quarantinedUntil >= Date.now()
}

/** For so long its turns are told. Milliseconds, 0 if they are not. */
export function watchMs(app: PoolApp): number {
  return Math.max(0, app.watchedUntil - Date.now())
}

/** It is started anew on the operator's word: also if it could not run. */
export function forgetLosses(app: PoolApp): void {
  app.failed = false
  app.losses = 0
}

/** The app has changed: nothing that it was before is held against it. */
export function forgive(app: PoolApp): void {
  forgetLosses(app)
  app.quarantinedUntil = app.faultAt = 0
}
