/* oxlint-disable no-underscore-dangle -- the names are those of ws */
import { isUtf8 } from 'node:buffer'
import { unmask } from './unmask.ts'
import { GET_INFO, type Receiver } from './ws-receiver.ts'

/** What it takes to know whether the Receiver has anything that came before. */
type RestingReceiver = Pick<Receiver, '_state' | '_bufferedBytes' | '_fragmented' | '_maxPayload' | '_errored' | 'writableEnded'>

/** RFC 6455, 5.2: FIN with opcode 1 or 2, and no reserved bit. */
const WHOLE_TEXT = 0x81
const WHOLE_BINARY = 0x82
const MASKED = 0x80
/** Of the payload, in the seven bits for it; 126: it is in the next two octets. */
const SHORT = 125
const TWO_OCTETS = 126
const MASK_BYTES = 4

export interface WholeMessage {
  data: Buffer
  binary: boolean
}

/**
 * The message, if what was read is exactly one frame that is all of it: nearly every message that is not large. Then the receiver of ws, a
 * stream, need not be told of it, which saves a twentieth of what a message costs the gateway. null leaves everything to ws, and as it was: other
 * frames, pieces of them, and whatever it has to refuse.
 */
export function wholeMessage(receiver: RestingReceiver, read: Buffer): WholeMessage | null {
  const first = read[0]
  if ((first !== WHOLE_TEXT && first !== WHOLE_BINARY) || !rests(receiver)) return null
  if (read.byteLength < 2) return null
  const length = read[1]! - MASKED
  const maskAt = length === TWO_OCTETS ? 4 : 2
  const start = maskAt + MASK_BYTES
  if (length > TWO_OCTETS || read.byteLength < start) return null
  // Without a mask this is negative, and no frame is as short as that.
  const payload = length <= SHORT ? length : read.readUInt16BE(2)
  if (read.byteLength !== start + payload || (receiver._maxPayload > 0 && payload > receiver._maxPayload)) return null
  const data = read.subarray(start)
  const mask = read.subarray(maskAt, start)
  const bits = payload <= SHORT ? unmaskShort(data, mask) : unmaskLong(data, mask)
  const binary = first === WHOLE_BINARY
  if (binary || bits <= 0x7f || isUtf8(data)) return { data, binary }
  unmask(data, mask)
  return null
}

/** Whether there is nothing that came before, and more may come: after a close frame it has ended. */
function rests(receiver: RestingReceiver): boolean {
  return receiver._state === GET_INFO && receiver._bufferedBytes === 0 && receiver._fragmented === 0 && !receiver.writableEnded && !receiver._errored
}

/** Returns all bits that are set in some octet: up to 0x7f it is ASCII. */
function unmaskShort(data: Buffer, mask: Buffer): number {
  let bits = 0
  for (let i = 0; i < data.byteLength; i++) bits |= data[i] = data[i]! ^ mask[i & 3]!
  return bits
}

function unmaskLong(data: Buffer, mask: Buffer): number {
  unmask(data, mask)
  return 0xff
}
