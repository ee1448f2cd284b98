import { constants, deflateRawSync } from 'node:zlib'
import { maskedFrame, Opcode } from '../load/frames.ts'
import type { Attack } from './attack.ts'
import { shakeHands } from './raw.ts'

/** RFC 7692, 7.2.1: what a flush ends with is left out. */
const TAIL_BYTES = 4
const BOMB = maskedFrame(Opcode.BINARY, deflateRawSync(Buffer.alloc(64 * 1024 * 1024), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -TAIL_BYTES))
/** RSV1: the message is compressed (RFC 7692, 6). */
BOMB[0]! |= 0x40

/** 64 KiB that become 64 MiB. */
export const bombs: Attack = {
  name: 'bombs',
  what: 'compression bombs',
  limits: { compressFromBytes: 1 },
  atATime: 8,
  perSecond: 50,
  outcome: '1009',
  attacker: async (where) => {
    const raw = await shakeHands(where, 'Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n')
    await raw.write(BOMB)
    return raw.ended
  }
}
