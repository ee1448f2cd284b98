import type { Loss, PoolCallsOfWorker, SandboxKind } from '@socklet/protocol'
import { LINK_LOST } from '../link-lost.ts'
import { SILENT_MS } from '../silence.ts'
import { THREADS } from '../threads.ts'
import { Grown, type GrownOptions } from './grown.ts'
import { memoryText } from './memory-watch.ts'
import { OwnWorkers, emptiest } from './own-workers.ts'
import type { Sandbox } from './sandbox.ts'
import { onWorkerFrame, type WorkerFrames } from './worker-frames.ts'
import { startWorker, type WorkerProcess } from './worker-process.ts'

const PING_EVERY_MS = 500
const RESTART_DELAY_MS = 50
const MAX_RESTART_DELAY_MS = 10_000
/** For so long a worker tells of all turns once it has used half of its memory; it is asked again before that is over. */
const WATCH_MS = 10_000
/** With no app anywhere for so long, there is no spare worker. */
const SPARE_IDLE_MS = 60_000
/** When a gateway dies, the end of a worker that was linked with it may be known here before that is. */
const GATEWAY_GRACE_MS = 20
/** A worker that lived this long did not fail because of how it starts. */
const SETTLED_MS = 1_000

export interface WorkersOptions extends WorkerFrames {
  count: number
  gateways: number
  program: string
  snapshot: Uint8Array
  sandbox: Sandbox
  /** Memory of each worker process: beyond it, it is killed. */
  memoryBytes: number
  /** Which workers are replaced though they are well. */
  grown?: GrownOptions
  /** A worker is killed now because of its memory. */
  onMemory: (worker: WorkerProcess, rssBytes: number) => void
  /** An app has nothing to do. */
  onIdle: (worker: WorkerProcess, idle: PoolCallsOfWorker['idle']['params']) => void
  /** A worker has lost this app's isolate. */
  onDown: (worker: WorkerProcess, down: PoolCallsOfWorker['down']['params']) => void
  /** A worker is gone, with all that it held. */
  onLost: (worker: WorkerProcess, loss: Loss) => void
  report: (message: string) => void
}

/**
 * Keeps so many workers alive, and watches them from outside. While any of them holds an app, there is one more that
 * is ready to take the place of one that dies: to start a process takes longer than to start the apps that it held.
 */
