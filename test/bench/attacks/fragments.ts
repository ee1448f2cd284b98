import { maskedFrame, Opcode } from '../load/frames.ts'
import type { Attack } from './attack.ts'
import { shakeHands } from './raw.ts'

/** As frame() of RFC 6455, 5.2, without FIN. */
function unfinished(opcode: number): Buffer {
  const frame = maskedFrame(opcode, Buffer.of(0x61))
  frame[0] = opcode
  return frame
}

const FIRST = unfinished(Opcode.TEXT)
const MORE = Buffer.concat(Array.from({ length: 5000 }, () => unfinished(0)))

/** Messages in fragments of an octet each that never end. */
export const fragments: Attack = {
  name: 'fragments',
  what: 'fragments by the million',
  atATime: 4,
  perSecond: 50,
  // They are read at a rate, so 1008 comes after seconds.
  outcome: null,
  attacker: async (where) => {
    const raw = await shakeHands(where)
    await raw.write(FIRST)
    while (!raw.isOver) {
      await raw.write(MORE)
      await new Promise((done) => setImmediate(done))
    }
    return raw.ended
  }
}
