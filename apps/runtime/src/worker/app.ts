import { Flag, FrameType, encodeLogLine, type AppRelease, type IsolateStats, type Link, type LogLevel } from '@socklet/protocol'
import { startIsolate, type Isolate } from './isolate.ts'
import { Mailbox, type Delivery, type Suspect } from './mailbox.ts'
import { sendResult, type TurnResult } from './result.ts'
import type { Turns, WatchedTurn } from './turns.ts'

export interface AppParts {
  app: number
  generation: number
  release: AppRelease
  snapshot: ArrayBuffer
  gateways: Link[]
  pool: Link
  turns: Turns
  /** The isolate is gone for good, and not because it was asked to. */
  onDown: (reason: string, fault: 'tenant' | 'platform') => void
  /** A thread of this process is lost. */
  onTainted: (reason: string) => void
}

/** A turn takes as many events as are likely to fit into this time, so that other apps get theirs. */
const TURN_TARGET_MS = 10
const MAX_TURN_EVENTS = 1024
const MAX_TURN_BYTES = 1024 * 1024
const FIRST_TURN_EVENTS = 64
/** Weight of the newest turn in the average. */
const AVERAGE_WEIGHT = 0.2
/** Turns in a row whose results got lost to unhandled rejections, after which the app cannot be helped. */
const MAX_LOST_RESULTS = 20
/** To start an isolate is our own work. Beyond this something is wrong with it. */
const START_LIMIT_MS = 5_000

const NO_EVENTS = { bytes: undefined, length: 0, latin1: undefined, texts: undefined, events: 0, suspect: null }

/**
 * One app in this worker: its mailbox, its isolate, and the turns that bring one to the other, one at a time.
 */
export class App {
  readonly #parts: AppParts
  readonly #mailbox = new Mailbox()
  #release: AppRelease
  #isolate: Isolate | null = null
  #disposeStarting: (() => void) | null = null
  #gone = false
  /** A turn runs, or waits for admission. */
  #busy = true
  #wake = false
  #wakeTimer: NodeJS.Timeout | null = null
  #acknowledged = 0
  #lostResults = 0
  #turnEvents = FIRST_TURN_EVENTS
  #eventMs = 0
  #updates: { release: AppRelease; done: (error?: Error) => void }[] = []
  #last: TurnResult | null = null
  #turnCount = 0
  #eventCount = 0

  constructor(parts: AppParts) {
    this.#parts = parts
    this.#release = parts.release
    parts.turns.enter(() => void this.#start())
  }

  get generation(): number {
    return this.#parts.generation
  }

  get appid(): string {
    return this.#release.appid
  }

  /** An event frame of this app, `bytes[start .. end)`. */
  receive(bytes: Uint8Array, start: number, end: number): void {
    if (this.#gone) return
    this.#mailbox.add(bytes, start, end)
    if (!this.#busy) this.#enter()
  }

  /** Settles when the next event runs the new release. Rejects if the release cannot be loaded, or the isolate is gone. */
  update(release: AppRelease): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#gone) {
        reject(new Error('the isolate is gone'))
        return
      }
      this.#updates.push({ release, done: (error) => (error === undefined ? resolve() : reject(error)) })
      if (!this.#busy) this.#enter()
    })
  }

