import type { Connection } from './connection.ts'
import { Pause } from './flow.ts'
import { reached } from './reached.ts'
import type { Times } from './settings.ts'

/** The burst that a connection may send at once, in time of its rate: twice what it may send in a second (docs/limits.md). */
const BURST_MS = 2_000
/** How often those that are over their rate are looked at, and how much of it is free before they are read again. */
const CHECK_MS = 100
/** A connection that was not paused for this long keeps to its rate again. */
const CALM_MS = 1_000

interface Excess {
  since: number
  pausedAt: number
}

/**
 * Messages a second, for each connection. A connection has one number, the time when what it sent would be due at its rate:
 * the generic cell rate algorithm, a token bucket without a timer. Only those that are over their rate are kept here.
 */
export class RateLimiter {
  readonly #grace: number
  readonly #over = new Map<Connection, Excess>()
  #timer: NodeJS.Timeout | null = null

  constructor(times: Pick<Times, 'rateGrace'>) {
    this.#grace = times.rateGrace
  }

  /** A message has come; if it was one too many, reading pauses. */
  count(connection: Connection, now: number): void {
    const dueAt = Math.max(connection.dueAt, now) + connection.app.messageCostMs
    connection.dueAt = dueAt
    if (dueAt - now > BURST_MS) this.#exceeded(connection, now)
  }

  delete(connection: Connection): void {
    this.#over.delete(connection)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  #exceeded(connection: Connection, now: number): void {
    const excess = this.#over.get(connection)
    if (excess === undefined) {
      this.#over.set(connection, { since: now, pausedAt: now })
      reached(connection.app, 'messagesPerSecond', `${connection.id} sends more than ${connection.app.limits.messagesPerSecond} messages in a second, and is read more slowly`)
    } else excess.pausedAt = now
    connection.pause(Pause.RATE)
    this.#timer ??= setInterval(() => this.#check(Date.now()), CHECK_MS).unref()
  }

  #check(now: number): void {
    for (const [connection, excess] of this.#over) this.#checkOne(connection, excess, now)
    if (this.#over.size === 0) this.stop()
  }

  #checkOne(connection: Connection, excess: Excess, now: number): void {
    const paused = (connection.pauses & Pause.RATE) !== 0
    if (paused) excess.pausedAt = now
    if (now - excess.pausedAt > CALM_MS) {
      this.#over.delete(connection)
    } else if (now - excess.since >= this.#grace) {
      this.#over.delete(connection)
      reached(connection.app, 'messagesPerSecond', `${connection.id} was closed with 1008, since it went on sending more than ${connection.app.limits.messagesPerSecond} messages in a second`)
      connection.closeByPlatform(1008, 'too many messages')
    } else if (paused && connection.dueAt - now <= BURST_MS - CHECK_MS) connection.resume(Pause.RATE)
  }
}
