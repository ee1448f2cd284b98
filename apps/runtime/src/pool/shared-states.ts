import { Flag, FrameError, FrameType, readHead, HEADER_BYTES, type FrameHead } from '@socklet/protocol'
import { ENTRY_BYTES, SharedError, countRecords, type OpenedApp, type SharedStore } from '@socklet/shared'
import type { PoolApp } from './app.ts'
import type { Apps } from './apps.ts'
import type { WorkerProcess } from './worker-process.ts'

/** What the store may hold of an app beyond its quota: the guest keeps that to the byte, the store only keeps a worker that was taken over from filling the disk. */
const QUOTA_ROOM = 1024 * 1024

/**
 * Records of one change. A guest makes 200,000 new ones in a turn at most, and removes what there is: the smallest entries count for
 * ENTRY_BYTES each, so that of the largest quota there are three million. Records that do nothing could be ten times as many.
 */
const MAX_RECORDS = 200_000
function mostRecords(sharedBytes: number): number {
  return 2 * MAX_RECORDS + Math.ceil((sharedBytes + QUOTA_ROOM) / ENTRY_BYTES)
}

/** Between the workers that hold apps and the store that keeps what is in their `cloud.shared`. */
export class SharedStates {
  readonly #store: SharedStore
  readonly #apps: Apps
  readonly #report: (message: string) => void
  /** By app number: the life of the app that may write. */
  readonly #leases = new Map<number, { generation: number; lease: number }>()
  /** First frames of changes whose last one has not come. */
  readonly #parts = new Map<number, { generation: number; frames: Uint8Array[]; bytes: number }>()

  constructor(parts: { store: SharedStore; apps: Apps; report: (message: string) => void }) {
    this.#store = parts.store
    this.#apps = parts.apps
    this.#report = parts.report
  }

  /** Reads what is kept of the app, for its next life. From now on no other writes of it. @throws SharedError */
  open(app: PoolApp): Promise<OpenedApp> {
    return this.#store.open(app.dataName)
  }

  /** Gives the worker what `open` has read. */
  give(app: PoolApp, { lease, records }: OpenedApp, generation: number, worker: WorkerProcess): void {
    this.#leases.set(app.number, { generation, lease })
    this.#parts.delete(app.number)
    sendState(worker, app.number, generation, records)
  }

  /** Gives a worker a copy of what is kept under this name, as of the app with this number, to try code with. @throws SharedError */
  async lend(dataName: string, number: number, worker: WorkerProcess): Promise<void> {
    sendState(worker, number, 0, await this.#store.copy(dataName))
  }

  /** A worker has changes of an app, `bytes[start .. end)`. @throws FrameError if no guest makes so many, which ends the worker */
  onChange(worker: WorkerProcess, bytes: Uint8Array, start: number, end: number): void {
    const head = readHead(bytes, start)
    const app = this.#apps.byNumber(head.app)
    const lease = this.#leases.get(head.app)
    // Of an app that it does not hold, or not any more.
    if (app === undefined || lease?.generation !== head.generation || !worker.apps.has(head.app)) return
    const change = this.#whole(app, head, bytes.slice(start + HEADER_BYTES, end))
    if (change === 'too much') this.#refuse(worker, head)
    else if (change !== null && countRecords(change, mostRecords(app.route.limits.sharedBytes)) > mostRecords(app.route.limits.sharedBytes)) throw new FrameError(`a worker has more changes of ${app.appid} than there can be`)
    else if (change !== null) void this.#write(worker, app, lease.lease, head, change)
  }

  /** The app is gone for good: nothing of it is written any more. */
  forget(app: PoolApp): void {
    this.#leases.delete(app.number)
    this.#parts.delete(app.number)
  }

  /** Removes all that is kept under this name. @throws SharedError */
  remove(dataName: string): Promise<void> {
    return this.#store.remove(dataName)
  }

  /** Whether there was such a key. For an app that is nowhere. */
  async deleteKey(app: PoolApp, key: Uint8Array): Promise<boolean> {
    return this.#store.deleteKey(app.dataName, key)
  }

  async has(app: PoolApp, key: Uint8Array): Promise<boolean> {
    return (await this.#store.value(app.dataName, key, { maxBytes: 0 })) !== null
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  /** null while there is more to come. */
  #whole(app: PoolApp, { generation, flags }: FrameHead, frame: Uint8Array): Uint8Array | null | 'too much' {
    let parts = this.#parts.get(app.number)
    if (parts?.generation !== generation) parts = { generation, frames: [], bytes: 0 }
    const isLast = (flags & Flag.END) !== 0
    parts.frames.push(frame)
    parts.bytes += frame.byteLength
    if (!isLast) this.#parts.set(app.number, parts)
    // A whole state and what takes its place, and what each record has beside its bytes.
    const tooMuch = parts.bytes > 4 * app.route.limits.sharedBytes + QUOTA_ROOM
    if (isLast || tooMuch) this.#parts.delete(app.number)
    if (tooMuch) return 'too much'
    if (!isLast) return null
    return parts.frames.length === 1 ? frame : Buffer.concat(parts.frames)
  }

  async #write(worker: WorkerProcess, app: PoolApp, lease: number, head: FrameHead, change: Uint8Array): Promise<void> {
    try {
      await this.#store.write(app.dataName, lease, change, { bytes: app.route.limits.sharedBytes + QUOTA_ROOM })
      this.#answer(worker, head, false)
    } catch (error) {
      // Another life of the app has taken over: nobody waits for the answer.
      if ((error as SharedError).code === 'stale_lease') return
      this.#report(`shared values of ${app.appid} were not stored: ${(error as Error).message}`)
      this.#refuse(worker, head)
    }
  }

  /** The isolate is given up, and begins anew with what is stored. What it still sends was made by somebody who took this for done. */
  #refuse(worker: WorkerProcess, head: FrameHead): void {
    this.#leases.delete(head.app)
    this.#answer(worker, head, true)
  }

  #answer(worker: WorkerProcess, { app, generation, sequence }: FrameHead, failed: boolean): void {
    worker.send({ type: FrameType.SHARED_DONE, flags: failed ? Flag.FAILED : 0, gateway: 0, app, generation, connection: 0, sequence })
  }
}

function sendState(worker: WorkerProcess, app: number, generation: number, records: Uint8Array[]): void {
  const head = { type: FrameType.SHARED_STATE, flags: 0, gateway: 0, app, generation, connection: 0, sequence: 0 }
  for (const chunk of records) worker.send(head, chunk)
  worker.send({ ...head, flags: Flag.END })
}
