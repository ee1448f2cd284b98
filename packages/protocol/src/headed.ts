/** Payloads that begin with a head: u32 its bytes, the head (JSON, or a name), then the rest to the end. The guest has its own (guest/heads.ts). */

import { readU32, writeU32 } from './frame.ts'
import { FrameError } from './splitter.ts'

const LENGTH_BYTES = 4

/** A payload of this head and, after it, these bytes. They are copied. */
export function withHead(head: string, rest?: Uint8Array): Buffer {
  const length = Buffer.byteLength(head)
  const restAt = LENGTH_BYTES + length
  const payload = Buffer.allocUnsafe(restAt + (rest?.byteLength ?? 0))
  writeU32(payload, 0, length)
  payload.write(head, LENGTH_BYTES)
  if (rest !== undefined) payload.set(rest, restAt)
  return payload
}

/** Both parts are views of the payload, and nothing is known of what they are. @throws FrameError if the head is longer than the payload */
export function splitHead<Bytes extends Uint8Array>(payload: Bytes): { head: Buffer; rest: Bytes } {
  const { buffer, byteOffset, byteLength } = payload
  // Bytes that are not there are read as 0, and it is shorter than LENGTH_BYTES then.
  const restAt = LENGTH_BYTES + readU32(payload, 0)
  if (restAt > byteLength) throw new FrameError(`a payload of ${byteLength} bytes is shorter than its head`)
  // The rest is of the kind that the payload is: `slice` of a Uint8Array copies, that of a Buffer does not.
  return { head: Buffer.from(buffer, byteOffset + LENGTH_BYTES, restAt - LENGTH_BYTES), rest: payload.subarray(restAt) as Bytes }
}
