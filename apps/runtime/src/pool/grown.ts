import type { WorkerProcess } from './worker-process.ts'

export interface GrownOptions {
  /** For so long a worker has held nothing. Milliseconds. */
  afterMs: number
  /** And has more memory (RSS) than this, bytes. */
  aboveBytes: number
}

/** A new worker has 64 MiB, most of which all of them share. */
const DEFAULT: GrownOptions = { afterMs: 30_000, aboveBytes: 128 * 1024 * 1024 }

/**
 * Finds workers that are to be replaced though they are well: one that apps have used keeps what they needed for as long as it lives, since neither V8 nor
 * the C library gives that back where there is no more work to do. 360 MiB were seen in one that held nothing.
 */
export class Grown {
  readonly #options: GrownOptions
  readonly #emptySince = new WeakMap<WorkerProcess, number>()

  constructor(options = DEFAULT) {
    this.#options = options
  }

  /** To be asked now and then: it sees only then that a worker holds nothing. */
  find(workers: Iterable<WorkerProcess>): WorkerProcess | undefined {
    const { afterMs, aboveBytes } = this.#options
    const now = Date.now()
    let found: WorkerProcess | undefined
    for (const worker of workers) {
      const since = worker.apps.size > 0 ? now : (this.#emptySince.get(worker) ?? now)
      this.#emptySince.set(worker, since)
      if (worker.apps.size === 0 && now - since >= afterMs && worker.rssBytes > aboveBytes) found = worker
    }
    return found
  }
}
