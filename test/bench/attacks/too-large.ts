import { maskedFrame, Opcode } from '../load/frames.ts'
import type { Attack } from './attack.ts'
import { shakeHands } from './raw.ts'

/** The default of messageBytes is 1 MiB. */
const PIECE = Buffer.alloc(64 * 1024)
const PIECES = 20
const [FIRST, NEXT] = [Opcode.BINARY, 0].map((opcode) => {
  const frame = maskedFrame(opcode, PIECE)
  // Not the last one (RFC 6455, 5.4).
  frame[0] = opcode
  return frame
}) as [Buffer, Buffer]

/** Messages that turn out to be too large only in their last piece. */
export const tooLarge: Attack = {
  name: 'too-large',
  what: 'too large messages',
  atATime: 8,
  perSecond: 100,
  outcome: '1009',
  attacker: async (where) => {
    const raw = await shakeHands(where)
    await raw.write(FIRST)
    for (let n = 1; n < PIECES && !raw.isOver; n++) await raw.write(NEXT)
    return raw.ended
  }
}
