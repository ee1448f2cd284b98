import { maskedFrame, Opcode } from '../load/frames.ts'
import type { Attack } from './attack.ts'
import { shakeHands } from './raw.ts'

const ASK = maskedFrame(Opcode.TEXT, Buffer.from('more'))
const ASK_EVERY_MS = 20

/** Clients that ask for 256 KiB again and again, and read none of it. */
export const slowReaders: Attack = {
  name: 'slow-readers',
  what: 'slow readers',
  source: `
    const data = new Uint8Array(65536)
    export function main(ctx) {
      if (ctx.method === 'WebSocket:message') for (let n = 0; n < 4; n++) ctx.socket.send(data)
    }`,
  limits: { sendBufferBytes: 4 * 1024 * 1024 },
  atATime: 8,
  perSecond: 50,
  outcome: null,
  attacker: async (where) => {
    const raw = await shakeHands(where)
    raw.socket.pause()
    const timer = setInterval(() => void raw.write(ASK), ASK_EVERY_MS)
    const outcome = await raw.ended
    clearInterval(timer)
    return outcome
  }
}
