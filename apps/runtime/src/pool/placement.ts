import type { Limits } from '@socklet/config'
import { CallError, type Loss, type Placement, type PoolCallsOfWorker } from '@socklet/protocol'
import { appRelease, inTurn, isDedicated, type PoolApp } from './app.ts'
import type { Apps } from './apps.ts'
import { Blame, countLoss, delayAfterLoss, forgetLosses, forgive, isQuarantined, watchMs, type BlameParts } from './blame.ts'
import type { Gateways } from './gateways.ts'
import type { SharedStates } from './shared-states.ts'
import type { WorkerProcess } from './worker-process.ts'
import type { Workers } from './workers.ts'

/**
 * An app that is alone in its worker may be in a turn on the worker's own thread (worker/app.ts). Whoever comes there waits no longer than this,
 * milliseconds.
 */
const LET_IN_MS = 500

export interface PlacementParts extends BlameParts {
  apps: Apps
  workers: Workers
  gateways: Gateways
  states: SharedStates
}

/**
 * Which worker holds an app. At most one does: a generation number goes with each placement, and whatever comes
 * from an older one is dropped wherever it arrives.
 */
export class Placements {
  readonly #apps: Apps
  readonly #workers: Workers
  readonly #gateways: Gateways
  readonly #states: SharedStates
  readonly #report: PlacementParts['report']
  readonly #blame: Blame
  #nextGeneration = 1

  constructor(parts: PlacementParts) {
    this.#apps = parts.apps
    this.#workers = parts.workers
    this.#gateways = parts.gateways
    this.#states = parts.states
    this.#report = parts.report
    this.#blame = new Blame(parts)
  }

