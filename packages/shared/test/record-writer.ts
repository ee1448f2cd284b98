import { NodeKind, Op } from '../src/index.ts'

const FIRST_BYTES = 4 * 1024
/** More than op, node, entry and two lengths can have. */
const MAX_HEAD_BYTES = 32

/** Writes records, for tests: those of apps are written by the guest, which has a writer of its own. Numbers have to be within their bounds. */
export class RecordWriter {
  #bytes = new Uint8Array(FIRST_BYTES)
  #pos = 0

  /** Bytes that were written. */
  get length(): number {
    return this.#pos
  }

  /** A node that is a Map or a Set. */
  node(node: number, kind: typeof NodeKind.MAP | typeof NodeKind.SET): this {
    this.#head(Op.NODE, node, 0)
    this.#bytes[this.#pos++] = kind
    return this
  }

  /** A node that is a value. */
  value(node: number, value: Uint8Array): this {
    this.#head(Op.NODE, node, value.length)
    this.#bytes[this.#pos++] = NodeKind.VALUE
    this.#put(value)
    return this
  }

  set(node: number, entry: number, key: Uint8Array, value: Uint8Array): this {
    this.#head(Op.SET, node, key.length + value.length)
    this.#varint(entry)
    this.#put(key)
    this.#put(value)
    return this
  }

  delete(node: number, entry: number): this {
    this.#head(Op.DELETE, node, 0)
    this.#varint(entry)
    return this
  }

  clear(node: number): this {
    this.#head(Op.CLEAR, node, 0)
    return this
  }

  drop(node: number): this {
    this.#head(Op.DROP, node, 0)
    return this
  }

  /** What was written, in bytes of its own. The writer is empty then. */
  finish(): Uint8Array {
    const written = this.#bytes.slice(0, this.#pos)
    this.#pos = 0
    return written
  }

  #head(op: Op, node: number, contentBytes: number): void {
    this.#room(MAX_HEAD_BYTES + contentBytes)
    this.#bytes[this.#pos++] = op
    this.#varint(node)
  }

  #room(bytes: number): void {
    const needed = this.#pos + bytes
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
    grown.set(this.#bytes.subarray(0, this.#pos))
    this.#bytes = grown
  }

  #put(bytes: Uint8Array): void {
    this.#varint(bytes.length)
    this.#bytes.set(bytes, this.#pos)
    this.#pos += bytes.length
  }

  #varint(value: number): void {
    while (value >= 0x80) {
      this.#bytes[this.#pos++] = (value % 128) | 0x80
      value = Math.floor(value / 128)
    }
    this.#bytes[this.#pos++] = value
  }
}
