import type { ClientAttack } from '../attack.ts'
import { expectEnded, frame } from '../clients.ts'

const frames: Record<string, Uint8Array[]> = {
  'a frame that is not masked': [Buffer.from([0x81, 1, 0x78])],
  'reserved bits': [frame(0xc1, 'x')],
  'a reserved opcode': [frame(0x83, 'x')],
  'a reserved control opcode': [frame(0x8b, 'x')],
  'a control frame in fragments': [frame(0x09, 'x')],
  'a control frame that is too long': [frame(0x89, 'x'.repeat(126))],
  'a continuation of nothing': [frame(0x80, 'x')],
  'a new message within another': [frame(0x01, 'x'), frame(0x81, 'y')],
  'bad UTF-8': [frame(0x81, Buffer.from([0xff, 0xfe]))],
  'UTF-8 that is cut in the middle': [frame(0x01, Buffer.from([0xe2, 0x82])), frame(0x80, 'x')],
  'a surrogate in UTF-8': [frame(0x81, Buffer.from([0xed, 0xa0, 0x80]))],
  'a message of 2^63 bytes': [Buffer.from([0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])],
  'a message of 4 GiB': [Buffer.from([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])],
  'compressed without having agreed on it': [frame(0xc1, Buffer.from([0x4a, 0x04, 0x00]))],
  'a close of one byte': [frame(0x88, Buffer.from([3]))],
  'reserved close code 1005': [frame(0x88, Buffer.from([0x03, 0xed]))],
  'reserved close code 1006': [frame(0x88, Buffer.from([0x03, 0xee]))],
  'close code 0': [frame(0x88, Buffer.from([0, 0]))],
  'a close reason that is no UTF-8': [frame(0x88, Buffer.from([0x03, 0xe8, 0xff]))],
  'twenty thousand empty fragments': [frame(0x01, ''), Buffer.concat(Array.from({ length: 20_000 }, () => frame(0x00, '')))]
}

export default {
  name: 'Frames that are violations of RFC 6455',
  layer: 'gateway',
  holds: 'The connection is closed, as `ws` closes it; nothing of it reaches the app, and no memory is taken for what was only announced.',
  variants: Object.fromEntries(Object.entries(frames).map(([name, bytes]) => [name, (platform) => expectEnded(platform, ...bytes)]))
} satisfies ClientAttack
