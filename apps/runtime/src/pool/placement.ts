import type { Catalog } from '@socklet/catalog'
import { CallError, type Loss, type Placement, type PoolCallsOfWorker } from '@socklet/protocol'
import { appRelease, inTurn, type PoolApp } from './app.ts'
import type { Apps } from './apps.ts'
import type { Gateways } from './gateways.ts'
import type { SharedStates } from './shared-states.ts'
import type { WorkerProcess } from './worker-process.ts'
import type { Workers } from './workers.ts'

/** An isolate that lived this long was not lost because of how it starts. */
const SETTLED_MS = 10_000
const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 60_000
/** Losses in a row after which the app cannot run, and its clients are told so. */
const MAX_LOSSES = 10

/**
 * Which worker holds an app. At most one does: a generation number goes with each placement, and whatever comes
 * from an older one is dropped wherever it arrives.
 */
export class Placements {
  readonly #catalog: Catalog
  readonly #apps: Apps
  readonly #workers: Workers
  readonly #gateways: Gateways
  readonly #states: SharedStates
  readonly #report: (message: string) => void
  #nextGeneration = 1

  constructor(parts: { catalog: Catalog; apps: Apps; workers: Workers; gateways: Gateways; states: SharedStates; report: (message: string) => void }) {
    this.#catalog = parts.catalog
    this.#apps = parts.apps
    this.#workers = parts.workers
    this.#gateways = parts.gateways
    this.#states = parts.states
    this.#report = parts.report
  }

  /** Where the app is, starting it if need be. @throws CallError `unavailable` if it cannot run. */
  place(app: PoolApp): Promise<Placement> {
    return inTurn(app, async () => app.placement ?? this.#start(app))
  }

  /** Gives the worker that holds the app what the catalog has now, or another isolate where the old one cannot take it. */
  update(app: PoolApp, heapBefore: number): Promise<void> {
    return inTurn(app, async () => {
      app.failed = false
      app.losses = 0
      if (app.placement === null) return
      if (app.route.state === 'suspended') await this.#putAway(app)
      else if (app.heapMiB !== heapBefore || !(await this.#load(app))) await this.#moveAnew(app)
    })
  }

  /** A fresh isolate; connections stay. */
  restart(app: PoolApp): Promise<void> {
    return inTurn(app, async () => {
      app.failed = false
      app.losses = 0
      if (app.placement !== null) await this.#moveAnew(app)
    })
  }

  /** The app is gone from the catalog. */
  remove(app: PoolApp): Promise<void> {
    return inTurn(app, async () => {
      await this.#release(app)
      await this.#states.remove(app)
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
      if (worker === undefined) return this.#states.deleteKey(app.appid, key)
      if (!(await this.#states.has(app.appid, key))) return false
      await worker.control.call('forget', { app: app.number, generation: app.placement!.generation, key: Buffer.from(key).toString('base64') })
      return true
    })
  }

  /** A worker has lost the isolate of an app. */
  onDown(worker: WorkerProcess, down: PoolCallsOfWorker['down']['params']): void {
    const app = this.#apps.byNumber(down.app)
    if (app?.placement?.generation !== down.generation || app.placement.worker !== worker.index) return
    worker.apps.delete(app.number)
    this.#recover(app, 'crashed')
  }

  /** A worker is gone, with all isolates that it had. */
  onLost(worker: WorkerProcess, loss: Loss): void {
    for (const number of worker.apps) {
      const app = this.#apps.byNumber(number)
      if (app?.placement?.worker === worker.index) this.#recover(app, loss)
    }
  }

  /** Starts the app anew elsewhere, with growing delays if it keeps getting lost. */
  #recover(app: PoolApp, loss: Loss): void {
    app.placement = null
    app.restarts++
    if (loss === 'crashed') app.losses = Date.now() - app.startedAt > SETTLED_MS ? 1 : app.losses + 1
    if (app.losses > MAX_LOSSES) {
      app.failed = true
      this.#gateways.tell('failed', { app: app.number })
      return
    }
    const delay = app.losses <= 2 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (app.losses - 3), MAX_DELAY_MS)
    setTimeout(() => void this.#replace(app, loss), delay)
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
    if (!(await worker.control.call('release', { app: app.number, ifIdle: true }))) return
    // The worker may have died meanwhile, and the app be on its way to another.
    if (app.placement?.generation !== generation) return
    app.placement = null
    worker.apps.delete(app.number)
    await this.#gateways.all('placed', { app: app.number, placement: null, loss: 'idle' })
  }

  async #putAway(app: PoolApp): Promise<void> {
    await this.#release(app)
    await this.#gateways.all('placed', { app: app.number, placement: null, loss: 'none' })
  }

  async #moveAnew(app: PoolApp): Promise<void> {
    await this.#release(app)
    const placement = await this.#hold(app)
    await this.#gateways.all('placed', { app: app.number, placement, loss: 'none' })
  }

  async #hold(app: PoolApp): Promise<Placement> {
    if (app.failed) throw new CallError('unavailable', `the app ${app.appid} failed again and again`)
    if (app.route.state === 'suspended') throw new CallError('unavailable', `the app ${app.appid} is suspended`)
    const release = await this.#catalog.release(app.appid)
    if (release === null) throw new CallError('unavailable', `there is no app ${app.appid}`)
    for (;;) {
      const worker = await this.#workers.pick()
      const placement = { app: app.number, worker: worker.index, generation: this.#nextGeneration++ }
      worker.apps.add(app.number)
      try {
        await this.#states.give(app, placement.generation, worker)
        await worker.control.call('hold', { app: app.number, generation: placement.generation, release: appRelease(release) })
      } catch (error) {
        worker.apps.delete(app.number)
        if (worker.alive) throw error
        continue
      }
      // The worker may have died after it answered: then nobody would tell us of it any more.
      if (!worker.alive) continue
      app.placement = placement
      app.startedAt = Date.now()
      return placement
    }
  }

  /** Until it is away, the worker holds the app: what it has changed last is still to be stored. */
  async #release(app: PoolApp): Promise<void> {
    const { placement } = app
    const worker = placement === null ? undefined : this.#workers.get(placement.worker)
    await worker?.control.call('release', { app: app.number }).catch(() => {})
    worker?.apps.delete(app.number)
    // The worker may have died meanwhile, which has its own consequences.
    if (app.placement === placement) app.placement = null
  }

  /** false if the isolate could not take it. */
  async #load(app: PoolApp): Promise<boolean> {
    const { placement } = app
    const worker = placement === null ? undefined : this.#workers.get(placement.worker)
    const release = await this.#catalog.release(app.appid)
    if (placement === null || worker === undefined || release === null) return false
    try {
      await worker.control.call('update', { app: app.number, generation: placement.generation, release: appRelease(release) })
      return true
    } catch {
      return app.placement !== placement
    }
  }
}
