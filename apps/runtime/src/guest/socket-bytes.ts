import { Buffer } from './globals/buffer.ts'
import { isArrayBuffer, viewBytes } from './globals/bytes.ts'
import { NativeArrayBuffer, NativeUint8Array, arrayBufferIsView, typedArrayByteLength, typedArraySet, typedArrayTag } from './primordials.ts'
import { writeUtf8 } from './utf8.ts'

const { from, byteLength } = Buffer as unknown as { from: (value: unknown, encoding?: string) => Uint8Array; byteLength: (value: unknown) => number }

export const toBuffer = from
const toStringTag = Symbol.toStringTag

export { viewBytes }
export const EMPTY = new NativeUint8Array(0)

/** The bytes of whatever `ws` takes as data: buffers and views as they are, else what `Buffer.from` makes of it, or its TypeError. */
export function toBytes(data: unknown): Uint8Array {
  if (typeof data === 'object' && data !== null) {
    if (arrayBufferIsView(data)) return viewBytes(data)
    if (isArrayBuffer(data)) return new NativeUint8Array(data)
  }
  return from(data)
}

/** The bytes themselves where nothing else is a Uint8Array (util.types.isUint8Array). */
export function isUint8Array(value: unknown): value is Uint8Array {
  return typedArrayTag(value) === 'Uint8Array'
}

/** As Buffer.byteLength. */
export function lengthInBytes(value: unknown): number {
  return byteLength(value)
}

export function encodeText(text: string): Uint8Array {
  const buffer = new NativeArrayBuffer(text.length * 3)
  return new NativeUint8Array(buffer, 0, writeUtf8(new NativeUint8Array(buffer), 0, text))
}

/** A Blob or File, told as ws tells it (lib/validation.js): it may be of a library. Ours has no `stream`. */
export interface BlobLike {
  readonly size: number
  arrayBuffer(): Promise<ArrayBuffer>
}

export function isBlob(value: unknown): value is BlobLike {
  if (typeof value !== 'object' || value === null || arrayBufferIsView(value)) return false
  const { arrayBuffer, type, [toStringTag]: tag } = value as Record<PropertyKey, unknown>
  return typeof arrayBuffer === 'function' && typeof type === 'string' && (tag === 'Blob' || tag === 'File')
}

/** Parts of a message, joined. */
export function joinBytes(parts: Uint8Array[], count: number, length: number): Uint8Array {
  const whole = new NativeUint8Array(new NativeArrayBuffer(length))
  let at = 0
  for (let i = 0; i < count; i++) {
    const part = parts[i]!
    const size = typedArrayByteLength(part)
    typedArraySet(whole, part, at)
    at += size
  }
  return whole
}