  /** Puts the isolate away. */
  dispose(): void {
    if (this.#gone) return
    this.#gone = true
    if (this.#wakeTimer !== null) clearTimeout(this.#wakeTimer)
    for (const update of this.#updates.splice(0)) update.done(new Error('the isolate is gone'))
    this.#disposeStarting?.()
    this.#isolate?.dispose()
  }

  async stats(): Promise<IsolateStats> {
    const isolate = this.#isolate
    const alive = isolate !== null && !isolate.disposed && !this.#gone
    return {
      turns: this.#turnCount,
      events: this.#eventCount,
      errors: this.#last?.errors ?? 0,
      cpuMs: alive ? isolate.cpuMs : 0,
      heapBytes: alive ? await isolate.heapBytes().catch(() => 0) : 0,
      logLinesDropped: this.#last?.logsDropped ?? 0,
      waiting: this.#mailbox.events,
      running: this.#busy
    }
  }

  async #start(): Promise<void> {
    const { turns, snapshot, release } = this.#parts
    try {
      const options = {
        snapshot,
        memoryMiB: release.limits['heapMiB']!,
        config: { appid: release.appid, limits: release.limits },
        onCatastrophe: (message: string) => this.#parts.onTainted(`the isolate of ${release.appid} broke: ${message}`)
      }
      const starting = (): Promise<Isolate> =>
        startIsolate(options, (dispose) => {
          this.#disposeStarting = dispose
          if (this.#gone) dispose()
        })
      this.#isolate = await turns.watch(this.#watched(() => 0, START_LIMIT_MS), starting)
      if (this.#gone) return
      await this.#load(release)
    } catch (error) {
      this.#fail(`the isolate did not start: ${(error as Error).message}`, 'platform')
    } finally {
      turns.leave()
      this.#afterTurn()
    }
  }

  #enter(): void {
    this.#busy = true
    this.#parts.turns.enter(() => void this.#turn())
  }

  async #turn(): Promise<void> {
    try {
      if (!this.#gone) await this.#loadUpdates()
      if (!this.#gone) await this.#deliver()
    } finally {
      this.#parts.turns.leave()
      this.#afterTurn()
    }
  }

  #afterTurn(): void {
    this.#busy = false
    if (this.#gone) return
    if (!this.#mailbox.empty || this.#wake || this.#updates.length > 0) this.#enter()
  }

  async #deliver(): Promise<void> {
    const delivery = this.#mailbox.empty ? NO_EVENTS : this.#mailbox.take(this.#turnEvents, MAX_TURN_BYTES)
    if (delivery.events === 0 && !this.#wake) return
    this.#wake = false
    if (this.#wakeTimer !== null) clearTimeout(this.#wakeTimer)
    this.#wakeTimer = null
    if (delivery.suspect !== null) this.#announce(delivery.suspect, 0)
    const before = this.#isolate!.cpuMs
    const result = await this.#cross(delivery)
    if (delivery.suspect !== null && !this.#gone) this.#announce(delivery.suspect, Flag.END)
    if (result === null || this.#gone) return
    this.#measure(delivery.events, this.#isolate!.cpuMs - before)
    this.#accept(result)
  }

  /** The result of the turn; null if it was lost and the turn has to be asked for it again. */
  async #cross(delivery: Delivery): Promise<unknown> {
    const isolate = this.#isolate!
    try {
      const limitMs = this.#release.limits['turnCpuMs']!
      return await this.#parts.turns.watch(this.#watched(() => (isolate.disposed ? 0 : isolate.cpuMs), limitMs), () => isolate.turn(this.#acknowledged, delivery))
    } catch (error) {
      if (this.#gone) return null
      const message = String((error as Error).message)
      if (isolate.disposed) this.#fail(/memory limit/i.test(message) ? `the heap was above ${this.#release.limits['heapMiB']} MiB` : message, 'tenant')
      else if (++this.#lostResults > MAX_LOST_RESULTS) this.#fail(`results were lost again and again: ${message}`, 'tenant')
      else this.#askAgain(error as Error)
      return null
    }
  }

  /** isolated-vm gives an unhandled rejection in place of the result. The guest still has it. */
  #askAgain(error: Error): void {
    this.log('error', `Unhandled rejection: ${String(error.stack ?? error.message).slice(0, this.#release.limits['logLineBytes'])}`)
    this.#wake = true
  }

  #accept(result: unknown): void {
    const { app, generation, gateways, pool } = this.#parts
    try {
      this.#last = sendResult(result, { app, generation, gateways, pool })
    } catch (error) {
      this.#fail((error as Error).message, 'tenant')
      return
    }
    this.#lostResults = 0
    this.#acknowledged = this.#last.number
    const { wakeInMs } = this.#last
    if (wakeInMs === null) return
    this.#wakeTimer = setTimeout(() => {
      this.#wakeTimer = null
      this.#wake = true
      if (!this.#busy && !this.#gone) this.#enter()
    }, wakeInMs)
  }

  #measure(events: number, cpuMs: number): void {
    this.#turnCount++
    if (events === 0) return
    this.#eventCount += events
    this.#eventMs += (cpuMs / events - this.#eventMs) * AVERAGE_WEIGHT
    this.#turnEvents = Math.max(1, Math.min(MAX_TURN_EVENTS, Math.floor(TURN_TARGET_MS / Math.max(this.#eventMs, 0.001))))
  }

  async #loadUpdates(): Promise<void> {
    while (this.#updates.length > 0 && !this.#gone) {
      const { release, done } = this.#updates.shift()!
      try {
        await this.#load(release)
        done()
      } catch (error) {
        done(error as Error)
      }
    }
  }

  async #load(release: AppRelease): Promise<void> {
    const isolate = this.#isolate!
    const limitMs = release.limits['turnCpuMs']!
    const { revision, functions, modules, env, limits } = release
    const problem = await this.#parts.turns.watch(this.#watched(() => (isolate.disposed ? 0 : isolate.cpuMs), limitMs), () => isolate.load({ revision, functions, modules, env, limits }))
    if (problem !== '') throw new Error(`the functions cannot be loaded: ${String(problem)}`)
    this.#release = release
  }

  /** Said before the turn and after it, at once: the turn may end the process. */
  #announce(suspect: Suspect, flags: number): void {
    const { app, generation, gateways } = this.#parts
    const link = gateways[suspect.gateway]
    link?.send({ type: FrameType.STARTED, flags, gateway: suspect.gateway, app, generation, connection: suspect.connection, sequence: suspect.sequence })
    link?.flush()
  }

  #watched(cpuMs: () => number, limitMs: number): WatchedTurn {
    return {
      cpuMs,
      limitMs,
      stop: (reason) => {
        this.#fail(reason, 'tenant')
      },
      lost: () => this.#parts.onTainted(`a turn of ${this.#release.appid} could not be ended`)
    }
  }

  #fail(reason: string, fault: 'tenant' | 'platform'): void {
    if (this.#gone) return
    this.log('error', `the isolate was ended: ${reason}`)
    this.dispose()
    this.#parts.onDown(reason, fault)
  }

  /** A line of the platform's own in the app's log. */
  log(level: LogLevel, message: string): void {
    const { app, generation, pool } = this.#parts
    const line = encodeLogLine({ time: Date.now(), level, function: '', requestId: '', connection: '', version: 0, message })
    pool.send({ type: FrameType.LOG, flags: 0, gateway: 0, app, generation, connection: 0, sequence: 0 }, line)
  }
}
