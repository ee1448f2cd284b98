import { Flag, FrameType, encodeLogLine, writeU32, type Link, type LogLevel } from '@socklet/protocol'
import { GUEST_LIMITS } from '../turn-layout.ts'
import type { Suspect } from './mailbox.ts'

export interface ReportsParts {
  app: number
  generation: number
  gateways: Link[]
  pool: Link
}

/** Each frame to the pool wakes it, and an app that logs too much reaches its limit in every turn. Nobody waits for what is counted. Milliseconds. */
const COUNTS_AFTER_MS = 100

/** What this worker says of an app on its own account: nothing of it comes from the isolate, but how often limits were reached. */
export class Reports {
  readonly #parts: ReportsParts
  /** How often each of GUEST_LIMITS was reached, as the guest said last. */
  #limits: number[] = []
  /** As the pool was told last. */
  #toldLimits: number[] = []
  #timer: NodeJS.Timeout | null = null

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
    if (now.length > 0) this.#timer ??= setTimeout(() => this.tellLimits(), COUNTS_AFTER_MS)
  }

  /** Tells the pool now what it was not told yet of the limits that were reached. */
  tellLimits(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const now = this.#limits
    for (const [index, limit] of now.length === 0 ? [] : GUEST_LIMITS.entries()) {
      const times = (now[index]! - (this.#toldLimits[index] ?? 0)) >>> 0
      if (times > 0) this.reached(limit, times)
    }
    this.#toldLimits = now
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
    this.#toPool(FrameType.FETCH_ABORT, Flag.END)
  }

  /** A line of the platform's own in the app's log. */
  log(level: LogLevel, message: string): void {
    this.#toPool(FrameType.LOG, 0, encodeLogLine({ time: Date.now(), level, function: '', requestId: '', connection: '', version: 0, message }))
  }

  #toPool(type: FrameType, flags: number, payload?: Uint8Array): void {
    const { app, generation, pool } = this.#parts
    pool.send({ type, flags, gateway: 0, app, generation, connection: 0, sequence: 0 }, payload)
  }
}
