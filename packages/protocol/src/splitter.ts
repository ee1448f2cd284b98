import { HEADER_BYTES, MAX_FRAME_BYTES, paddedLength, readU32 } from './frame.ts'

/** The bytes on a link are not frames. The link cannot be trusted any further. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

/**
 * Is called with each whole frame: `bytes[start .. end)` is its header and payload, without padding.
 * The bytes belong to the link and are valid during the call only where they are part of a split frame;
 * whoever keeps them copies them.
 */
export type OnFrame = (bytes: Uint8Array, start: number, end: number) => void

/**
 * Cuts a stream of chunks into frames. Whole frames are handed on in place; only a frame that spans
 * chunks is copied. It never holds more than one frame, and checks a length before it makes room for it.
 */
export class FrameSplitter {
  readonly #onFrame: OnFrame
  readonly #maxFrameBytes: number
  /** A frame that has begun: `#filled` bytes of it are in `#partial`. */
  #partial: Uint8Array = new Uint8Array(HEADER_BYTES)
  #filled = 0
  /** What `#partial` will hold when it is whole, or 0 while the length is unknown. */
  #wanted = 0

  constructor(onFrame: OnFrame, maxFrameBytes = MAX_FRAME_BYTES) {
    this.#onFrame = onFrame
    this.#maxFrameBytes = maxFrameBytes
  }

  /** @throws FrameError on a length that no frame can have. */
  push(chunk: Uint8Array): void {
    let offset = this.#filled > 0 ? this.#continuePartial(chunk) : 0
    while (chunk.byteLength - offset >= HEADER_BYTES) {
      const length = this.#lengthAt(chunk, offset)
      const padded = paddedLength(length)
      if (offset + padded > chunk.byteLength) break
      this.#onFrame(chunk, offset, offset + length)
      offset += padded
    }
    if (offset < chunk.byteLength) this.#beginPartial(chunk, offset)
  }

  #lengthAt(bytes: Uint8Array, offset: number): number {
    const length = readU32(bytes, offset)
    if (length < HEADER_BYTES) throw new FrameError(`a frame of ${length} bytes is shorter than its header`)
    if (length > this.#maxFrameBytes) throw new FrameError(`a frame of ${length} bytes is above the limit of ${this.#maxFrameBytes}`)
    return length
  }

  #beginPartial(chunk: Uint8Array, offset: number): void {
    this.#filled = 0
    this.#wanted = 0
    this.#continuePartial(chunk.subarray(offset))
  }

  /** Takes what the begun frame lacks, and returns where the next one starts. */
  #continuePartial(chunk: Uint8Array): number {
    let offset = 0
    if (this.#wanted === 0) {
      offset = this.#take(chunk, 0, HEADER_BYTES)
      if (this.#filled < HEADER_BYTES) return offset
      this.#wanted = paddedLength(this.#lengthAt(this.#partial, 0))
    }
    offset = this.#take(chunk, offset, this.#wanted)
    if (this.#filled < this.#wanted) return offset
    const frame = this.#partial
    this.#partial = new Uint8Array(HEADER_BYTES)
    this.#filled = 0
    this.#wanted = 0
    this.#onFrame(frame, 0, readU32(frame, 0))
    return offset
  }

  /** Copies from the chunk until `upTo` bytes are there or the chunk ends. Room grows with what came, not with what was announced. */
  #take(chunk: Uint8Array, offset: number, upTo: number): number {
    const count = Math.min(upTo - this.#filled, chunk.byteLength - offset)
    const needed = this.#filled + count
    if (needed > this.#partial.byteLength) {
      const grown = new Uint8Array(Math.min(upTo, Math.max(needed, this.#partial.byteLength * 2)))
      grown.set(this.#partial.subarray(0, this.#filled))
      this.#partial = grown
    }
    this.#partial.set(chunk.subarray(offset, offset + count), this.#filled)
    this.#filled = needed
    return offset + count
  }
}
