import type { NodeKind } from './records.ts'

/** What an app's write is refused with. */
export type SharedErrorCode =
  /** Another has opened the app since, it was removed, or a write of this lease was refused before. */
  | 'stale_lease'
  /** It would make the app larger than the quota, and than it was. */
  | 'over_quota'
  /** The bytes are no records, or set an entry of what is no Map and no Set. */
  | 'bad_records'
  /** To write it would keep other apps from writing for too long. */
  | 'too_long'
  /** The store itself could not: the disk is full, the file is locked or broken. */
  | 'failed'
  /** Not one that a listing has given. */
  | 'invalid_cursor'

export class SharedError extends Error {
  override readonly name = 'SharedError'
  readonly code: SharedErrorCode

  constructor(code: SharedErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export interface OpenedApp {
  /** Goes with every write. Never given again, to any app. */
  lease: number
  /** The state, in chunks to be replayed in this order: the nodes, then the entries of each in their order. */
  records: Uint8Array[]
}

/** An entry of `cloud.shared` in a listing. */
export interface KeyInfo {
  /** A value, as value-tags.ts describes it. */
  key: Uint8Array
  /** MAP or SET if the value is a node of that kind, else VALUE. */
  kind: NodeKind
  /** The tag of the value, or of that in its node if it has one; of a Map or Set that is a node it is MAP or SET. -1 if it is no value. */
  tag: number
  /** Of the entry and all that is reached from it, ENTRY_BYTES included; what two entries reach counts for both. */
  bytes: number
  /** Of a Map or Set that is a node. */
  entries?: number
}

export type StoredNode =
  | { kind: typeof NodeKind.VALUE; value: Uint8Array }
  | { kind: typeof NodeKind.MAP | typeof NodeKind.SET; size: number; entries: (readonly [key: Uint8Array, value: Uint8Array])[] }

/** A value with what is reached from it, as much of it as was asked for. A Map or Set whose `size` is above its `entries` was cut off. */
export interface StoredValue extends KeyInfo {
  /** What the entry itself holds: a REF to the node where the value has one. */
  value: Uint8Array
  /** By number. Such as are absent were beyond the bound, or do not exist. */
  nodes: Map<number, StoredNode>
}

/**
 * The durable copy of every app's `cloud.shared`. records.ts says what is in it.
 *
 * Wherever an app has an `appid` here, that is its name for the store: a platform that gives the same appid to one app after another MUST
 * use a name that no other app ever has (`dataName` of the catalog).
 *
 * At most one holder of an app writes: the one who opened it last. What is stored is always what a lease began with plus the writes that it
 * made until some moment, in their order and without a gap: a refused write makes its lease void, since those after it were made by
 * somebody who took it for done.
 */
export interface SharedStore {
  /**
   * Takes the app over; one that the store does not know is empty. An implementation
   * - MUST make every older lease of the app void before it answers, and have done or refused the writes of those;
   * - MUST remove what is not reached from node 0, and give nothing of it;
   * - MUST give chunks of about 1 MiB; a record that is larger is a chunk of its own.
   * @throws SharedError `failed`
   */
  open(appid: string): Promise<OpenedApp>

  /** The state as `open` gives it, for somebody who only looks: no lease is touched. What is not reached from node 0 may be in it. @throws SharedError `failed` */
  copy(appid: string): Promise<Uint8Array[]>

  /**
   * Does all that the records say, or nothing. `records` MUST NOT change until it has settled. An implementation
   * - MUST settle only when what it wrote survives the death of this process at any moment;
   * - MUST let writes of one app take effect in the order of the calls, and writes that are made in one tick share their cost;
   * - MUST NOT let a write that is refused harm another lease's;
   * - MUST refuse what would make the app larger than `quota.bytes`, unless it was at least as large before. This is for workers that were
   *   taken over: the guest keeps the app's quota itself, and tells its user which key is too much;
   * - MUST treat DELETE, CLEAR and DROP of what does not exist as done, and refuse a SET in it.
   * @throws SharedError `stale_lease`, `over_quota`, `bad_records`, `too_long`, `failed`; the lease is void then
   */
  write(appid: string, lease: number, records: Uint8Array, quota: { bytes: number }): Promise<void>

  /** Removes the app with all it has, and makes its leases void. One that does not exist is no error. @throws SharedError `failed` */
  remove(appid: string): Promise<void>

  /**
   * The entries of `cloud.shared` in their order. A page may be shorter than `limit` where the values are large: only an absent `nextCursor`
   * is the end. MUST NOT see half of a write.
   * @throws SharedError `invalid_cursor`, `failed`
   */
  keys(appid: string, query: { limit: number; cursor?: string }): Promise<{ items: KeyInfo[]; nextCursor?: string }>

  /**
   * The value under the key that has these bytes, or null. At most about `maxBytes` of what is reached from it come with it.
   * @throws SharedError `failed`
   */
  value(appid: string, key: Uint8Array, options: { maxBytes: number }): Promise<StoredValue | null>

  /**
   * For an app that nobody holds: removes the entry of `cloud.shared` with this key, and makes no lease void. What is only reached from it is
   * removed when the app is opened again.
   * @returns false if there is none @throws SharedError `failed`
   */
  deleteKey(appid: string, key: Uint8Array): Promise<boolean>

  /** Ends the writes that are waiting, then lets go of the store. Nothing else may be called from then on. */
  close(): Promise<void>
}
