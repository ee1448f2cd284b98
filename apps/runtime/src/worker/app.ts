import { Flag, FrameType, readU16, type AppRelease, type IsolateStats, type Link } from '@socklet/protocol'
import { guestError, type Isolate } from './isolate.ts'
import { Slowdown } from './cpu-share.ts'
import { Errands, type ErrandHost } from './errands.ts'
import { IdleWatch } from './idle-watch.ts'
import { Inbox } from './inbox.ts'
import type { Delivery } from './mailbox.ts'
import { rejectedIn, versionsOf, type Versions } from './rejection.ts'
import { Reports } from './reports.ts'
import { checkResult, isPartOnly, type TurnResult } from './result.ts'
import { Results } from './results.ts'
import { ShortTurns } from './short-turns.ts'
import { START_LIMIT_MS, type Spare } from './spare.ts'
import { ToldTurns } from './told-turns.ts'
import { TurnSize } from './turn-size.ts'
import type { Running, Turns, WatchedTurn } from './turns.ts'
import { Wake } from './wake.ts'

export interface AppParts {
  app: number
  generation: number
  /** What it begins with; not kept. */
  release: AppRelease
  /** Gives it an isolate. */
  spare: Spare
  /** What is kept of `cloud.shared`: records of packages/shared. It may come later. */
  state: Promise<Uint8Array[]>
  gateways: Link[]
  pool: Link
  turns: Turns
  /** Whether no other app is in this worker. */
  isAlone: () => boolean
  /** For so long the pool is told when a turn of it begins and ends. Milliseconds. */
  watchMs: number
  /** The isolate is gone for good, and not because it was asked to. */
  onDown: (reason: string, fault: 'tenant' | 'platform') => void
  /** It has had nothing to do for as long as its limit `idleMs` says. Said again as long as that is so. */
  onIdle: () => void
  /** A thread of this process is lost. */
  onTainted: (reason: string) => void
}

/** What is needed of a release once the guest has it. */
type KeptRelease = Pick<AppRelease, 'appid' | 'limits'> & { versions: Versions }

/** Bytes of events that go in with one turn at most, but for a single one that is larger. */
const MAX_DELIVERY_BYTES = 1024 * 1024
/** Turns in a row whose results got lost to unhandled rejections, after which the app cannot be helped. */
const MAX_LOST_RESULTS = 20
/** Gateways that do not say in this time that they have attached their connections are not waited for. */
const ATTACH_LIMIT_MS = 2_000
/** The store is given so long for the last changes of an isolate that is put away. */
const STORE_LIMIT_MS = 5_000

const NO_EVENTS: Delivery = { bytes: undefined, length: 0, latin1: undefined, texts: undefined, events: 0, suspect: null, news: 0 }

/**
 * One app in this worker: its inbox, its isolate, and the turns that bring one to the other, one at a time.
 */
export class App {
  readonly #parts: Omit<AppParts, 'release'>
  readonly #inbox: Inbox
  readonly #results: Results
  readonly #reports: Reports
  readonly #slowdown: Slowdown
  readonly #idle: IdleWatch
  readonly #errands: Errands
  readonly #told: ToldTurns
  readonly #wake = new Wake(() => this.#enterIfNeeded())
  /** What runs, without its code: that is in the isolate. */
  #release: KeptRelease
  #isolate: Isolate | null = null
  #gone = false
  /** A turn runs, or waits for admission. */
  #busy = true
  #acknowledged = 0
  #lostResults = 0
  readonly #size = new TurnSize()
  readonly #short = new ShortTurns()
  /** The last turn ran on this thread. */
  #wasHere = false
  #last: TurnResult | null = null
  /** Gateways that have much to deliver for it. */
  readonly #pressedBy = new Set<number>()
  readonly #attachTimer: NodeJS.Timeout

