/*
 * Frames of a WebSocket server around whole messages (RFC 6455, 5.2): FIN is set, nothing is masked (5.1), no extension
 * is in use. ws could do it, but only one receiver at a time and with two buffers for each message.
 */
const FIN_TEXT = 0x81
export const FIN_BINARY = 0x82
export const FIN_PING = 0x89
export const FIN_PONG = 0x8a

/** A control frame takes no more (RFC 6455, 5.5). */
export const MAX_CONTROL_BYTES = 125

/** The header of a frame takes this much at most. */
const MAX_MESSAGE_HEAD = 10

/**
 * Writes the header of a message of `length` bytes so that it ends where the payload starts, at `end`,
 * over whatever is there, and returns where the header starts.
 */
export function writeMessageHead(bytes: Uint8Array, end: number, length: number, binary: boolean): number {
  const start = end - (length < 126 ? 2 : length < 0x10000 ? 4 : 10)
  bytes[start] = binary ? FIN_BINARY : FIN_TEXT
  if (length < 126) {
    bytes[start + 1] = length
    return start
  }
  const lengthBytes = end - start - 2
  bytes[start + 1] = lengthBytes === 2 ? 126 : 127
  let rest = length
  for (let at = end - 1; at >= start + 2; at--) {
    bytes[at] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return start
}

/** As `writeMessageHead`, of a ping or pong of at most MAX_CONTROL_BYTES. */
export function writeControlHead(bytes: Uint8Array, end: number, length: number, first: typeof FIN_PING | typeof FIN_PONG): number {
  bytes[end - 2] = first
  bytes[end - 1] = length
  return end - 2
}

/** What is in a frame that was made here. */
export function payloadOf(frame: Uint8Array): Uint8Array {
  const length = frame[1]!
  return frame.subarray(length < 126 ? 2 : length === 126 ? 4 : 10)
}

/** Smaller ones share their memory with others. */
const ALONE_FROM = 1024

/** A framed copy of a message. A larger one stands alone in its buffer: it may wait for many clients, and should keep nothing else. */
export function frameMessage(payload: Uint8Array, binary: boolean): Buffer {
  const size = MAX_MESSAGE_HEAD + payload.byteLength
  const bytes = size < ALONE_FROM ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size)
  bytes.set(payload, MAX_MESSAGE_HEAD)
  return bytes.subarray(writeMessageHead(bytes, MAX_MESSAGE_HEAD, payload.byteLength, binary))
}
