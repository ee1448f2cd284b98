/** Bytes of views and buffers, without a look at what a tenant can replace. */
import {
  NativeUint8Array,
  arrayBufferByteLength,
  arrayBufferIsView,
  dataViewBuffer,
  dataViewByteLength,
  dataViewByteOffset,
  typedArrayBuffer,
  typedArrayByteLength,
  typedArrayByteOffset,
  typedArraySet,
  typedArrayTag
} from '../primordials.ts'

/** The bytes of a view, a Uint8Array as it is. */
export function viewBytes(view: ArrayBufferView): Uint8Array<ArrayBuffer> {
  const tag = typedArrayTag(view)
  if (tag === 'Uint8Array') return view as Uint8Array<ArrayBuffer>
  if (tag === undefined) return new NativeUint8Array(dataViewBuffer(view as DataView), dataViewByteOffset(view as DataView), dataViewByteLength(view as DataView))
  return new NativeUint8Array(typedArrayBuffer(view as Uint8Array), typedArrayByteOffset(view as Uint8Array), typedArrayByteLength(view as Uint8Array))
}

export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  if (typeof value !== 'object' || value === null) return false
  try {
    return arrayBufferByteLength(value as ArrayBuffer) >= 0
  } catch {
    return false
  }
}

/** Of a view or a buffer; null for anything else. */
export function bytesIn(value: unknown): Uint8Array<ArrayBuffer> | null {
  if (arrayBufferIsView(value)) return viewBytes(value)
  return isArrayBuffer(value) ? new NativeUint8Array(value) : null
}

export const makeBytes = (length: number): Uint8Array<ArrayBuffer> => new NativeUint8Array(length)

/** The same memory. Not by `subarray`, which asks the bytes for their class. */
export function part(bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  return new NativeUint8Array(typedArrayBuffer(bytes), typedArrayByteOffset(bytes) + start, end - start)
}

export function copyOf(bytes: Uint8Array, start = 0, end = typedArrayByteLength(bytes)): Uint8Array<ArrayBuffer> {
  const copy = makeBytes(end - start)
  typedArraySet(copy, part(bytes, start, end))
  return copy
}

/** All of them in one piece. */
export function joinAll(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0
  for (let i = 0; i < pieces.length; i++) length += typedArrayByteLength(pieces[i]!)
  const whole = makeBytes(length)
  let at = 0
  for (let i = 0; i < pieces.length; i++) {
    typedArraySet(whole, pieces[i]!, at)
    at += typedArrayByteLength(pieces[i]!)
  }
  return whole
}