  constructor({ release, ...parts }: AppParts) {
    this.#parts = parts
    this.#release = kept(release)
    this.#inbox = new Inbox(parts.gateways.length)
    this.#results = new Results(parts)
    this.#reports = new Reports(parts)
    this.#told = new ToldTurns(this.#reports, parts.watchMs)
    this.#slowdown = new Slowdown(release.limits.minuteCpuMs, () => this.#tellSlow(), () => this.#enterIfNeeded())
    this.#idle = new IdleWatch({ isIdle: () => this.#isIdle, idleMs: () => this.#release.limits.idleMs, onIdle: parts.onIdle })
    this.#errands = new Errands(this.#errandHost())
    this.#attachTimer = setTimeout(() => this.#openInbox(), ATTACH_LIMIT_MS)
    parts.turns.enter(() => void this.#start(release))
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
    if (bytes[start + 4] === FrameType.BACKPRESSURE) this.#onBackpressure(readU16(bytes, start + 6), (bytes[start + 5]! & Flag.END) === 0)
    else this.#inbox.add(bytes, start, end)
    this.#enterIfNeeded()
  }

  /** While a gateway has more to deliver than it can keep up with, nothing is begun that would give it more. */
  #onBackpressure(gateway: number, begins: boolean): void {
    if (begins) this.#pressedBy.add(gateway)
    else this.#pressedBy.delete(gateway)
  }