  /** Where the app is, starting it if need be. @throws CallError `unavailable` if it cannot run. */
  place(app: PoolApp): Promise<Placement> {
    return inTurn(app, async () => app.placement ?? this.#start(app))
  }

  /** Gives the worker that holds the app what the catalog has now, or another isolate where the old one cannot take it. */
  update(app: PoolApp, before: Limits): Promise<void> {
    return inTurn(app, async () => {
      forgive(app)
      if (app.placement !== null) await this.#apply(app, before)
      if (!isDedicated(app.route.limits)) this.#workers.own.finishDedicated(app.number)
    })
  }

  async #apply(app: PoolApp, before: Limits): Promise<void> {
    if (app.route.state === 'suspended') {
      await this.#putAway(app)
      return
    }
    // The app goes on where it is until its own worker is there. If that does not start, it is asked for again below.
    const { limits } = app.route
    if (isDedicated(limits) && !isDedicated(before)) await this.#pick(app).catch(() => {})
    if (limits.heapMiB !== before.heapMiB || isDedicated(limits) !== isDedicated(before) || !(await this.#load(app))) await this.#moveAnew(app)
  }

  /** A fresh isolate; connections stay. */
  restart(app: PoolApp): Promise<void> {
    return inTurn(app, async () => {
      forgetLosses(app)
      if (app.placement !== null) await this.#moveAnew(app)
    })
  }

  /** The app is gone from the catalog. */
  remove(app: PoolApp): Promise<void> {
    return inTurn(app, async () => {
      await this.#release(app, true)
      this.#workers.own.finishDedicated(app.number)
      this.#states.forget(app)
    })
  }

  /** The app has nothing to do: its isolate is put away until something comes for it. */
  onIdle(worker: WorkerProcess, { app: number, generation }: PoolCallsOfWorker['idle']['params']): void {
    const app = this.#apps.byNumber(number)
    if (app !== undefined) void inTurn(app, () => this.#hibernate(app, worker, generation)).catch(() => {})
  }

  /** All isolates are put away, with what they have changed stored. */
  async putAllAway(): Promise<void> {
    await Promise.all(this.#apps.all.map((app) => inTurn(app, () => this.#release(app)).catch(() => {})))
  }

  /** Removes a key of the app's shared values. Returns whether it was there. */
  deleteShared(app: PoolApp, key: Uint8Array): Promise<boolean> {
    return inTurn(app, async () => {
      const worker = app.placement === null ? undefined : this.#workers.get(app.placement.worker)
      if (worker === undefined) return this.#states.deleteKey(app, key)
      if (!(await this.#states.has(app, key))) return false
      await worker.control.call('forget', { app: app.number, generation: app.placement!.generation, key: Buffer.from(key).toString('base64') })
      return true
    })
  }

  /** A worker has lost the isolate of an app. */
  onDown(worker: WorkerProcess, down: PoolCallsOfWorker['down']['params']): void {
    const app = this.#apps.byNumber(down.app)
    if (app?.placement?.generation !== down.generation || app.placement.worker !== worker.index) return
    worker.apps.delete(app.number)
    worker.running.delete(app.number)
    this.#blame.onDown(app, down.fault)
    if (worker.apps.size === 0 && !isDedicated(app.route.limits)) this.#workers.own.finish(worker)
    this.#recover(app, 'crashed')
  }

  /** A worker is killed now because of its memory. */
  onMemory(worker: WorkerProcess, rssBytes: number): void {
    this.#blame.onMemory(this.#heldBy(worker), worker, rssBytes)
  }

  /** A worker is gone, with all isolates that it had. */
  onLost(worker: WorkerProcess, loss: Loss): void {
    const lost = this.#heldBy(worker).filter(({ placement }) => placement?.worker === worker.index)
    if (loss === 'crashed') this.#blame.onCrash(lost, worker)
    for (const app of lost) this.#recover(app, loss)
  }

  #heldBy(worker: WorkerProcess): PoolApp[] {
    return [...worker.apps].flatMap((number) => this.#apps.byNumber(number) ?? [])
  }

  /** Starts the app anew elsewhere, with growing delays if it keeps getting lost. */
  #recover(app: PoolApp, loss: Loss): void {
    app.placement = null
    app.restarts++
    const delayMs = delayAfterLoss(app)
    if (delayMs === null) {
      this.#blame.giveUp(app)
      this.#gateways.tell('failed', { app: app.number })
    } else setTimeout(() => void this.#replace(app, loss), delayMs)
  }

  async #replace(app: PoolApp, loss: Loss): Promise<void> {
    let placement: Placement | null = null
    try {
      placement = await inTurn(app, async () => (this.#apps.byNumber(app.number) === app ? (app.placement ?? (await this.#hold(app))) : null))
    } catch (error) {
      // A gateway that has events for it asks again, and is told then.
      this.#report(`${app.appid} was not started anew: ${(error as Error).message}`)
    }
    await this.#gateways.all('placed', { app: app.number, placement, loss })
  }

  /** Every gateway is told where the app is: the isolate begins when it knows the connections of all. */
  async #start(app: PoolApp): Promise<Placement> {
    const placement = await this.#hold(app)
    this.#gateways.tell('placed', { app: app.number, placement, loss: 'none' })
    return placement
  }

  async #hibernate(app: PoolApp, worker: WorkerProcess, generation: number): Promise<void> {
    if (app.placement?.generation !== generation || app.placement.worker !== worker.index) return
    if (!(await worker.control.call('putAway', { app: app.number, ifIdle: true }))) return
    // The worker may have died meanwhile, and the app be on its way to another.
    if (app.placement?.generation !== generation) return
    app.placement = null
    worker.apps.delete(app.number)
    await this.#gateways.all('placed', { app: app.number, placement: null, loss: 'idle' })
  }

  async #putAway(app: PoolApp): Promise<void> {
    await this.#release(app)
    await this.#gateways.all('placed', { app: app.number, placement: null, loss: 'putAway' })
  }

  /** If it cannot be started anew, it is nowhere, and the gateways know it: with the next event they ask for a place. */
  async #moveAnew(app: PoolApp): Promise<void> {
    await this.#release(app)
    let placement: Placement | null = null
    try {
      placement = await this.#hold(app)
    } finally {
      await this.#gateways.all('placed', { app: app.number, placement, loss: 'putAway' })
    }
  }

  async #hold(app: PoolApp): Promise<Placement> {
    if (app.failed) throw new CallError('unavailable', `the app ${app.appid} failed again and again`)
    if (app.route.state === 'suspended') throw new CallError('unavailable', `the app ${app.appid} is suspended`)
    const release = await this.#apps.release(app)
    if (release === null) throw new CallError('unavailable', `there is no app ${JSON.stringify(app.appid)}`)
    for (;;) {
      const worker = await this.#pick(app)
      // It may have died since: then nobody would tell us of it any more.
      if (!worker.alive) continue
      const placement = { app: app.number, worker: worker.index, generation: this.#nextGeneration++ }
      worker.take(app.number)
      app.placement = placement
      app.startedAt = Date.now()
      // Not waited for: the worker keeps what gateways have for the app until this is there (worker/early.ts), and whoever woke it waits for each step.
      const held = worker.control.call('hold', { app: app.number, generation: placement.generation, release: appRelease(release), watchMs: watchMs(app) })
      held.catch((error: Error) => this.#onNotHeld(app, worker, placement, error))
      this.#elsewhereUnless(held, app, worker, placement)
      if (await this.#giveState(app, worker, placement)) return placement
    }
  }

  /** What is kept of the app is read while the worker loads it. false if the app is not there any more. */
  async #giveState(app: PoolApp, worker: WorkerProcess, placement: Placement): Promise<boolean> {
    worker.flush()
    try {
      const opened = await this.#states.open(app)
      if (app.placement !== placement) return false
      this.#states.give(app, opened, placement.generation, worker)
      return true
    } catch (error) {
      if (app.placement === placement) this.#takeBack(app, worker)
      throw error
    }
  }

  /** An app that the worker was told of is not to start there. */
  #takeBack(app: PoolApp, worker: WorkerProcess): void {
    worker.control.call('putAway', { app: app.number, discard: true }).catch(() => {})
    worker.apps.delete(app.number)
    worker.arriving.delete(app.number)
    app.placement = null
  }

  async #pick(app: PoolApp): Promise<WorkerProcess> {
    const dedicated = isDedicated(app.route.limits)
    if (!dedicated && !isQuarantined(app)) return this.#workers.pick()
    try {
      return await (dedicated ? this.#workers.own.pickDedicated(app.number) : this.#workers.own.pick())
    } catch (error) {
      this.#report((error as Error).message)
      throw new CallError('no_worker', `no worker of its own could be started for ${app.appid}`)
    }
  }

  /** A worker that has one app and lets no other in is left to the one that keeps it busy. */
  #elsewhereUnless(held: Promise<unknown>, app: PoolApp, worker: WorkerProcess, placement: Placement): void {
    worker.arriving.add(app.number)
    // Its answer may be there and not read yet, where this process was kept from it.
    const timer = setTimeout(() => setImmediate(() => this.#goElsewhere(app, worker, placement)), LET_IN_MS)
    const onAnswer = (): void => {
      worker.arriving.delete(app.number)
      clearTimeout(timer)
    }
    held.then(onAnswer, onAnswer)
  }

  #goElsewhere(app: PoolApp, worker: WorkerProcess, placement: Placement): void {
    if (!worker.alive || app.placement !== placement || !worker.arriving.has(app.number)) return
    if (worker.apps.size - worker.arriving.size !== 1 || !this.#workers.leaveAlone(worker)) return
    this.#report(`worker ${worker.index} is busy with the one app that it has: ${app.appid} goes to another`)
    // Behind the `hold`: when the worker reads that, it reads this as well.
    this.#takeBack(app, worker)
    void this.#replace(app, 'killed')
  }

  /** If the worker has died, that has its own consequences. */
  #onNotHeld(app: PoolApp, worker: WorkerProcess, placement: Placement, error: Error): void {
    if (!worker.alive || app.placement !== placement) return
    this.#report(`worker ${worker.index} did not take ${app.appid}: ${error.message}`)
    worker.apps.delete(app.number)
    countLoss(app)
    this.#recover(app, 'crashed')
  }

  /** Until it is away, the worker holds the app: what it has changed last is still to be stored. */
  async #release(app: PoolApp, discard = false): Promise<void> {
    const { placement } = app
    const worker = placement === null ? undefined : this.#workers.get(placement.worker)
    await worker?.control.call('putAway', { app: app.number, discard }).catch(() => {})
    worker?.apps.delete(app.number)
    // The worker may have died meanwhile, which has its own consequences.
    if (app.placement === placement) app.placement = null
  }

  /** false if the isolate could not take it. */
  async #load(app: PoolApp): Promise<boolean> {
    const { placement } = app
    const worker = placement === null ? undefined : this.#workers.get(placement.worker)
    const release = await this.#apps.release(app)
    if (placement === null || worker === undefined || release === null) return false
    try {
      await worker.control.call('update', { app: app.number, generation: placement.generation, release: appRelease(release) })
      return true
    } catch {
      return app.placement !== placement
    }
  }
}
