import { CallError, type AppRelease, type LoadProblem } from '@socklet/protocol'
import { SILENT_MS } from '../silence.ts'
import { isDedicated } from './app.ts'
import { memoryText } from './memory-watch.ts'
import type { Sandbox } from './sandbox.ts'
import { startWorker, type WorkerProcess } from './worker-process.ts'

/** At a time; each may use a core. */
const AT_A_TIME = 2
const MAX_WAITING = 64
/** An idle platform has no process for this. */
const IDLE_MS = 120_000
const PING_EVERY_MS = 1_000
/** Longer than any trial takes, see worker/trial.ts. */
const TIMEOUT_MS = 60_000
/** Who does not name it has no use for a copy of what is in it. */
const MENTIONS_SHARED = /\bshared\b/
const MAX_REASON_UNITS = 500
const MAX_MESSAGE_UNITS = 4_000
const MAX_STACK_UNITS = 16_000
/** Workers for apps are numbered from 1, and these are told apart in what is reported. */
const FIRST_INDEX = 1_000_000

export interface TrialsOptions {
  /** Gives the worker the shared values of the app, by this number. */
  lend: (appid: string, number: number, worker: WorkerProcess) => Promise<void>
  program: string
  snapshot: Uint8Array
  sandbox: Sandbox
  /** Memory of the worker process: beyond it, it is killed. */
  memoryBytes: number
  report: (message: string) => void
}

/** A worker, and what it has in hand. */
interface TrialWorker {
  readonly process: WorkerProcess
  readonly inHand: Set<Trial>
  /** The signal that ended it, once it has. */
  readonly exited: Promise<string | null>
}

interface Trial {
  /** No other was in the same process at any time. */
  alone: boolean
}

/**
 * Loads functions before they are stored, in a worker that holds no app and has no link to any gateway: what ends it,
 * or its threads, ends nothing else. It is started when the first trial needs it, and put away when none has for a while.
 */
