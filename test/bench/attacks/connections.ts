import type { Attack } from './attack.ts'
import { shakeHands } from './raw.ts'

/** The app has all the connections it may have, and more come. */
export const connections: Attack = {
  name: 'connections',
  what: 'a connection flood at the limit',
  limits: { connections: 50 },
  atATime: 100,
  perSecond: 1000,
  outcome: '429',
  attacker: async (where) => (await shakeHands(where)).ended
}
