import type { Attack } from './attack.ts'
import { openRaw } from './raw.ts'

const LINES = Array.from({ length: 1000 }, (_, n) => `X-Header-${n}: ${'v'.repeat(50)}\r\n`).join('')

/** Requests that are all headers. */
export const headers: Attack = {
  name: 'headers',
  what: 'header floods',
  atATime: 32,
  perSecond: 500,
  outcome: '431',
  attacker: async (where) => {
    const raw = openRaw(where)
    await raw.write(`GET ${where.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${LINES}`)
    return raw.ended
  }
}