export class Trials {
  readonly #options: TrialsOptions
  readonly #waiting: (() => void)[] = []
  readonly #workers = new Set<TrialWorker>()
  /** The one for all trials; others are there for one that ended it. */
  #shared: Promise<TrialWorker> | null = null
  #free = AT_A_TIME
  #nextIndex = FIRST_INDEX
  #nextNumber = 1
  #idle: NodeJS.Timeout | undefined
  #ping: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: TrialsOptions) {
    this.#options = options
  }

  /**
   * Loads these functions of the release, and tells which of them cannot be loaded, in the order of `names`.
   * @throws CallError `busy`; `unavailable` if no worker can be started
   */
  async run(release: AppRelease, names: string[]): Promise<LoadProblem[]> {
    if (names.length === 0) return []
    await this.#enter()
    try {
      // Nothing of an app with a worker of its own comes where code of others runs.
      return isDedicated(release.limits) ? await this.#runAlone(release, names) : await this.#run(release, names)
    } finally {
      this.#leave()
    }
  }

  /** Ends all. */
  stop(): void {
    this.#stopped = true
    this.#putAway()
    for (const { process } of this.#workers) process.kill()
  }

  get processes(): WorkerProcess[] {
    return [...this.#workers].map(({ process }) => process)
  }

  async #run(release: AppRelease, names: string[]): Promise<LoadProblem[]> {
    const worker = await this.#sharedWorker()
    const trial = { alone: true }
    const problems = await this.#ask(worker, trial, release, names)
    if (problems !== null) return problems
    // Whose doing it was can be told if there was but one function, and nobody from outside ended the process.
    const crashed = worker.process.killed || (await worker.exited) !== 'SIGKILL'
    if (trial.alone && names.length === 1 && crashed) return [deadly(names[0]!)]
    return await this.#runAlone(release, names)
  }

  /** One function after the other in a process of their own, up to the first that ends it. */
  async #runAlone(release: AppRelease, names: string[]): Promise<LoadProblem[]> {
    const worker = await this.#start()
    const all: LoadProblem[] = []
    try {
      for (const name of names) {
        const problems = await this.#ask(worker, { alone: true }, release, [name])
        if (problems === null) return [...all, deadly(name)]
        all.push(...problems)
        if (!worker.process.alive) return all
      }
      return all
    } finally {
      this.#end(worker)
    }
  }

  /** null if the worker has died, or does not answer. */
  async #ask(worker: TrialWorker, trial: Trial, release: AppRelease, names: string[]): Promise<LoadProblem[] | null> {
    const { process, inHand } = worker
    inHand.add(trial)
    process.wake()
    if (inHand.size > 1) for (const one of inHand) one.alone = false
    try {
      const number = this.#nextNumber++
      if (release.functions.some(({ code }) => MENTIONS_SHARED.test(code))) await this.#options.lend(release.appid, number, process)
      const { problems, lost } = await process.control.call('trial', { number, release, names }, TIMEOUT_MS)
      if (lost) this.#end(worker)
      return checked(problems, names)
    } catch (error) {
      const { code, message } = error as CallError
      if (code !== 'timeout' && code !== 'link_closed') throw new CallError('unavailable', `the functions could not be tried: ${message}`)
      this.#end(worker)
      return null
    } finally {
      inHand.delete(trial)
    }
  }

  /** Also for whatever else it has in hand: that is tried again, alone. */
  #end(worker: TrialWorker): void {
    if (worker.process.alive) worker.process.kill()
    this.#workers.delete(worker)
  }

  async #sharedWorker(): Promise<TrialWorker> {
    for (;;) {
      this.#shared ??= this.#start().catch((error: unknown) => {
        this.#shared = null
        throw error
      })
      const worker = await this.#shared
      if (this.#workers.has(worker)) return worker
      this.#shared = null
    }
  }

  async #start(): Promise<TrialWorker> {
    if (this.#stopped) throw new CallError('unavailable', 'the pool is stopping')
    const exit = Promise.withResolvers<string | null>()
    const inHand = new Set<Trial>()
    let reason = ''
    try {
      const process = await startWorker({
        index: this.#nextIndex++,
        gateways: 0,
        turns: AT_A_TIME,
        program: this.#options.program,
        snapshot: this.#options.snapshot,
        sandbox: this.#options.sandbox,
        memory: {
          bytes: this.#options.memoryBytes,
          isIdle: () => inHand.size === 0,
          onOver: (_, rssBytes) => this.#options.report(memoryText('the worker for trials', rssBytes, this.#options.memoryBytes))
        },
        handlers: {
          down: () => null,
          idle: () => null,
          tainted: (params) => {
            reason = String(params.reason).slice(0, MAX_REASON_UNITS)
            this.#end(worker)
            return null
          }
        },
        onFrame: () => {},
        onExit: (how, signal) => {
          exit.resolve(signal)
          this.#workers.delete(worker)
          if (!process.killed || reason !== '') this.#options.report(`the worker for trials ended: ${reason || how}`)
        }
      })
      const worker: TrialWorker = { process, inHand, exited: exit.promise }
      this.#workers.add(worker)
      if (this.#stopped) process.kill()
      return worker
    } catch (error) {
      this.#options.report((error as Error).message)
      throw new CallError('unavailable', 'the functions cannot be tried now: no worker for it has started')
    }
  }

  async #enter(): Promise<void> {
    clearTimeout(this.#idle)
    if (this.#waiting.length >= MAX_WAITING) throw new CallError('busy', 'too many publishes wait already')
    if (this.#free === 0) await new Promise<void>((start) => this.#waiting.push(start))
    else this.#free--
    this.#ping ??= setInterval(() => this.#look(), PING_EVERY_MS)
  }

  #leave(): void {
    const next = this.#waiting.shift()
    if (next !== undefined) {
      next()
      return
    }
    this.#free++
    if (this.#free < AT_A_TIME) return
    clearInterval(this.#ping)
    this.#ping = undefined
    clearTimeout(this.#idle)
    if (!this.#stopped) this.#idle = setTimeout(() => this.#putAway(), IDLE_MS)
  }

  #putAway(): void {
    clearTimeout(this.#idle)
    clearInterval(this.#ping)
    this.#shared?.then((worker) => this.#end(worker), () => {})
  }

  /** A main thread that is stuck never answers its call. */
  #look(): void {
    for (const worker of this.#workers) worker.process.control.call('ping', null, SILENT_MS).catch(() => this.#end(worker))
  }
}

function deadly(name: string): LoadProblem {
  return { function: name, message: 'its top level ended the process that tried it' }
}

/** A worker that tenant code has taken over may answer anything. */
function checked(problems: unknown, names: string[]): LoadProblem[] {
  if (!Array.isArray(problems)) return []
  return problems.slice(0, names.length).flatMap((problem: Partial<LoadProblem> | null) => {
    const { function: name, message, stack } = problem ?? {}
    if (typeof name !== 'string' || !names.includes(name)) return []
    return [{ function: name, message: String(message).slice(0, MAX_MESSAGE_UNITS), ...(typeof stack === 'string' ? { stack: stack.slice(0, MAX_STACK_UNITS) } : {}) }]
  })
}
