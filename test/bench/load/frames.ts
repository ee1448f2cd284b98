import { randomBytes } from 'node:crypto'

/** RFC 6455, 11.8. */
export const Opcode = { TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const

/** A frame as clients send it (RFC 6455, 5.2 and 5.3). It is built once and sent often: the mask is the same each time. */
export function maskedFrame(opcode: number, payload: Uint8Array): Buffer {
  const { byteLength } = payload
  const head = byteLength < 126 ? 2 : byteLength < 65_536 ? 4 : 10
  const frame = Buffer.alloc(head + 4 + byteLength)
  frame[0] = 0x80 | opcode
  frame[1] = 0x80 | (head === 2 ? byteLength : head === 4 ? 126 : 127)
  if (head === 4) frame.writeUInt16BE(byteLength, 2)
  if (head === 10) frame.writeBigUInt64BE(BigInt(byteLength), 2)
  const mask = randomBytes(4)
  frame.set(mask, head)
  for (let i = 0; i < byteLength; i++) frame[head + 4 + i] = payload[i]! ^ mask[i & 3]!
  return frame
}

/** A text message of so many bytes, each client's another one: a server that sees what is the same would have it too easy. */
export function textFrame(bytes: number, client = 0): Buffer {
  return maskedFrame(Opcode.TEXT, Buffer.alloc(bytes, `${client} abcdefghijklmnopqrstuvwxyz`))
}

const FIN = 0x80
/** The longest head of a server's frame and the longest payload of a control frame (RFC 6455, 5.2 and 5.5). */
const MAX_KEPT = 10 + 125

/**
 * Counts the messages in what a server sends, and looks at nothing else in them, so that counting costs the generator
 * next to nothing. Only control frames are taken out whole.
 */
export class FrameSplitter {
  /** Payload bytes of all messages. */
  payloadBytes = 0
  readonly #onControl: (opcode: number, payload: Buffer) => void
  #left = 0
  #final = false
  /** A head, or a control frame, that has not come as a whole. */
  #kept: Buffer | null = null
  #keptBytes = 0

  constructor(onControl: (opcode: number, payload: Buffer) => void) {
    this.#onControl = onControl
  }

  /** How many messages end in these bytes. @throws Error on a frame that no server may send here. */
  push(bytes: Uint8Array, start: number, end: number): number {
    let messages = 0
    for (let at = start; at < end; ) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, end - at)
        this.#left -= taken
        at += taken
        if (this.#left === 0 && this.#final) messages++
      } else if (this.#keptBytes === 0 && isDataHead(bytes, at, end)) {
        if (this.#begin(bytes, at)) messages++
        at += headBytes(bytes, at)
      } else if (this.#keep(bytes[at++]!)) messages++
    }
    return messages
  }

  /** Takes the head of a data frame. True if it is a message already, an empty one. */
  #begin(bytes: Uint8Array, at: number): boolean {
    const first = bytes[at]!
    if ((first & 0x70) !== 0 || (bytes[at + 1]! & 0x80) !== 0) throw new Error('the server sent a frame with reserved bits or a mask')
    this.#final = (first & FIN) !== 0
    this.#left = payloadLength(bytes, at)
    this.payloadBytes += this.#left
    return this.#left === 0 && this.#final
  }

  /** The slow way, octet by octet. True if a message ends with this one. */
  #keep(byte: number): boolean {
    this.#kept ??= Buffer.alloc(MAX_KEPT)
    this.#kept[this.#keptBytes++] = byte
    if (this.#keptBytes < 2) return false
    const head = headBytes(this.#kept, 0)
    const isControl = (this.#kept[0]! & 0x08) !== 0
    const needed = isControl ? head + (this.#kept[1]! & 0x7f) : head
    if (this.#keptBytes < needed) return false
    this.#keptBytes = 0
    if (!isControl) return this.#begin(this.#kept, 0)
    this.#onControl(this.#kept[0]! & 0x0f, Buffer.from(this.#kept.subarray(head, needed)))
    return false
  }
}

function headBytes(bytes: Uint8Array, at: number): number {
  const length = bytes[at + 1]! & 0x7f
  return length < 126 ? 2 : length === 126 ? 4 : 10
}

/** The whole head of a frame that is no control frame is there. */
function isDataHead(bytes: Uint8Array, at: number, end: number): boolean {
  return end - at >= 2 && (bytes[at]! & 0x08) === 0 && end - at >= headBytes(bytes, at)
}

function payloadLength(bytes: Uint8Array, at: number): number {
  const length = bytes[at + 1]! & 0x7f
  if (length < 126) return length
  if (length === 126) return bytes[at + 2]! * 256 + bytes[at + 3]!
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at + 2))
}
