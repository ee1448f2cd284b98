import { SharedError } from '../store.ts'
import { apply } from './apply.ts'
import type { StoreDatabase } from './database.ts'
import { checkLease, staleLease } from './leases.ts'

interface Write {
  appid: string
  lease: number
  records: Uint8Array
  quota: number
  resolve: () => void
  reject: (error: SharedError) => void
}

const APP_SIZE = 'SELECT (SELECT total(size) FROM entries WHERE app = ?1) + (SELECT total(size) FROM nodes WHERE app = ?1)'

/** What is known here of an app that was opened. */
interface Held {
  lease: number
  /** Size of the app; null if it has to be asked for. */
  bytes: number | null
  /** A write of this lease was refused. */
  broken: boolean
}

/** Writes that wait for the end of the tick, and are then made in one transaction. */
export class Writes {
  readonly #db: StoreDatabase
  readonly #held = new Map<string, Held>()
  #waiting: Write[] = []
  #timer: NodeJS.Immediate | null = null

  constructor(db: StoreDatabase) {
    this.#db = db
  }

  /** Settles when it was written, or refused. */
  add(appid: string, lease: number, records: Uint8Array, quota: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ appid, lease, records, quota, resolve, reject })
      // After all that this turn of the event loop reads from links, so that one transaction has the writes of all of them.
      this.#timer ??= setImmediate(() => this.flush())
    })
  }

  opened(appid: string, lease: number): void {
    this.#held.set(appid, { lease, bytes: null, broken: false })
  }

  /** Somebody else has changed the app. */
  changed(appid: string): void {
    const held = this.#held.get(appid)
    if (held !== undefined) held.bytes = null
  }

  removed(appid: string): void {
    this.#held.delete(appid)
  }

  /** Writes what is waiting, now. */
  flush(): void {
    if (this.#timer !== null) clearImmediate(this.#timer)
    this.#timer = null
    const writes = this.#waiting
    if (writes.length === 0) return
    this.#waiting = []
    const refusals = this.#write(writes)
    for (const [index, { resolve, reject }] of writes.entries()) {
      const refusal = refusals[index] ?? null
      if (refusal === null) resolve()
      else reject(refusal)
    }
  }

  /** @returns for each write why it was refused, or null */
  #write(writes: Write[]): (SharedError | null)[] {
    const after = new Map<string, Held>()
    // In a transaction that several share, each is taken back alone. A single one is the transaction: a savepoint would cost it a fifth more.
    const one = (write: Write): SharedError | null => this.#refusal(write, after, () => this.#db.attempt(() => this.#one(write, after)))
    const [first] = writes
    const work = writes.length > 1 || first === undefined ? () => writes.map(one) : () => [this.#one(first, after)]
    try {
      const refusals = this.#db.write(work)
      for (const [appid, held] of after) this.#held.set(appid, held)
      return refusals
    } catch (error) {
      return writes.map((write) => this.#refused(write, error as SharedError))
    }
  }

  /** Within the transaction; `after` is what will be known when it has been committed. @throws SharedError */
  #one(write: Write, after: Map<string, Held>): null {
    const { appid, lease } = write
    const held = after.get(appid) ?? this.#held.get(appid)
    if (held?.lease === lease && held.broken) throw staleLease(appid, lease)
    const app = checkLease(this.#db, appid, lease)
    const known = held?.lease === lease ? held.bytes : null
    const before = known ?? this.#db.get<[number]>(APP_SIZE, app)![0]
    after.set(appid, { lease, bytes: this.#apply(write, app, before), broken: false })
    return null
  }

  #refusal(write: Write, after: Map<string, Held>, work: () => null): SharedError | null {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof SharedError)) throw error
      if (error.code !== 'stale_lease') after.delete(write.appid)
      return this.#refused(write, error)
    }
  }

  #refused({ appid, lease }: Write, error: SharedError): SharedError {
    const held = this.#held.get(appid)
    // Leases grow: one that is void already says nothing of the one in force.
    if (error.code !== 'stale_lease' && (held === undefined || held.lease <= lease)) this.#held.set(appid, { lease, bytes: null, broken: true })
    return error
  }

  #apply({ appid, records, quota }: Write, app: number, before: number): number {
    const bytes = before + apply(this.#db, app, records)
    if (bytes > quota && bytes > before) throw new SharedError('over_quota', `${JSON.stringify(appid)} would have ${bytes} bytes in the shared store, and may have ${quota}`)
    return bytes
  }
}
