/** `Blob` of the web (File API): bytes that do not change, read through promises. `stream()` is left out, as there are no web streams here. */
import { webInterface } from './define.ts'
import { TextDecoder, TextEncoder } from './text-encoding.ts'

interface BlobOptions {
  type?: string
  endings?: 'transparent' | 'native'
}

/** A type with anything but printable ASCII counts as none (File API, "constructing a Blob"). */
const TYPE = /^[\x20-\x7e]*$/

export class Blob {
  readonly #bytes: Uint8Array<ArrayBuffer>
  readonly #type: string

  constructor(parts: Iterable<unknown> = [], options: BlobOptions = {}) {
    if (typeof parts !== 'object' || parts === null || typeof parts[Symbol.iterator] !== 'function') throw new TypeError('The first argument of Blob must be a sequence')
    const pieces = Array.from(parts, (part) => bytesOf(part))
    this.#bytes = new Uint8Array(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0))
    let at = 0
    for (const piece of pieces) {
      this.#bytes.set(piece, at)
      at += piece.byteLength
    }
    const type = String(options.type ?? '')
    this.#type = TYPE.test(type) ? type.toLowerCase() : ''
  }

  get size(): number {
    return this.#bytes.byteLength
  }

  get type(): string {
    return this.#type
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes.slice().buffer
  }

  async bytes(): Promise<Uint8Array> {
    return this.#bytes.slice()
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(this.#bytes)
  }

  slice(start = 0, end = this.size, type = ''): Blob {
    return new Blob([this.#bytes.slice(start, end)], { type })
  }

  static bytesIn(blob: Blob): Uint8Array {
    return blob.#bytes
  }

  static isBlob(value: unknown): value is Blob {
    return typeof value === 'object' && value !== null && #bytes in value
  }
}

const { bytesIn, isBlob } = Blob
// They are this file's own: a Blob of the web has no such members.
delete (Blob as Partial<typeof Blob>).bytesIn
delete (Blob as Partial<typeof Blob>).isBlob
webInterface(Blob, 'Blob', ['size', 'type', 'arrayBuffer', 'bytes', 'text', 'slice'])

function bytesOf(part: unknown): Uint8Array {
  if (isBlob(part)) return bytesIn(part)
  if (ArrayBuffer.isView(part)) return new Uint8Array(part.buffer as ArrayBuffer, part.byteOffset, part.byteLength)
  if (Object.prototype.toString.call(part) === '[object ArrayBuffer]') return new Uint8Array(part as ArrayBuffer)
  return new TextEncoder().encode(String(part))
}
