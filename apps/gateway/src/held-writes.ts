import type { Written } from './compressed-writer.ts'
import type { SendMemory } from './send-memory.ts'

/** The writes of one connection that the system has not taken, oldest first, and their part of what is counted for the app. */
export class HeldWrites {
  readonly #memory: SendMemory
  #writes: (Uint8Array | Uint8Array[])[] = []
  /** Bytes that are counted without being in a write. */
  #bytes = 0
  #leaving = 0

  constructor(memory: SendMemory) {
    this.#memory = memory
  }

  get isEmpty(): boolean {
    return this.#writes.length === 0 && this.#bytes === 0
  }

  /** The connection was given up, and has not ended yet. */
  get isLeaving(): boolean {
    return this.#leaving > 0
  }

  /** Counts a write until what is returned is called. */
  hold(chunks: Uint8Array | Uint8Array[], written: Written | undefined): Written {
    this.#writes.push(chunks)
    if (Array.isArray(chunks)) for (const chunk of chunks) this.#memory.hold(chunk)
    else this.#memory.hold(chunks)
    return (error) => {
      this.#release(this.#writes.shift())
      written?.(error)
    }
  }

  /** So many bytes are kept for the connection now. */
  set(bytes: number): void {
    if (this.#leaving > 0) return
    this.#memory.add(bytes - this.#bytes)
    this.#bytes = bytes
  }

  /** Is closed for what waits: that frees nothing at once, but it will soon. */
  leave(bytes: number): void {
    this.clear()
    this.#leaving = bytes
    this.#memory.addLeaving(bytes)
  }

  /** The connection has ended, and all of it is free. */
  clear(): void {
    const writes = this.#writes
    this.#writes = []
    for (const write of writes) this.#release(write)
    this.#memory.add(-this.#bytes)
    this.#bytes = 0
    this.#memory.addLeaving(-this.#leaving)
    this.#leaving = 0
  }

  /** Nothing, if it was given up meanwhile. */
  #release(chunks: Uint8Array | Uint8Array[] | undefined): void {
    if (Array.isArray(chunks)) for (const chunk of chunks) this.#memory.release(chunk)
    else if (chunks !== undefined) this.#memory.release(chunks)
  }
}
