import { FrameError, readU32, type OnFrame } from '@socklet/protocol'

interface Waiting {
  generation: number
  frames: Uint8Array[]
  bytes: number
}

/**
 * What waits at most. It comes from gateways, which are trusted and do not send more for an app than its limits allow (queueBytes, and a head for
 * each connection), in the moment between the pool's word to them and its word to us. Clients of the app can make it that much, and no more; this is
 * for what we have not thought of. To drop anything would be to lose it, so the worker is given up then: gateways send all of it again.
 */
const MAX_BYTES = 512 * 1024 * 1024
/** What a frame takes beside its bytes. */
const FRAME_BYTES = 128

/**
 * What gateways have for an app before the pool's `hold` has come: the pool has sent that first, but links are not read in
 * the order in which they were written. The pool gives the generations in the order of its `hold`s, so that a newer one than any
 * so far is early, and another one is of a life that is over.
 */
export class Early {
  readonly #maxBytes: number
  #newest = 0
  #bytes = 0
  /** By app number. */
  readonly #waiting = new Map<number, Waiting>()

  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes
  }

  /** Keeps the frame `bytes[start .. end)` if its app is still to come, else drops it. @throws FrameError if too much waits */
  add(bytes: Uint8Array, start: number, end: number): void {
    const [app, generation] = [readU32(bytes, start + 8), readU32(bytes, start + 12)]
    if (generation <= this.#newest) return
    let waiting = this.#waiting.get(app)
    if (waiting?.generation !== generation) {
      this.#drop(app)
      this.#waiting.set(app, (waiting = { generation, frames: [], bytes: 0 }))
    }
    const size = FRAME_BYTES + end - start
    if (this.#bytes + size > this.#maxBytes) throw new FrameError('more has come for apps that are not here than can be')
    waiting.frames.push(bytes.slice(start, end))
    waiting.bytes += size
    this.#bytes += size
  }

  /** The app is here: hands on what has waited for it, in order. */
  take(app: number, generation: number, onFrame: OnFrame): void {
    this.#newest = generation
    const waiting = this.#waiting.get(app)
    this.#drop(app)
    // Lives of other apps that are older: their `hold` would have come before this one.
    for (const [other, { generation: theirs }] of this.#waiting) if (theirs < generation) this.#drop(other)
    if (waiting?.generation !== generation) return
    for (const frame of waiting.frames) onFrame(frame, 0, frame.byteLength)
  }

  #drop(app: number): void {
    this.#bytes -= this.#waiting.get(app)?.bytes ?? 0
    this.#waiting.delete(app)
  }
}
