/** What clients of one app may have done in one turn of the event loop: about a millisecond or two. */
const WORK_A_TURN = 256
/** Bytes that are as much work as a small frame. Where other apps wait, so many fewer that a turn is one read: they are answered in between. */
const BYTES_PER_UNIT = 2 * 1024
const BYTES_PER_UNIT_BESIDE_OTHERS = 256
/** After something of another app was read, there may be more of it. */
const BESIDE_OTHERS_MS = 100

/** Whoever waits until there is time for it. */
export interface Waiting {
  goOn(): void
}

/**
 * Divides the turns of the event loop between apps. What has arrived for an app is dealt with up to its share of a turn, the rest in
 * turns to come, however many connections and bytes there are: others are served in between.
 */
export class ReadingTurns {
  /** Apps that have used something of their share of this turn. */
  #used: ReadingShare[] = []
  #last: ReadingShare | null = null
  #severalUntil = 0

  /** More than one app is being read these milliseconds. */
  get several(): boolean {
    return Date.now() < this.#severalUntil
  }

  /** Gives the app its share of the next turn, too. */
  note(share: ReadingShare): void {
    if (this.#last !== null && this.#last !== share) this.#severalUntil = Date.now() + BESIDE_OTHERS_MS
    this.#last = share
    if (this.#used.push(share) === 1) setImmediate(() => this.#next())
  }

  #next(): void {
    const shares = this.#used
    this.#used = []
    for (const share of shares) share.renew()
  }
}

/** The share of one app, in units of about the work that a small frame is. */
export class ReadingShare {
  readonly #turns: ReadingTurns
  #left = WORK_A_TURN
  #waiting: Waiting[] = []

  constructor(turns: ReadingTurns) {
    this.#turns = turns
  }

  get isUsedUp(): boolean {
    return this.#left <= 0
  }

  use(work: number): void {
    if (this.#left === WORK_A_TURN) this.#turns.note(this)
    this.#left -= work
  }

  /** A read has brought so many bytes. */
  useBytes(bytes: number): void {
    this.use(bytes / (this.#turns.several ? BYTES_PER_UNIT_BESIDE_OTHERS : BYTES_PER_UNIT))
  }

  /** Goes on in a later turn, after those who wait already. */
  wait(waiting: Waiting): void {
    this.#waiting.push(waiting)
  }

  /** The turn is over. */
  renew(): void {
    this.#left = WORK_A_TURN
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    let index = 0
    while (index < waiting.length && !this.isUsedUp) waiting[index++]!.goOn()
    // Those who could not finish wait again, behind the others.
    if (index < waiting.length) this.#waiting = [...waiting.slice(index), ...this.#waiting]
    // Who goes on without using anything of it must not leave the others waiting for ever.
    if (this.#waiting.length > 0 && this.#left === WORK_A_TURN) this.use(1)
  }
}

/** Small fragments in a second, of all connections of an app together. Autobahn's longest message takes three seconds. */
const FRAGMENTS_PER_SECOND = 20_000
/** They are counted by so many. */
export const FRAGMENTS_AT_A_TIME = 64
const COST_MS = (FRAGMENTS_AT_A_TIME * 1000) / FRAGMENTS_PER_SECOND
/** What may come at once after a pause. */
const BURST_MS = 100

/** The rate at which small fragments of messages of an app are taken. They are not worth what they cost: nobody else pays for it. */
export class FragmentPace {
  /** As `dueAt` of a connection (rate.ts). */
  #dueAt = 0
  readonly #waiting: Waiting[] = []
  #armed = false

  /** The next FRAGMENTS_AT_A_TIME may come now. */
  take(): boolean {
    return this.#waiting.length === 0 && this.#takeAt(Date.now())
  }

  /** Goes on when they may come. */
  wait(waiting: Waiting): void {
    this.#waiting.push(waiting)
    this.#arm()
  }

  #takeAt(now: number): boolean {
    if (this.#dueAt - now > BURST_MS) return false
    this.#dueAt = Math.max(this.#dueAt, now) + COST_MS
    return true
  }

  #release(): void {
    const now = Date.now()
    this.#armed = false
    let released = 0
    while (released < this.#waiting.length && this.#takeAt(now)) released++
    for (const waiting of this.#waiting.splice(0, released)) waiting.goOn()
    if (this.#waiting.length > 0) this.#arm()
  }

  #arm(): void {
    if (this.#armed) return
    this.#armed = true
    setTimeout(() => this.#release(), COST_MS).unref()
  }
}
