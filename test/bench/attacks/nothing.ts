import { setImmediate } from 'node:timers/promises'
import type { Attack } from './attack.ts'

const SPIN_MS = 10

/**
 * Burns all the CPU that is left, and attacks nobody: what a quiet app suffers beside it is what the measure itself does.
 * It should be next to nothing, as all attackers run at the lowest priority.
 */
export const nothing: Attack = {
  name: 'nothing',
  what: 'a process that only burns CPU',
  atATime: 1,
  perSecond: 50,
  outcome: null,
  attacker: async () => {
    for (;;) {
      const end = performance.now() + SPIN_MS
      while (performance.now() < end);
      await setImmediate()
    }
  }
}
