/** Of an event between the two processes of floor-main.ts: the numbers of its isolate and its client, its length. */
export const HEAD_BYTES = 12

/**
 * The number of the isolate whose function has a loop over all of its clients. What it gives is for no single one of these: the length of the message in 4 bytes, the
 * message, and the number of each client in 4 bytes.
 */
export const LOOPED = 0xffff_ffff

export interface Piece {
  isolate: number
  index: number
  data: Buffer
  /** With its head. */
  whole: Buffer
}

/** Puts together what a stream has cut. */
export class Pieces {
  #rest: Buffer = Buffer.alloc(0)

  /** Returns what is complete. */
  add(chunk: Buffer): Piece[] {
    const all = this.#rest.byteLength === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const found: Piece[] = []
    let at = 0
    while (at + HEAD_BYTES <= all.byteLength) {
      const next = at + HEAD_BYTES + all.readUInt32LE(at + 8)
      if (next > all.byteLength) break
      found.push({ isolate: all.readUInt32LE(at), index: all.readUInt32LE(at + 4), data: all.subarray(at + HEAD_BYTES, next), whole: all.subarray(at, next) })
      at = next
    }
    this.#rest = all.subarray(at)
    return found
  }
}
