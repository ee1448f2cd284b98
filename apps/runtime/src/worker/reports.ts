import { Flag, FrameType, NO_COUNTS, countsSince, encodeCounts, encodeLogLine, writeU32, type AppCounts, type Link, type LogLevel } from '@socklet/protocol'
import { GUEST_LIMITS } from '../turn-layout.ts'
import type { Logged } from './rejection.ts'
import type { Suspect } from './mailbox.ts'

export interface ReportsParts {
  app: number
  generation: number
  gateways: Link[]
  pool: Link
}

/** Each frame to the pool wakes it, and an app that logs too much reaches its limit in every turn. Nobody waits for what is counted. Milliseconds. */
const LIMITS_AFTER_MS = 100
const COUNTS_AFTER_MS = 2_000
const DROPPED_AFTER_MS = 1_000

/** What this worker says of an app on its own account: nothing of it comes from the isolate, but how often limits were reached. */
export class Reports {
  readonly #parts: ReportsParts
  /** How often each of GUEST_LIMITS was reached, as the guest said last. */
  #limits: number[] = []
  /** As the pool was told last. */
  #toldLimits: number[] = []
  #limitsTimer: NodeJS.Timeout | null = null
  readonly #counts: AppCounts = { ...NO_COUNTS }
  #toldCounts: AppCounts = NO_COUNTS
  #countsTimer: NodeJS.Timeout | null = null
  /** Dropped log lines of which the log has told. */
  #toldDropped = 0
  #droppedTimer: NodeJS.Timeout | null = null
  #linesPerSecond = 0

  constructor(parts: ReportsParts) {
    this.#parts = parts
  }

  /** A turn begins, or with Flag.END is over. To the pool, at once: the turn may end the process. */
  turn(flags: number): void {
    this.#toPool(FrameType.TURN, flags)
    this.#parts.pool.flush()
  }

  /** Said before the turn of a suspect and, with Flag.END, after it. At once: the turn may end the process. */
  started({ gateway, connection, sequence }: Suspect, flags: number): void {
    const { app, generation, gateways } = this.#parts
    const link = gateways[gateway]
    link?.send({ type: FrameType.STARTED, flags, gateway, app, generation, connection, sequence })
    link?.flush()
  }

  /** So often in all, by the guest. What one says that was taken over, is believed of its own app only. */
  limits(now: number[]): void {
    this.#limits = now
    if (now.length > 0) this.#limitsTimer ??= setTimeout(() => this.tellLimits(), LIMITS_AFTER_MS)
  }

  /** Tells the pool now what it was not told yet of the limits that were reached. */
  tellLimits(): void {
    if (this.#limitsTimer !== null) clearTimeout(this.#limitsTimer)
    this.#limitsTimer = null
    const now = this.#limits
    for (const [index, limit] of now.length === 0 ? [] : GUEST_LIMITS.entries()) {
      const times = (now[index]! - (this.#toldLimits[index] ?? 0)) >>> 0
      if (times > 0) this.reached(limit, times)
    }
    this.#toldLimits = now
  }

  /** A turn is over, and took so much CPU. Milliseconds. */
  turned(cpuMs: number): void {
    this.#counts.turns++
    this.#counts.cpuMs += cpuMs
    this.#countsTimer ??= setTimeout(() => this.tellCounts(), COUNTS_AFTER_MS)
  }

  /** Handlers that threw and log lines that were dropped, in all, by the guest. The line about these does not wait for the next one that is logged, which may never come. */
  counted(errors: number, dropped: number, linesPerSecond: number): void {
    this.#counts.errors = errors
    this.#counts.logLinesDropped = dropped
    this.#linesPerSecond = linesPerSecond
    if (dropped !== this.#toldDropped) this.#droppedTimer ??= setTimeout(() => this.#tellDropped(), DROPPED_AFTER_MS)
  }

  /** Tells the pool now what it was not told yet of what is counted. */
  tellCounts(): void {
    if (this.#countsTimer !== null) clearTimeout(this.#countsTimer)
    this.#countsTimer = null
    const now = { ...this.#counts }
    if (now.turns !== this.#toldCounts.turns) this.#toPool(FrameType.COUNTED, 0, encodeCounts(countsSince(this.#toldCounts, now)))
    this.#toldCounts = now
  }

  #tellDropped(): void {
    if (this.#droppedTimer !== null) clearTimeout(this.#droppedTimer)
    this.#droppedTimer = null
    const count = this.#counts.logLinesDropped - this.#toldDropped
    this.#toldDropped += count
    if (count > 0) this.log('warn', `${count} log lines were dropped: the limit is ${this.#linesPerSecond} a second (limit logLinesPerSecond)`)
  }

  /** The pool counts it. */
  reached(limit: string, times: number): void {
    const payload = Buffer.alloc(4 + limit.length)
    writeU32(payload, 0, times)
    payload.write(limit, 4, 'latin1')
    this.#toPool(FrameType.REACHED, 0, payload)
  }

  /** The isolate is gone. Whatever it has asked for outside, nobody waits for it. */
  end(): void {
    this.tellLimits()
    this.tellCounts()
    this.#tellDropped()
    this.#toPool(FrameType.FETCH_ABORT, Flag.END)
  }

  /** A line of the platform's own in the app's log, or one about a function. */
  log(level: LogLevel, message: string, about: Logged = { function: '', version: 0 }): void {
    this.#toPool(FrameType.LOG, 0, encodeLogLine({ time: Date.now(), level, requestId: '', connection: '', message, ...about }))
  }

  #toPool(type: FrameType, flags: number, payload?: Uint8Array): void {
    const { app, generation, pool } = this.#parts
    pool.send({ type, flags, gateway: 0, app, generation, connection: 0, sequence: 0 }, payload)
  }
}
