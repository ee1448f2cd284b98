import type { AppRelease } from '@socklet/protocol'

/** What errands ask of the app whose they are. */
export interface ErrandHost {
  isGone(): boolean
  /** Nothing has come, and nothing was begun, that the isolate would have to stay for. */
  mayGo(): boolean
  /** Rejects if the release cannot be loaded. */
  load(release: AppRelease): Promise<void>
  /** Settles when all is stored that has changed of `cloud.shared`, the key removed before that has these bytes. */
  writeAll(forget?: ArrayBuffer): Promise<void>
  dispose(): void
}

/** A release that is to be loaded. `done` is called when the next event runs it, or it cannot be. */
interface Update {
  readonly release: AppRelease
  readonly done: (error?: Error) => void
}

/** A key of `cloud.shared` that is to be removed, as its bytes. */
interface Forget {
  readonly key: Uint8Array
  readonly done: () => void
}

/** The isolate is to be put away; without `anyway` only if it is idle. `done` is told whether it is away. */
interface PutAway {
  readonly anyway: boolean
  readonly done: (isAway: boolean) => void
}

/** What the pool wants of an app besides its events. Each waits for a turn of the app, and all are over with the isolate. */
export class Errands {
  readonly #host: ErrandHost
  readonly #updates: Update[] = []
  readonly #forgets: Forget[] = []
  readonly #putAways: PutAway[] = []

  constructor(host: ErrandHost) {
    this.#host = host
  }

  get wait(): boolean {
    return this.#updates.length + this.#forgets.length + this.#putAways.length > 0
  }

  get hasUpdates(): boolean {
    return this.#updates.length > 0
  }

  /** Settles when the next event runs the release. Rejects if it cannot be loaded, or the isolate is gone. */
  update(release: AppRelease): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#updates.push({ release, done: (error) => (error === undefined ? resolve() : reject(error)) })
    })
  }

  /** Settles when the key is removed, or nobody can do it any more. */
  forget(key: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#forgets.push({ key, done: resolve })
    })
  }

  /** Settles with whether the isolate is away. */
  putAway(anyway: boolean): Promise<boolean> {
    return new Promise((resolve) => {
      this.#putAways.push({ anyway, done: resolve })
    })
  }

  async loadUpdates(): Promise<void> {
    while (this.#updates.length > 0 && !this.#host.isGone()) {
      const { release, done } = this.#updates.shift()!
      try {
        await this.#host.load(release)
        done()
      } catch (error) {
        done(error as Error)
      }
    }
  }

  /** What is done behind the events of a turn. */
  async run(): Promise<void> {
    for (const { key, done } of this.#forgets.splice(0)) {
      await this.#host.writeAll(new Uint8Array(key).buffer)
      done()
    }
    if (this.#putAways.length > 0 && !this.#host.isGone()) await this.#rest()
  }

  /** The last turn before the isolate is put away. What has come meanwhile is a reason to keep it, unless it has to go. */
  async #rest(): Promise<void> {
    const anyway = this.#putAways.some((one) => one.anyway)
    await this.#host.writeAll()
    if (!this.#host.isGone() && (anyway || this.#host.mayGo())) this.#host.dispose()
    else for (const { done } of this.#putAways.splice(0)) done(this.#host.isGone())
  }

  /** The isolate is gone. */
  end(): void {
    for (const { done } of this.#putAways.splice(0)) done(true)
    for (const { done } of this.#forgets.splice(0)) done()
    for (const { done } of this.#updates.splice(0)) done(new Error('the isolate is gone'))
  }
}
