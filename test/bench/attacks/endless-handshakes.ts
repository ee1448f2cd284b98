import type { Attack } from './attack.ts'
import { openRaw } from './raw.ts'

const BYTE_EVERY_MS = 250

/** Handshakes that go on for ever, a letter at a time. */
export const endlessHandshakes: Attack = {
  name: 'endless-handshakes',
  what: 'handshakes that never end',
  atATime: 500,
  perSecond: 2000,
  // After Node's `headersTimeout`.
  outcome: null,
  attacker: async (where) => {
    const raw = openRaw(where)
    await raw.write(`GET ${where.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nX-Endless: `)
    const timer = setInterval(() => void raw.write('a'), BYTE_EVERY_MS)
    const outcome = await raw.ended
    clearInterval(timer)
    return outcome
  }
}