  /** The pool has stored the changes of `cloud.shared` up to this one, or could not. */
  onStored(change: number, failed: boolean): void {
    if (this.#gone) return
    if (failed) {
      this.#fail('its shared values could not be stored', 'platform')
      return
    }
    try {
      this.#results.onStored(change)
    } catch (error) {
      this.#fail((error as Error).message, 'tenant')
    }
    this.#enterIfNeeded()
  }

  /** Settles when the next event runs the new release. Rejects if the release cannot be loaded, or the isolate is gone. */
  update(release: AppRelease): Promise<void> {
    if (this.#gone) return Promise.reject(new Error('the isolate is gone'))
    const loaded = this.#errands.update(release)
    this.#enterIfNeeded()
    return loaded
  }

  /**
   * Puts the isolate away, with what it has changed stored: `anyway`, or if it is idle.
   * Settles with whether it is away.
   */
  putAway(anyway: boolean): Promise<boolean> {
    if (this.#gone) return Promise.resolve(true)
    if (!anyway && !this.#isIdle) return Promise.resolve(false)
    const isAway = this.#errands.putAway(anyway)
    this.#enterIfNeeded()
    return isAway
  }

  /** Removes the key of `cloud.shared` that has these bytes. Settles when that is stored. */
  forget(key: Uint8Array): Promise<void> {
    if (this.#gone) return Promise.resolve()
    const stored = this.#errands.forget(key)
    this.#enterIfNeeded()
    return stored
  }

  /** Ends the isolate. */
  dispose(): void {
    if (this.#gone) return
    this.#gone = true
    clearTimeout(this.#attachTimer)
    this.#wake.clear()
    this.#idle.stop()
    this.#slowdown.stop()
    this.#errands.end()
    this.#isolate?.dispose()
    this.#reports.end()
    this.#sayGone()
  }

  /** Behind all that it has sent and settled: the pool's word of its end may come first (gateway's farewell.ts). */
  #sayGone(): void {
    const { app, generation, gateways } = this.#parts
    for (const [gateway, link] of gateways.entries()) {
      link.send({ type: FrameType.GONE, flags: 0, gateway, app, generation, connection: 0, sequence: 0 })
      link.flush()
    }
  }

  /** For so long the pool is told when a turn begins and ends, also of the one that runs. Milliseconds. */
  watch(ms: number): void {
    this.#told.watch(ms)
  }

  async stats(): Promise<IsolateStats> {
    // The pool counts them, and is to know of all when this has come.
    this.#reports.tellLimits()
    this.#reports.tellCounts()
    const isolate = this.#isolate
    const alive = isolate !== null && !isolate.disposed && !this.#gone
    return {
      turns: this.#size.turns,
      events: this.#size.allEvents,
      heapBytes: alive ? await isolate.heapBytes().catch(() => 0) : 0,
      waiting: this.#inbox.count,
      running: this.#busy
    }
  }

  async #start(release: AppRelease): Promise<void> {
    const { state, turns, spare } = this.#parts
    const memoryMiB = release.limits.heapMiB
    this.#told.begin()
    try {
      this.#isolate = await spare.take(memoryMiB)
      if (this.#gone) {
        this.#isolate.dispose()
        return
      }
      await this.#load(release)
    } catch (error) {
      this.#fail(`the isolate did not start: ${(error as Error).message}`, 'platform')
    } finally {
      this.#told.end()
      turns.leave()
      spare.refillSoon(memoryMiB)
    }
    const records = await state
    if (this.#gone || records.length === 0) this.#afterTurn()
    else turns.enter(() => void this.#restore(records))
  }

  async #restore(state: Uint8Array[]): Promise<void> {
    const { turns } = this.#parts
    const isolate = this.#isolate!
    const records = new Uint8Array(Buffer.concat(state))
    this.#told.begin()
    try {
      const problems = await turns.run(this.#watched(isolate, START_LIMIT_MS, null), () => isolate.restore(records.buffer))
      if (problems !== '') this.#reports.log('error', String(problems).slice(0, this.#release.limits.logLineBytes))
    } catch (error) {
      this.#fail(`its shared values were not restored: ${(error as Error).message}`, 'platform')
    } finally {
      this.#told.end()
      turns.leave()
      this.#afterTurn()
    }
  }

  #enter(): void {
    this.#busy = true
    this.#parts.turns.enter(() => void this.#turn())
  }

  async #turn(): Promise<void> {
    this.#wasHere = false
    this.#told.begin()
    try {
      // What came with the same read is for this turn, too. And the stack is short then: isolated-vm takes it down with each call.
      await undefined
      if (this.#errands.hasUpdates) await this.#errands.loadUpdates()
      if (!this.#gone && this.#mayDeliver) await this.#deliver()
      if (!this.#gone && this.#errands.wait) await this.#errands.run()
    } finally {
      this.#told.end()
      this.#parts.turns.leave()
      // Whatever else waits for this thread comes first: sockets, timers.
      if (this.#wasHere) setImmediate(() => this.#afterTurn())
      else this.#afterTurn()
    }
  }

  #afterTurn(): void {
    this.#busy = false
    this.#enterIfNeeded()
  }

  #enterIfNeeded(): void {
    if (this.#busy || this.#gone) return
    const wanted = (this.#inbox.hasNext || this.#wake.isWanted) && this.#mayDeliver
    if (wanted || this.#errands.wait) this.#enter()
  }

  get #mayDeliver(): boolean {
    return !this.#results.isFull && this.#pressedBy.size === 0 && !this.#slowdown.isWaiting
  }

  #tellSlow(): void {
    this.#reports.reached('minuteCpuMs', 1)
    this.#reports.log('warn', `slowed down: more than ${this.#release.limits.minuteCpuMs} ms of CPU were used in a minute (limit minuteCpuMs)`)
  }

  #openInbox(): void {
    this.#inbox.open()
    this.#enterIfNeeded()
  }

  /** Whether the isolate has something to do that nobody has to bring it. */
  get #isAtWork(): boolean {
    const last = this.#last
    return last !== null && (last.pending > 0 || last.timers > 0 || last.held > 0 || last.left)
  }

  /** Whether nothing would be lost with the isolate but what its modules hold. */
  get #isIdle(): boolean {
    return !this.#busy && !this.#isAtWork && this.#inbox.isEmpty && this.#results.isEmpty && !this.#errands.hasUpdates
  }

  #errandHost(): ErrandHost {
    return {
      isGone: () => this.#gone,
      mayGo: () => !this.#inbox.hasNext && !this.#isAtWork && this.#last?.extras === 0,
      load: async (release) => {
        try {
          await this.#load(release)
        } catch (error) {
          this.#failIfEnded(error as Error)
          throw error
        }
      },
      writeAll: (forget) => this.#writeAll(forget),
      dispose: () => this.dispose()
    }
  }

  /** A turn in which nothing happens but that all is written that has changed, a key removed before that is given. */
  async #writeAll(forget?: ArrayBuffer): Promise<void> {
    const isolate = this.#isolate!
    if (this.#gone) return
    try {
      const result = await this.#parts.turns.run(this.#watchedTurn(isolate), () => isolate.rest(this.#acknowledged, forget))
      if (!this.#gone) this.#accept(result)
    } catch (error) {
      if (this.#failIfEnded(error as Error)) return
      this.#reports.log('error', `what had changed of cloud.shared could not be written: ${String((error as Error).message)}`)
    }
    if (!this.#gone) await this.#results.untilEmpty(STORE_LIMIT_MS)
  }

  /** Null if there is nothing to be done. One promise and no more: this is the way of every message. */
  #deliver(): Promise<void> | null {
    const delivery = this.#inbox.hasNext && !this.#last?.left ? this.#inbox.take(this.#size.events, MAX_DELIVERY_BYTES) : NO_EVENTS
    if (delivery.events === 0 && !this.#wake.isWanted) return null
    if (delivery.events > 0) this.#idle.worked()
    this.#wake.clear()
    if (delivery.suspect !== null) this.#reports.started(delivery.suspect, 0)
    const isolate = this.#isolate!
    const { turns } = this.#parts
    const running = turns.begin(this.#watchedTurn(isolate))
    const more = (): Promise<unknown> => {
      turns.watch(running)
      return isolate.more()
    }
    const onResult = (result: unknown): void => this.#onResult(delivery, running, result)
    const onLost = (error: unknown): void => this.#onLost(delivery, running, guestError(error))
    const onAnswer = (result: unknown): Promise<void> | void => (isPartOnly(result) ? more().then(onResult, onLost) : onResult(result))
    this.#wasHere = this.#mayRunHere(delivery)
    let answer: unknown
    try {
      if (!this.#wasHere) {
        turns.watch(running)
        return isolate.turn(this.#acknowledged, delivery).then(onAnswer, onLost)
      }
      // Not under watch: a timer could not look at it before it is over.
      answer = isolate.turnHere(this.#acknowledged, delivery)
    } catch (error) {
      onLost(error)
      return null
    }
    return onAnswer(answer) ?? null
  }

  /**
   * To wake a thread of isolated-vm, and by it this one again, is most of what a small turn costs; on this thread it costs half. But nothing else
   * runs in this process meanwhile, and nobody in it could end the turn: it is for an app that is alone here, whose turns have been short for long.
   * What it does in spite of that concerns the pool: it kills who is silent, and others who are to come here go elsewhere (pool/placement.ts).
   */
  #mayRunHere({ suspect }: Delivery): boolean {
    return suspect === null && this.#parts.isAlone() && this.#short.areUsual(this.#release.limits.turnCpuMs)
  }

  /** The turn has ended, in whatever way. Returns the CPU milliseconds that it took. */
  #onTurnEnd(running: Running): number {
    const { turns } = this.#parts
    // Its limit holds there, too, though nobody could look at it before.
    if (this.#wasHere) turns.look(running)
    turns.end(running)
    // V8 may have ended the isolate since.
    const cpuMs = Math.max(0, running.turn.cpuMs() - running.cpuAtStart)
    this.#slowdown.share.spend(cpuMs)
    this.#short.measure(cpuMs)
    if (!this.#gone) this.#reports.turned(cpuMs)
    return cpuMs
  }

  #onResult({ suspect, events, news, latin1 }: Delivery, running: Running, result: unknown): void {
    const cpuMs = this.#onTurnEnd(running)
    if (this.#gone) return
    this.#size.measure(events - news, cpuMs)
    this.#accept(result, latin1)
    // The turn is not over well if its result has ended the isolate: that event is what does it.
    if (suspect !== null && !this.#gone) this.#reports.started(suspect, Flag.END)
  }

  /** isolated-vm gives an unhandled rejection in place of the result. The guest still has that, and is asked again. */
  #onLost({ suspect }: Delivery, running: Running, error: Error): void {
    this.#onTurnEnd(running)
    if (this.#failIfEnded(error)) return
    if (suspect !== null) this.#reports.started(suspect, Flag.END)
    if (++this.#lostResults > MAX_LOST_RESULTS) {
      this.#fail(`results were lost again and again: ${String(error.message)}`, 'tenant')
      return
    }
    const text = String(error.stack ?? error.message).slice(0, this.#release.limits.logLineBytes)
    this.#reports.log('error', `Unhandled rejection: ${text}`, rejectedIn(text, this.#release.versions))
    this.#wake.isWanted = true
  }

  /** `came`: what was delivered with the turn. */
  #accept(result: unknown, came?: string): void {
    try {
      const last = this.#results.add(checkResult(result, came))
      this.#reports.limits(last.limits)
      this.#reports.counted(last.errors, last.logsDropped, this.#release.limits.logLinesPerSecond)
      this.#last = last
    } catch (error) {
      this.#fail((error as Error).message, 'tenant')
      return
    }
    this.#lostResults = 0
    this.#acknowledged = this.#last.number
    const { wakeInMs, left } = this.#last
    if (left) this.#wake.isWanted = true
    if (wakeInMs !== null) this.#wake.after(wakeInMs)
  }

  /** V8 has ended the isolate, not we. */
  #failIfEnded(error: Error): boolean {
    if (this.#gone || !this.#isolate!.disposed) return this.#gone
    const message = String(error.message)
    const isFull = /memory limit|disposed/i.test(message)
    if (isFull) this.#reports.reached('heapMiB', 1)
    this.#fail(isFull ? `the heap was above ${this.#release.limits.heapMiB} MiB (limit heapMiB)` : message, 'tenant')
    return true
  }

  async #load(release: AppRelease): Promise<void> {
    const isolate = this.#isolate!
    const { limits } = release
    await this.#parts.turns.run(this.#watched(isolate, limits.turnCpuMs, 'turnCpuMs'), () => isolate.load(release))
    this.#release = kept(release)
    this.#slowdown.share.limit(limits.minuteCpuMs)
    if (!this.#gone) this.#idle.limitChanged()
  }

  #watchedTurn(isolate: Isolate): WatchedTurn {
    return this.#watched(isolate, this.#release.limits.turnCpuMs, 'turnCpuMs')
  }

  /** `limit`: the limit of the app that it is, if it is one. */
  #watched(isolate: Isolate, limitMs: number, limit: 'turnCpuMs' | null): WatchedTurn {
    return {
      cpuMs: () => isolate.cpuMs,
      limitMs,
      stop: (reason, cpuMs) => {
        if (!this.#gone) this.#reports.turned(cpuMs)
        if (limit !== null && !this.#gone) this.#reports.reached(limit, 1)
        this.#fail(limit === null ? reason : `${reason} (limit ${limit})`, 'tenant')
      },
      lost: () => this.#parts.onTainted(`a turn of ${this.#release.appid} could not be ended`)
    }
  }

  #fail(reason: string, fault: 'tenant' | 'platform'): void {
    if (this.#gone) return
    this.#reports.log('error', `the isolate was ended: ${reason}`)
    this.dispose()
    this.#parts.onDown(reason, fault)
  }

}

function kept(release: AppRelease): KeptRelease {
  return { appid: release.appid, limits: release.limits, versions: versionsOf(release) }
}
