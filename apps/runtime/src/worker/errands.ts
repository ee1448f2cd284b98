import type { AppRelease } from '@socklet/protocol'

/** A release that is to be loaded. `done` is called when the next event runs it, or it cannot be. */
export interface Update {
  readonly release: AppRelease
  readonly done: (error?: Error) => void
}

/** A key of `cloud.shared` that is to be removed, as its bytes. */
export interface Forget {
  readonly key: Uint8Array
  readonly done: () => void
}

/** The isolate is to be put away; without `anyway` only if it is idle. `done` is told whether it is away. */
export interface PutAway {
  readonly anyway: boolean
  readonly done: (isAway: boolean) => void
}

/** What the pool wants of an app besides its events. Each waits for a turn of the app, and all are over with the isolate. */
export class Errands {
  readonly updates: Update[] = []
  readonly forgets: Forget[] = []
  readonly putAways: PutAway[] = []

  get wait(): boolean {
    return this.updates.length + this.forgets.length + this.putAways.length > 0
  }

  /** The isolate is gone. */
  end(): void {
    for (const { done } of this.putAways.splice(0)) done(true)
    for (const { done } of this.forgets.splice(0)) done()
    for (const { done } of this.updates.splice(0)) done(new Error('the isolate is gone'))
  }
}
