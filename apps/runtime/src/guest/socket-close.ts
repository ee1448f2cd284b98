import { FrameType, writeU16 } from '@socklet/protocol/frame'
import type { Connection } from './connection.ts'
import { beginFrame, command, finishFrame } from './outbox.ts'
import { NativeRangeError, NativeTypeError, typedArrayByteLength } from './primordials.ts'
import { EMPTY, encodeText, isUint8Array, lengthInBytes } from './socket-bytes.ts'
import { inOrder } from './socket-send.ts'

/** RFC 6455, 5.5: 125 bytes less the code. */
const MAX_REASON_BYTES = 123

/**
 * The closing handshake, with the checks of ws (lib/sender.js, `close`).
 * @throws TypeError on a code that may not be sent, RangeError on a reason above 123 bytes
 */
export function sendClose(connection: Connection, code: unknown, reason: unknown): void {
  if (code === undefined) {
    inOrder(connection, () => command(FrameType.CLOSE, 0, connection.gateway, connection.number, ''))
    return
  }
  if (typeof code !== 'number' || !isValidCloseCode(code)) throw new NativeTypeError('First argument must be a valid error code number')
  const bytes = reasonBytes(reason)
  inOrder(connection, () => writeClose(connection, code, bytes))
}

/** RFC 6455, 7.4.1 and 7.4.2, as `isValidStatusCode` of ws. */
function isValidCloseCode(code: number): boolean {
  return (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code <= 4999)
}

function reasonBytes(reason: unknown): Uint8Array {
  if (reason === undefined || !(reason as { length: unknown }).length) return EMPTY
  if (lengthInBytes(reason) > MAX_REASON_BYTES) throw new NativeRangeError('The message must not be greater than 123 bytes')
  if (typeof reason === 'string') return encodeText(reason)
  if (isUint8Array(reason)) return reason
  throw new NativeTypeError('Second argument must be a string or a Uint8Array')
}

function writeClose({ gateway, number }: Connection, code: number, reason: Uint8Array): void {
  const length = typedArrayByteLength(reason)
  const frame = beginFrame(2 + length)
  writeU16(frame.bytes, frame.offset, code)
  for (let i = 0; i < length; i++) frame.bytes[frame.offset + 2 + i] = reason[i]!
  finishFrame(FrameType.CLOSE, 0, gateway, number, frame.offset + 2 + length)
}
