import { Tag, VERSION } from '../src/value-tags.ts'

/** A value: a string of up to 63 units of Latin-1. */
export const text = (string: string): Uint8Array => Uint8Array.from([VERSION, Tag.SHORT_STRING + string.length, ...Buffer.from(string, 'latin1')])

/** A value: the number, up to 127. */
export const small = (number: number): Uint8Array => Uint8Array.from([VERSION, Tag.SMALL + number])

/** A value: a reference to one of the first 128 nodes. */
export const node = (number: number): Uint8Array => Uint8Array.from([VERSION, Tag.REF, Tag.SMALL + number])

/** A value: a socket. */
export const socket = (id: string): Uint8Array => Uint8Array.from([VERSION, Tag.REF, Tag.SHORT_STRING + id.length, ...Buffer.from(id, 'latin1')])

/** A value: a string of so many units. */
export function longText(length: number): Uint8Array {
  const varint: number[] = []
  for (let left = length; ; left >>>= 7) {
    if (left < 0x80) {
      varint.push(left)
      break
    }
    varint.push((left & 0x7f) | 0x80)
  }
  return Buffer.concat([Uint8Array.from([VERSION, Tag.LATIN1, ...varint]), Buffer.alloc(length, 'x')])
}
