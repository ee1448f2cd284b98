import type { Connection } from './connection.ts'

/** What our pings carry, so that their answers are told from those to pings of the app. */
export const HEARTBEAT = Buffer.from('socklet')

/**
 * Pings are spread over the interval, so that 20,000 of them do not leave in one turn: of so many some 70 do, every tenth of a
 * second. Once a second it were 700, and with their answers everybody else would wait for 10 ms.
 */
const BEAT_MS = 100
const MAX_SLICES = 300

/**
 * Finds peers that are gone without a word. Each connection is pinged once an interval; if not a single byte came
 * from it until the next time, not even the pong (RFC 6455, 5.5.3), it is ended.
 */
export class Heartbeat {
  readonly #slices: Set<Connection>[]
  readonly #beatMs: number
  /** Only while there are connections: a platform at rest does nothing. */
  #timer: NodeJS.Timeout | null = null
  #turn = 0
  #count = 0

  constructor(intervalMs: number) {
    const slices = Math.min(MAX_SLICES, Math.max(1, Math.round(intervalMs / BEAT_MS)))
    this.#slices = Array.from({ length: slices }, () => new Set<Connection>())
    this.#beatMs = intervalMs / slices
  }

  add(connection: Connection): void {
    this.#sliceOf(connection).add(connection)
    this.#count++
    this.#timer ??= setInterval(() => this.#beat(), this.#beatMs).unref()
  }

  delete(connection: Connection): void {
    if (!this.#sliceOf(connection).delete(connection)) return
    this.#count--
    if (this.#count === 0) this.stop()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  #sliceOf(connection: Connection): Set<Connection> {
    return this.#slices[connection.number % this.#slices.length]!
  }

  #beat(): void {
    this.#turn = (this.#turn + 1) % this.#slices.length
    for (const connection of this.#slices[this.#turn]!) check(connection)
  }
}

function check(connection: Connection): void {
  // A socket that we do not read cannot show that its peer is there: also where its fragments wait for their turn (fair-receiver.ts).
  if (connection.pauses !== 0 || connection.socket.isPaused()) {
    connection.readAtBeat = -1
    return
  }
  const { bytesRead } = connection.socket
  if (bytesRead === connection.readAtBeat) {
    connection.terminate()
    return
  }
  connection.readAtBeat = bytesRead
  if (!connection.isOpen) return
  connection.awaitsPong = true
  connection.ws.ping(HEARTBEAT)
}
