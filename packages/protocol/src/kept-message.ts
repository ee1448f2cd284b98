import { Flag, FrameType, HEADER_BYTES, paddedLength, readU32, writeU32 } from './frame.ts'
import { FrameError } from './splitter.ts'

/*
 * A client's message that an app sends on as it came need not travel back: its gateway keeps it with its event until the handler has settled.
 * A SEND or SEND_MANY to connections of that gateway has Flag.EXTERNAL then, and in place of the message the event's sequence, u32.
 */
const SEQUENCE_BYTES = 4

export function namesKeptMessage(bytes: Uint8Array, start: number): boolean {
  const type = bytes[start + 4]
  return (bytes[start + 5]! & Flag.EXTERNAL) !== 0 && (type === FrameType.SEND || type === FrameType.SEND_MANY)
}

/** Makes the command name it. It has to have room for one number where the message is. `messageAt`: where that is. */
export function nameKeptMessage(bytes: Uint8Array, start: number, messageAt: number, sequence: number): void {
  if (bytes[start + 4] === FrameType.SEND_MANY) writeU32(bytes, start + HEADER_BYTES, SEQUENCE_BYTES)
  writeU32(bytes, messageAt, sequence)
}

/** The sequence of the event whose message the command names. @throws FrameError if there is none */
export function keptSequence(bytes: Uint8Array, start: number, end: number): number {
  const many = bytes[start + 4] === FrameType.SEND_MANY
  const messageAt = start + HEADER_BYTES + (many ? 4 : 0)
  const fits = many ? end >= messageAt + SEQUENCE_BYTES && readU32(bytes, messageAt - 4) === SEQUENCE_BYTES : end === messageAt + SEQUENCE_BYTES
  if (!fits) throw new FrameError('a command does not say which message it means')
  return readU32(bytes, messageAt)
}

/** The command with this message in place of its sequence: an ordinary one. The frame is one that has a `keptSequence`. */
export function withKeptMessage(bytes: Uint8Array, start: number, end: number, message: Uint8Array): Uint8Array {
  const many = bytes[start + 4] === FrameType.SEND_MANY
  const messageAt = HEADER_BYTES + (many ? 4 : 0)
  const receivers = bytes.subarray(start + messageAt + SEQUENCE_BYTES, end)
  const length = message.byteLength
  const whole = Buffer.allocUnsafe(many ? messageAt + paddedLength(length) + receivers.byteLength : messageAt + length)
  whole.set(bytes.subarray(start, start + HEADER_BYTES))
  whole[5]! &= ~Flag.EXTERNAL
  writeU32(whole, 0, whole.byteLength)
  whole.set(message, messageAt)
  if (many) {
    writeU32(whole, HEADER_BYTES, length)
    whole.fill(0, messageAt + length, messageAt + paddedLength(length))
    whole.set(receivers, messageAt + paddedLength(length))
  }
  return whole
}
