import { readU32, type OnFrame } from '@socklet/protocol'

interface Waiting {
  generation: number
  frames: Uint8Array[]
}

/**
 * What gateways have for an app before the pool's `hold` has come: the pool has sent that first, but links are not read in
 * the order in which they were written. The pool gives the generations in the order of its `hold`s, so that a newer one than any
 * so far is early, and another one is of a life that is over.
 */
export class Early {
  #newest = 0
  /** By app number. */
  readonly #waiting = new Map<number, Waiting>()

  /** Keeps the frame `bytes[start .. end)` if its app is still to come, else drops it. */
  add(bytes: Uint8Array, start: number, end: number): void {
    const [app, generation] = [readU32(bytes, start + 8), readU32(bytes, start + 12)]
    if (generation <= this.#newest) return
    let waiting = this.#waiting.get(app)
    if (waiting?.generation !== generation) this.#waiting.set(app, (waiting = { generation, frames: [] }))
    waiting.frames.push(bytes.slice(start, end))
  }

  /** The app is here: hands on what has waited for it, in order. */
  take(app: number, generation: number, onFrame: OnFrame): void {
    this.#newest = generation
    const waiting = this.#waiting.get(app)
    this.#waiting.delete(app)
    if (waiting?.generation !== generation) return
    for (const frame of waiting.frames) onFrame(frame, 0, frame.byteLength)
  }
}
