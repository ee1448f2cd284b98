import type { Connection } from './connection.ts'

/** What our pings carry, so that their answers are told from those to pings of the app. */
export const HEARTBEAT = Buffer.from('socklet')

/** Pings are spread over the interval, so that 20,000 of them do not leave in one turn. */
const SLICES = 30

/**
 * Finds peers that are gone without a word. Each connection is pinged once an interval; if not a single byte came
 * from it until the next time, not even the pong (RFC 6455, 5.5.3), it is ended.
 */
export class Heartbeat {
  readonly #slices = Array.from({ length: SLICES }, () => new Set<Connection>())
  readonly #timer: NodeJS.Timeout
  #turn = 0

  constructor(intervalMs: number) {
    this.#timer = setInterval(() => this.#beat(), intervalMs / SLICES).unref()
  }

  add(connection: Connection): void {
    this.#sliceOf(connection).add(connection)
  }

  delete(connection: Connection): void {
    this.#sliceOf(connection).delete(connection)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #sliceOf(connection: Connection): Set<Connection> {
    return this.#slices[connection.number % SLICES]!
  }

  #beat(): void {
    this.#turn = (this.#turn + 1) % SLICES
    for (const connection of this.#slices[this.#turn]!) check(connection)
  }
}

function check(connection: Connection): void {
  // A socket that we do not read cannot show that its peer is there.
  if (connection.pauses !== 0) {
    connection.readAtBeat = -1
    return
  }
  const { bytesRead } = connection.socket
  if (bytesRead === connection.readAtBeat) {
    connection.terminate()
    return
  }
  connection.readAtBeat = bytesRead
  if (connection.isOpen) connection.ws.ping(HEARTBEAT)
}