export class Workers {
  readonly #options: WorkersOptions
  readonly #workers = new Map<number, WorkerProcess>()
  /** Kept from others, and beside `count`. */
  readonly own = new OwnWorkers({ ready: () => this.#whenRunning(), start: () => this.#startWorker(), end: (worker) => this.#end(worker) })
  #spare: WorkerProcess | null = null
  /** Ended here, because nobody wants them: no loss, and not replaced. */
  readonly #unwanted = new Set<WorkerProcess>()
  readonly #grown: Grown
  #starting = 0
  /** When any worker held an app last. */
  #wantedAt = 0
  readonly #waiting: ((worker: WorkerProcess) => void)[] = []
  /** Who waits for the gateways. */
  readonly #untilRunning: (() => void)[] = []
  #nextIndex = 1
  #failures = 0
  #running = false
  #stopped = false
  #timer: NodeJS.Timeout | null = null
  restarts = 0

  constructor(options: WorkersOptions) {
    this.#options = options
    this.#grown = new Grown(options.grown)
  }

  /** Starts the workers, once the gateways that they are linked with are there. */
  start(): void {
    if (this.#running) return
    this.#running = true
    for (const resolve of this.#untilRunning.splice(0)) resolve()
    this.#fill()
    this.#timer = setInterval(() => void this.#ping(), PING_EVERY_MS)
  }

  /** No workers until `start`: a gateway is gone, and with it a link of each. They end by themselves. */
  pause(): void {
    this.#running = false
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  /** Ends all. */
  stop(): void {
    this.#stopped = true
    this.pause()
    for (const worker of this.#processes) worker.kill()
  }

  /** Ready to take the place of another; null if there is none. */
  get spare(): WorkerProcess | null {
    return this.#spare
  }

  get #processes(): WorkerProcess[] {
    return this.#spare === null ? this.all : [...this.all, this.#spare]
  }

  get sandbox(): SandboxKind {
    return this.#options.sandbox.kind
  }

  get all(): WorkerProcess[] {
    return [...this.#workers.values(), ...this.own.all]
  }

  get(index: number): WorkerProcess | undefined {
    return this.#workers.get(index) ?? this.own.get(index)
  }

  /** The worker with the fewest apps; waits until there is one. */
  pick(): Promise<WorkerProcess> {
    const workers = [...this.#workers.values()].filter((worker) => worker.alive)
    if (workers.length === 0) return new Promise((resolve) => this.#waiting.push(resolve))
    return Promise.resolve(emptiest(workers))
  }

  /** While a gateway is missing, a worker that starts cannot be linked with it. */
  async #whenRunning(): Promise<void> {
    if (!this.#running) await new Promise<void>((resolve) => this.#untilRunning.push(resolve))
  }

  /** No other app is to come to this worker, and the spare one takes its place. false if there are too many such workers. */
  leaveAlone(worker: WorkerProcess): boolean {
    if (this.own.get(worker.index) !== undefined) return true
    if (!this.own.add(worker)) return false
    this.#workers.delete(worker.index)
    this.#promote()
    this.#fill()
    return true
  }

  /** Starts what is missing. */
  #fill(): void {
    const wanted = this.#options.count + (this.#wantsSpare ? 1 : 0)
    const there = this.#workers.size + (this.#spare === null ? 0 : 1)
    for (let missing = wanted - there - this.#starting; missing > 0; missing--) void this.#startOne()
  }

  get #wantsSpare(): boolean {
    return this.all.some(({ apps }) => apps.size > 0)
  }

  async #startOne(): Promise<void> {
    this.#starting++
    try {
      await this.#tryToStart()
    } finally {
      this.#starting--
    }
  }

  async #tryToStart(): Promise<void> {
    try {
      const worker = await this.#startWorker()
      if (!this.#running) worker.kill()
      else if (!worker.alive) return
      else if (this.#workers.size < this.#options.count) this.#employ(worker)
      else if (this.#spare === null) this.#spare = worker
      else worker.kill()
    } catch (error) {
      this.#options.report((error as Error).message)
      this.#restart()
    }
  }

  async #startWorker(): Promise<WorkerProcess> {
    const index = this.#nextIndex++
    const worker: WorkerProcess = await startWorker({
      index,
      gateways: this.#options.gateways,
      turns: THREADS,
      program: this.#options.program,
      snapshot: this.#options.snapshot,
      sandbox: this.#options.sandbox,
      memory: {
        bytes: this.#options.memoryBytes,
        isIdle: () => worker.apps.size === 0,
        onHalf: () => worker.control.note('watch', { ms: WATCH_MS }),
        onOver: (_, rssBytes) => {
          this.#options.report(memoryText(`worker ${index}`, rssBytes, this.#options.memoryBytes))
          this.#options.onMemory(worker, rssBytes)
        }
      },
      handlers: {
        down: (params) => {
          this.#options.onDown(worker, params)
          return null
        },
        idle: (params) => {
          this.#options.onIdle(worker, params)
          return null
        },
        tainted: ({ reason }) => {
          this.#options.report(`worker ${index} is replaced: ${String(reason).slice(0, 500)}`)
          worker.kill()
          return null
        }
      },
      onFrame: (bytes, start, end) => onWorkerFrame(worker, bytes, start, end, this.#options),
      onExit: (reason, signal) => {
        if (signal === LINK_LOST) setTimeout(() => this.#onExit(worker, reason, signal), GATEWAY_GRACE_MS)
        else this.#onExit(worker, reason, signal)
      }
    })
    return worker
  }

  #employ(worker: WorkerProcess): void {
    this.#workers.set(worker.index, worker)
    for (const resolve of this.#waiting.splice(0)) resolve(worker)
  }

  #onExit(worker: WorkerProcess, reason: string, signal: string | null): void {
    this.#workers.delete(worker.index)
    const wasOwn = this.own.delete(worker)
    if (worker === this.#spare) this.#spare = null
    if (this.#unwanted.delete(worker) || this.#stopped) return
    const loss = this.#lossBy(worker, signal)
    // Also while there is a gateway missing: its workers have ended with it, and their apps are placed anew when it is back.
    if (this.#running) {
      this.#options.report(`worker ${worker.index} ended: ${reason}`)
      if (loss === 'killed' || Date.now() - worker.startedAt > SETTLED_MS) this.#failures = 0
      this.restarts++
      if (!wasOwn) {
        this.#promote()
        this.#restart()
      }
    }
    this.#options.onLost(worker, loss)
  }

  #lossBy(worker: WorkerProcess, signal: string | null): Loss {
    if (worker.killed) return 'crashed'
    // While all gateways are there, one of them has given up the link to this worker alone, for what came from it.
    if (signal === LINK_LOST) return this.#running ? 'crashed' : 'killed'
    // Tenant code makes a process crash or hang. It cannot send signals: that was somebody else.
    return signal === 'SIGKILL' ? 'killed' : 'crashed'
  }

  /** The spare one takes the place of one that is gone. */
  #promote(): void {
    const spare = this.#spare
    if (spare === null || this.#workers.size >= this.#options.count) return
    this.#spare = null
    if (spare.alive) this.#employ(spare)
  }

  #restart(): void {
    if (!this.#running) return
    const delay = this.#failures === 0 ? 0 : Math.min(RESTART_DELAY_MS * 2 ** this.#failures, MAX_RESTART_DELAY_MS)
    this.#failures++
    setTimeout(() => {
      if (this.#running) this.#fill()
    }, delay)
  }

  async #ping(): Promise<void> {
    const wantsSpare = this.#wantsSpare
    if (wantsSpare) {
      this.#wantedAt = Date.now()
      this.#fill()
    }
    if (!this.#renewGrown() && !wantsSpare) this.#putSpareAway()
    this.own.finishIdle()
    await Promise.all(
      this.#processes.map(async (worker) => {
        try {
          await worker.control.call('ping', null, SILENT_MS)
        } catch {
          if (!worker.alive) return
          this.#options.report(`worker ${worker.index} is silent and is killed`)
          worker.kill()
        }
      })
    )
  }

  /** The spare one takes the place of a worker that has grown and holds nothing any more. Whether there is such a worker. */
  #renewGrown(): boolean {
    const grown = this.#grown.find(this.#workers.values())
    if (grown === undefined) return false
    if (this.#spare === null) {
      if (this.#starting === 0) void this.#startOne()
      return true
    }
    this.#workers.delete(grown.index)
    this.#end(grown)
    this.#promote()
    return true
  }

  /** An idle platform has no process for this. */
  #putSpareAway(): void {
    if (this.#wantedAt + SPARE_IDLE_MS > Date.now() || this.#spare === null) return
    this.#end(this.#spare)
    this.#spare = null
  }

  #end(worker: WorkerProcess): void {
    this.#unwanted.add(worker)
    worker.kill()
  }
}
