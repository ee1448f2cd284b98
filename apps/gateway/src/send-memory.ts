/** What a write that waits takes beside its bytes, roughly: its entry in the socket's queue, its view and what is called when it has left. */
const WRITE_BYTES = 256

/**
 * The memory of what waits for slow clients, of one app or, above all apps, of the gateway. It is counted by the buffers that are really
 * kept: a message to many stands in one, and what came in one chunk of a link keeps all of that.
 */
export class SendMemory {
  readonly #above: SendMemory | null
  /** How many writes keep each buffer. */
  readonly #holders = new Map<ArrayBufferLike, number>()
  /** Bytes that wait for clients that may go on. */
  bytes = 0
  /** Bytes that wait for clients that are being closed for it. */
  leaving = 0

  constructor(above: SendMemory | null) {
    this.#above = above
  }

  /** A write of these bytes waits. */
  hold({ buffer }: Uint8Array): void {
    const holders = this.#holders.get(buffer) ?? 0
    this.#holders.set(buffer, holders + 1)
    this.add(holders === 0 ? WRITE_BYTES + buffer.byteLength : WRITE_BYTES)
  }

  /** It has left, or is given up. */
  release({ buffer }: Uint8Array): void {
    const holders = this.#holders.get(buffer)!
    if (holders === 1) this.#holders.delete(buffer)
    else this.#holders.set(buffer, holders - 1)
    this.add(holders === 1 ? -WRITE_BYTES - buffer.byteLength : -WRITE_BYTES)
  }

  /** Bytes that one connection alone keeps, more or fewer. */
  add(bytes: number): void {
    this.bytes += bytes
    if (this.#above !== null) this.#above.bytes += bytes
  }

  addLeaving(bytes: number): void {
    this.leaving += bytes
    if (this.#above !== null) this.#above.leaving += bytes
  }
}
