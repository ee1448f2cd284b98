import { setTimeout as sleep } from 'node:timers/promises'
import { textFrame } from '../load/frames.ts'
import type { Attack } from './attack.ts'
import { shakeHands } from './raw.ts'

const MESSAGE = textFrame(64)
const AGAIN_EVERY_MS = 200

/** A tenant whose code never ends when it gets a message; it gets one again and again. */
function tenant(name: string, what: string, body: string): Attack {
  return {
    name,
    what,
    source: `export const main = ({ method }) => { if (method === 'WebSocket:message') { ${body} } }`,
    atATime: 1,
    perSecond: 1,
    outcome: null,
    attacker: async (where) => {
      const raw = await shakeHands(where)
      while (!raw.isOver) {
        await raw.write(MESSAGE)
        await sleep(AGAIN_EVERY_MS)
      }
      return raw.ended
    }
  }
}

export const tenants: Attack[] = [
  tenant('loop', 'a tenant in an endless loop', 'for (;;);'),
  tenant('microtasks', 'a tenant in an endless chain of microtasks', 'return (async () => { for (;;) await null })()'),
  tenant('allocation', 'a tenant that allocates without end', 'const all = []; for (;;) all.push(new Array(10_000).fill(all.length))')
]
