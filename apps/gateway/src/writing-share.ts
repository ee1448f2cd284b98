import type { App, Attachment } from './app.ts'
import type { Connection } from './connection.ts'
import { Flag, FrameError, FrameType } from '@socklet/protocol'
import { reached } from './reached.ts'

/**
 * What the commands of one app may do in one turn of the event loop, in units of about a message of 4 KiB to one client: to hand a message to
 * a connection costs a tenth of a microsecond, to write what waits for a connection some four. Both for about 5 ms.
 */
const UNITS_A_TURN = 16_384
const WRITES_A_TURN = 1_024
const UNIT_BYTES = 4 * 1024

/** From so much on that waits the app begins no turn, until less than a quarter of it does. About a second of deliveries. */
const HOLD_FROM = 262_144
/**
 * Above this messages are dropped: a minute of deliveries. Who keeps to what a turn may do (guest/outbox.ts) and waits when told to does not
 * come here. A message that is too much for it by itself is delivered all the same.
 */
const MAX_OWED = 10_000_000
/** Frames that wait, with what each takes beside its bytes. Above it messages are dropped; above twice of it the worker is no guest's host. */
const MAX_WAITING_BYTES = 256 * 1024 * 1024
const ENTRY_BYTES = 256

/** A command that waits for those before it. */
export interface Held {
  /** Does as much of it as there is time for. Returns whether that was all of it. */
  run(share: WritingShare): boolean
  /** Does as much of it as a new life of the app has to be told of, and fixes who is meant by the rest. Returns whether that was all of it. */
  foresee(): boolean
  units: number
  bytes: number
}

/** Divides the turns of the event loop between apps that write, as reading-share.ts does between those that read. */
export class WritingTurns {
  #used: WritingShare[] = []

  note(share: WritingShare): void {
    if (this.#used.push(share) === 1) setImmediate(() => this.#next())
  }

  #next(): void {
    const shares = this.#used
    this.#used = []
    for (const share of shares) share.renew()
  }
}

/** What a message of this length to so many costs. */
export function unitsOf(receivers: number, messageBytes: number): number {
  return receivers * (1 + Math.floor(messageBytes / UNIT_BYTES))
}

/**
 * The commands of one app that could not be carried out in the turn in which they came, in order, and the connections that wait for their
 * write. One small command may be a message to ten thousand clients, and a turn of a tenant may give very many of them: neither other
 * apps nor their clients may wait for it.
 */
export class WritingShare {
  readonly #app: App
  readonly #turns: WritingTurns
  readonly #afterRun: () => void
  #left = UNITS_A_TURN
  #writesLeft = WRITES_A_TURN
  #noted = false
  #waiting: Held[] = []
  #first = 0
  #owed = 0
  #bytes = 0
  #unwritten: Connection[] = []
  /** Which life of the app was told to begin no turn. */
  #told: Attachment | null = null

  constructor(app: App, turns: WritingTurns, afterRun: () => void) {
    this.#app = app
    this.#turns = turns
    this.#afterRun = afterRun
  }

  /** Whether a command has to wait for those before it, or for the next turn. */
  get isBusy(): boolean {
    return this.#left <= 0 || this.#first < this.#waiting.length
  }

  /** Units that may still be used in this turn. */
  get left(): number {
    return this.#left
  }

  use(units: number): void {
    this.#left -= units
    this.#note()
  }

  /** The rest of a command that has begun. */
  holdRest(held: Held): void {
    this.#add(held)
  }

  /** A command that has come while others wait. `isMessage`: it can be dropped. @throws FrameError if no guest gives so many */
  hold(held: Held, isMessage: boolean): void {
    if (isMessage && (this.#owed > MAX_OWED || this.#bytes > MAX_WAITING_BYTES)) {
      reached(this.#app, 'deliveries', `messages were dropped: more than ${MAX_OWED} deliveries were waiting`)
      return
    }
    if (this.#bytes > 2 * MAX_WAITING_BYTES) throw new FrameError('a worker gives more commands for an app than there can be')
    this.#add(held)
  }

  /**
   * A new life of the app begins, and is told who is in which room: changes of that which wait take effect now. Messages keep their places,
   * and their receivers: those that there would have been.
   */
  foresee(): void {
    const rest: Held[] = []
    for (const held of this.#waiting.slice(this.#first)) {
      if (held.foresee()) this.#forget(held)
      else rest.push(held)
    }
    this.#waiting = rest
    this.#first = 0
  }

  /** What was sent to the connection is written, now or in its turn. */
  write(connection: Connection): void {
    if (this.#writesLeft <= 0 || this.#unwritten.length > 0) this.#unwritten.push(connection)
    else {
      this.#writesLeft--
      connection.flush()
    }
    this.#note()
  }

  /** The turn is over. */
  renew(): void {
    this.#noted = false
    this.#left = UNITS_A_TURN
    this.#writesLeft = WRITES_A_TURN
    this.#writeWaiting()
    this.#runWaiting()
    this.#tell()
  }

  #add(held: Held): void {
    this.#waiting.push(held)
    this.#owed += held.units
    this.#bytes += held.bytes + ENTRY_BYTES
    this.#note()
    this.#tell()
  }

  #note(): void {
    if (this.#noted) return
    this.#noted = true
    this.#turns.note(this)
  }

  #writeWaiting(): void {
    const count = Math.min(this.#unwritten.length, WRITES_A_TURN)
    if (count === 0) return
    for (let index = 0; index < count; index++) this.#unwritten[index]!.flush()
    this.#unwritten = this.#unwritten.slice(count)
    this.#writesLeft -= count
    this.#note()
  }

  #runWaiting(): void {
    if (this.#first === this.#waiting.length) return
    while (this.#first < this.#waiting.length && this.#left > 0) {
      const held = this.#waiting[this.#first]!
      const before = this.#left
      // Also what costs nothing, such as a message to an empty room, takes its time.
      this.#left--
      if (!held.run(this)) {
        const done = Math.min(held.units, before - this.#left)
        held.units -= done
        this.#owed -= done
        break
      }
      this.#first++
      this.#forget(held)
    }
    this.#compact()
    this.#note()
    this.#afterRun()
  }

  #forget({ units, bytes }: Held): void {
    this.#owed -= units
    this.#bytes -= bytes + ENTRY_BYTES
  }

  #compact(): void {
    if (this.#first < 1024 && this.#first < this.#waiting.length) return
    this.#waiting = this.#waiting.slice(this.#first)
    this.#first = 0
  }

  /** The app waits for its messages to be delivered, or need not any more. */
  #tell(): void {
    const { attachment } = this.#app
    if (this.#told !== null && (this.#told !== attachment || this.#owed < HOLD_FROM / 4)) {
      if (this.#told === attachment) this.#send(this.#told, Flag.END)
      this.#told = null
    }
    if (this.#told !== null || attachment === null || this.#owed < HOLD_FROM) return
    this.#told = attachment
    this.#send(attachment, 0)
    reached(this.#app, 'deliveries', `slowed down: ${this.#owed} deliveries of its messages are waiting; it goes on when fewer are`)
  }

  #send({ link, app, generation }: Attachment, flags: number): void {
    link.send({ type: FrameType.BACKPRESSURE, flags, gateway: this.#app.gateway.settings.index, app, generation, connection: 0, sequence: 0 })
  }
}
