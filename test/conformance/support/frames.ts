import { randomBytes } from 'node:crypto'

/** RFC 6455, 5.2 and 11.8. */
export const Opcode = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const

export interface FrameOptions {
  fin?: boolean
  /** RSV1 is 4, RSV2 is 2, RSV3 is 1. */
  rsv?: number
  payload?: Uint8Array | string
  /** null: not masked. */
  mask?: Buffer | null
  /** Bytes of the extended length, in place of the fewest that do. */
  lengthBytes?: 0 | 2 | 8
  /** What the header says of the length, in place of the truth. */
  announced?: bigint
}

/** A frame as a client may send it, or may not. */
export function frame(opcode: number, options: FrameOptions = {}): Buffer {
  const { fin = true, rsv = 0, mask = randomBytes(4) } = options
  const payload = Buffer.from(options.payload ?? '')
  const length = options.announced ?? BigInt(payload.byteLength)
  const lengthBytes = options.lengthBytes ?? (length < 126n ? 0 : length < 65_536n ? 2 : 8)
  const head = Buffer.alloc(2 + lengthBytes)
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  head[1] = (mask === null ? 0 : 0x80) | (lengthBytes === 0 ? Number(length) : lengthBytes === 2 ? 126 : 127)
  if (lengthBytes === 2) head.writeUInt16BE(Number(length), 2)
  if (lengthBytes === 8) head.writeBigUInt64BE(length, 2)
  return Buffer.concat(mask === null ? [head, payload] : [head, mask, masked(payload, mask)])
}

export const text = (payload: Uint8Array | string, options: FrameOptions = {}): Buffer => frame(Opcode.TEXT, { ...options, payload })
export const binary = (payload: Uint8Array, options: FrameOptions = {}): Buffer => frame(Opcode.BINARY, { ...options, payload })
export const ping = (payload: Uint8Array | string = '', options: FrameOptions = {}): Buffer => frame(Opcode.PING, { ...options, payload })
export const pong = (payload: Uint8Array | string = '', options: FrameOptions = {}): Buffer => frame(Opcode.PONG, { ...options, payload })

/** A close frame; without a code it is empty (RFC 6455, 5.5.1). */
export function close(code?: number, reason: Uint8Array | string = ''): Buffer {
  if (code === undefined) return frame(Opcode.CLOSE)
  const head = Buffer.alloc(2)
  head.writeUInt16BE(code)
  return frame(Opcode.CLOSE, { payload: Buffer.concat([head, Buffer.from(reason)]) })
}

/** A message in these pieces: the first has its opcode, the last has FIN (RFC 6455, 5.4). */
export function fragments(opcode: number, pieces: (Uint8Array | string)[]): Buffer[] {
  return pieces.map((payload, index) => frame(index === 0 ? opcode : Opcode.CONTINUATION, { payload, fin: index === pieces.length - 1 }))
}

function masked(payload: Buffer, mask: Buffer): Buffer {
  const bytes = Buffer.from(payload)
  for (let i = 0; i < bytes.byteLength; i++) bytes[i] = bytes[i]! ^ mask[i & 3]!
  return bytes
}

/** A frame as the server sent it. */
export interface Received {
  fin: boolean
  rsv: number
  opcode: number
  masked: boolean
  payload: Buffer
}

interface Head {
  bytes: number
  payload: number
}

/** Size of the frame that begins here, or null if that is not known yet. @throws Error if its length is not the shortest (RFC 6455, 5.2). */
export function headOf(bytes: Buffer): Head | null {
  if (bytes.byteLength < 2) return null
  const short = bytes[1]! & 0x7f
  if (short < 126) return { bytes: 2, payload: short }
  if (bytes.byteLength < (short === 126 ? 4 : 10)) return null
  const payload = short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (payload < (short === 126 ? 126 : 65_536)) throw new Error(`the server takes too many bytes for a length of ${payload}`)
  return { bytes: short === 126 ? 4 : 10, payload }
}

export function received(bytes: Buffer, { bytes: head, payload }: Head): Received {
  return {
    fin: (bytes[0]! & 0x80) !== 0,
    rsv: (bytes[0]! >> 4) & 7,
    opcode: bytes[0]! & 0x0f,
    masked: (bytes[1]! & 0x80) !== 0,
    payload: bytes.subarray(head, head + payload)
  }
}
