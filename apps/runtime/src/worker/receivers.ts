import { paddedLength, readU32, writeU32 } from '@socklet/protocol'

/**
 * The receivers of a message that are at each of so many gateways. `start` to `end`: pairs of u32 gateway and connection.
 * null if one of them is at a gateway that does not exist.
 */
export function byGateway(bytes: Uint8Array, start: number, end: number, gateways: number): number[][] | null {
  const lists = Array.from({ length: gateways }, (): number[] => [])
  for (let at = start; at < end; at += 8) {
    const list = lists[readU32(bytes, at)]
    if (list === undefined) return null
    list.push(readU32(bytes, at + 4))
  }
  return lists
}

/** Payload of SEND_MANY. */
export function withReceivers(message: Uint8Array, receivers: Uint8Array): Uint8Array {
  const payload = new Uint8Array(4 + paddedLength(message.byteLength) + receivers.byteLength)
  writeU32(payload, 0, message.byteLength)
  payload.set(message, 4)
  payload.set(receivers, 4 + paddedLength(message.byteLength))
  return payload
}

/** Receivers as they stand behind a message. */
export function receiverBytes(numbers: number[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * 4)
  for (const [index, number] of numbers.entries()) writeU32(bytes, index * 4, number)
  return bytes
}
