import { textFrame } from '../load/frames.ts'
import type { Attack } from './attack.ts'
import { shakeHands } from './raw.ts'

const MESSAGES = Buffer.concat(Array.from({ length: 200 }, () => textFrame(64)))

/** Clients that send messages as fast as they are taken. */
export const flood: Attack = {
  name: 'flood',
  what: 'flooding senders',
  atATime: 8,
  perSecond: 50,
  // Closed with 1008 after ten seconds.
  outcome: null,
  attacker: async (where) => {
    const raw = await shakeHands(where)
    while (!raw.isOver) {
      await raw.write(MESSAGES)
      await new Promise((done) => setImmediate(done))
    }
    return raw.ended
  }
}
