import { setPriority } from 'node:os'
import type { WorkerProcess } from './worker-process.ts'

/** Workers for apps in quarantine, and such as let nobody in, at most. */
const MAX_QUARANTINE = 16
/** As of nice(1). */
const QUARANTINE_PRIORITY = 10
/** One that was not wanted after all. */
const QUARANTINE_IDLE_MS = 10_000
/** A worker of an app that has one for itself, while that is asleep. */
const DEDICATED_IDLE_MS = 60_000

export interface OwnWorkersParts {
  /** Settles when a worker can be started. */
  ready: () => Promise<void>
  /** @throws Error */
  start: () => Promise<WorkerProcess>
  /** Nobody wants it any more. */
  end: (worker: WorkerProcess) => void
}

/** Workers that are kept from others: for apps in quarantine, and for those that have one by the operator's decision. They are not replaced when they end. */
export class OwnWorkers {
  readonly #parts: OwnWorkersParts
  readonly #workers = new Map<number, WorkerProcess>()
  /** The number of the one app that is ever in this worker, and when it was there last. */
  readonly #dedicated = new WeakMap<WorkerProcess, { app: number; usedAt: number }>()

  constructor(parts: OwnWorkersParts) {
    this.#parts = parts
  }

  get all(): WorkerProcess[] {
    return [...this.#workers.values()]
  }

  get(index: number): WorkerProcess | undefined {
    return this.#workers.get(index)
  }

  /** A worker for one app alone; where there are too many of those, one that holds no other than apps of this kind. Waits until there can be one. @throws Error */
  async pick(): Promise<WorkerProcess> {
    await this.#parts.ready()
    const workers = this.#quarantine
    const free = workers.find(({ apps }) => apps.size === 0)
    if (free !== undefined) return free
    if (workers.length >= MAX_QUARANTINE) return emptiest(workers)
    const worker = await this.#parts.start()
    yieldToOthers(worker)
    this.#workers.set(worker.index, worker)
    return worker
  }

  /** The worker in which this app is, and never another. As many as there are such apps: whether an app is one is the operator's decision. Waits until there can be one. @throws Error */
  async pickDedicated(app: number): Promise<WorkerProcess> {
    await this.#parts.ready()
    const there = this.#dedicatedTo(app)
    if (there !== undefined) return there
    const worker = await this.#parts.start()
    this.#dedicated.set(worker, { app, usedAt: Date.now() })
    this.#workers.set(worker.index, worker)
    return worker
  }

  /** One that was for all. false if there are too many. */
  add(worker: WorkerProcess): boolean {
    if (this.#quarantine.length >= MAX_QUARANTINE) return false
    this.#workers.set(worker.index, worker)
    return true
  }

  /** Ends the worker if it is one of these: its app is not there any more, and what has happened in it shall touch no other. */
  finish(worker: WorkerProcess): void {
    if (this.delete(worker)) this.#parts.end(worker)
  }

  /** The app is one like others now, or is gone. */
  finishDedicated(app: number): void {
    const worker = this.#dedicatedTo(app)
    if (worker !== undefined) this.finish(worker)
  }

  /** Ends those whose app has been somewhere else or asleep for long. */
  finishIdle(): void {
    const now = Date.now()
    for (const worker of this.#workers.values()) {
      const dedicated = this.#dedicated.get(worker)
      if (worker.apps.size > 0) {
        if (dedicated !== undefined) dedicated.usedAt = now
      } else if (dedicated === undefined ? now - worker.startedAt > QUARANTINE_IDLE_MS : now - dedicated.usedAt > DEDICATED_IDLE_MS) this.finish(worker)
    }
  }

  /** It is gone. Returns whether it was one of these. */
  delete(worker: WorkerProcess): boolean {
    return this.#workers.delete(worker.index)
  }

  get #quarantine(): WorkerProcess[] {
    return this.all.filter((worker) => worker.alive && !this.#dedicated.has(worker))
  }

  #dedicatedTo(app: number): WorkerProcess | undefined {
    return this.all.find((worker) => worker.alive && this.#dedicated.get(worker)?.app === app)
  }
}

/** The one with the fewest apps. */
export function emptiest(workers: WorkerProcess[]): WorkerProcess {
  return workers.reduce((best, worker) => (worker.apps.size < best.apps.size ? worker : best))
}

/** What apps in quarantine do comes behind all else on the machine. The threads of isolates begin later and have it from this one. */
function yieldToOthers(worker: WorkerProcess): void {
  try {
    setPriority(worker.pid, QUARANTINE_PRIORITY)
  } catch {
    // It has just ended.
  }
}
