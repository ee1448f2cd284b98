import { HEADER_BYTES, paddedLength, writeHeader, type FrameHead } from './frame.ts'

const CHUNK_BYTES = 64 * 1024
/** Larger payloads go out as they are instead of being copied into a chunk. */
const COPY_BELOW = 16 * 1024
const PADDING = new Uint8Array(3)

/**
 * Frames on their way into one write. Small ones are copied together into chunks, a large payload
 * stands between two chunks as the sender gave it.
 */
export class Batch {
  #parts: Uint8Array[] = []
  #chunk: Buffer | null = null
  #start = 0
  #used = 0
  /** Bytes that wait here. */
  bytes = 0

  get empty(): boolean {
    return this.bytes === 0
  }

  add(head: FrameHead, payload?: Uint8Array): void {
    const length = payload === undefined ? 0 : payload.byteLength
    const padded = paddedLength(HEADER_BYTES + length)
    this.bytes += padded
    if (length >= COPY_BELOW) {
      this.#addLarge(head, payload!, padded)
      return
    }
    const chunk = this.#room(padded)
    writeHeader(chunk, this.#used, head, length)
    if (length > 0) chunk.set(payload!, this.#used + HEADER_BYTES)
    this.#used += padded
  }

  /** As `add`, with a text payload that is encoded where it goes. */
  addText(head: FrameHead, text: string, encoding: 'utf8' | 'latin1'): void {
    // One UTF-16 unit is at most three bytes of UTF-8.
    const most = encoding === 'utf8' ? text.length * 3 : text.length
    if (most >= COPY_BELOW) {
      this.add(head, Buffer.from(text, encoding))
      return
    }
    const chunk = this.#room(paddedLength(HEADER_BYTES + most))
    const length = chunk.write(text, this.#used + HEADER_BYTES, encoding)
    writeHeader(chunk, this.#used, head, length)
    const padded = paddedLength(HEADER_BYTES + length)
    this.#used += padded
    this.bytes += padded
  }

  /** Frames that are encoded and aligned already, many at once. They are copied. */
  addEncoded(frames: Uint8Array): void {
    this.bytes += frames.byteLength
    if (frames.byteLength >= COPY_BELOW) {
      this.#closeChunk()
      this.#parts.push(frames.slice())
      return
    }
    const chunk = this.#room(frames.byteLength)
    chunk.set(frames, this.#used)
    this.#used += frames.byteLength
  }

  /** What was added, in order; the batch is empty afterwards. */
  take(): Uint8Array[] {
    this.#closeChunk()
    const parts = this.#parts
    this.#parts = []
    this.bytes = 0
    return parts
  }

  /** The system has taken all that was ever given out: its memory serves again. */
  reuse(): void {
    if (this.bytes === 0) this.#start = this.#used = 0
  }

  #addLarge(head: FrameHead, payload: Uint8Array, padded: number): void {
    const chunk = this.#room(HEADER_BYTES)
    writeHeader(chunk, this.#used, head, payload.byteLength)
    this.#used += HEADER_BYTES
    this.#closeChunk()
    this.#parts.push(payload)
    const padding = padded - HEADER_BYTES - payload.byteLength
    if (padding > 0) this.#parts.push(PADDING.subarray(0, padding))
  }

  /** A chunk with room for `bytes` at `#used`. What a chunk has left after a write serves the next one. */
  #room(bytes: number): Buffer {
    if (this.#chunk === null || this.#used + bytes > this.#chunk.byteLength) {
      this.#closeChunk()
      this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
      this.#start = 0
      this.#used = 0
    }
    return this.#chunk
  }

  #closeChunk(): void {
    if (this.#chunk === null || this.#used === this.#start) return
    this.#parts.push(this.#chunk.subarray(this.#start, this.#used))
    this.#start = this.#used
  }
}
