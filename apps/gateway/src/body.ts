import type { IncomingMessage } from 'node:http'
import { Refusal } from './refuse.ts'

/** As laf. */
const MAX_BODY_BYTES = 10 * 1000 * 1000
const NOTHING = Buffer.alloc(0)

/** Length of the body as announced, 0 if it is not. */
export function announcedBytes(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0)
}

/**
 * Reads the whole body; `take` is told of each part, and may throw a Refusal.
 * @throws Refusal if it is too large or encoded, or not taken. Any other error means that the client has gone away.
 */
export async function readBody(request: IncomingMessage, take: (bytes: number) => void): Promise<Buffer> {
  const encoding = request.headers['content-encoding']
  // Decoding would let a small body become a large one.
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw new Refusal('unsupported_encoding')
  if (announcedBytes(request) > MAX_BODY_BYTES) throw new Refusal('body_too_large')
  return collect(request, take)
}

function collect(request: IncomingMessage, take: (bytes: number) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let body: Buffer = NOTHING
    let length = 0
    let refused = false
    request.on('data', (part: Buffer) => {
      if (refused) return
      try {
        if (length + part.byteLength > MAX_BODY_BYTES) throw new Refusal('body_too_large')
        take(part.byteLength)
        body = append(body, length, part)
        length += part.byteLength
      } catch (error) {
        refused = true
        body = NOTHING
        reject(error as Error)
      }
    })
    request.on('end', () => resolve(body.subarray(0, length)))
    request.on('error', reject)
    request.on('close', () => reject(new Error('the client went away')))
  })
}

/** The first `length` bytes of the body, and the part behind them. No list of parts: a client can make each of them one byte long, and each would be an object. */
function append(body: Buffer, length: number, part: Buffer): Buffer {
  if (length === 0) return part
  const needed = length + part.byteLength
  const roomy = needed <= body.byteLength ? body : Buffer.allocUnsafe(Math.max(needed, Math.min(length * 2, MAX_BODY_BYTES)))
  if (roomy !== body) body.copy(roomy, 0, 0, length)
  part.copy(roomy, length)
  return roomy
}
