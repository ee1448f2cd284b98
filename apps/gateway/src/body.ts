import type { IncomingMessage } from 'node:http'
import { Refusal } from './refuse.ts'

/** As laf. */
const MAX_BODY_BYTES = 10 * 1000 * 1000

/** Length of the body as announced, 0 if it is not. */
export function announcedBytes(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0)
}

/**
 * Reads the whole body; `count` is told of each part.
 * @throws Refusal if it is too large or encoded. Any other error means that the client has gone away.
 */
export async function readBody(request: IncomingMessage, count: (bytes: number) => void): Promise<Buffer> {
  const encoding = request.headers['content-encoding']
  // Decoding would let a small body become a large one.
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw new Refusal('unsupported_encoding')
  if (announcedBytes(request) > MAX_BODY_BYTES) throw new Refusal('body_too_large')
  return collect(request, count)
}

function collect(request: IncomingMessage, count: (bytes: number) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let bytes = 0
    request.on('data', (part: Buffer) => {
      if (bytes > MAX_BODY_BYTES) return
      bytes += part.byteLength
      if (bytes > MAX_BODY_BYTES) {
        parts.length = 0
        reject(new Refusal('body_too_large'))
        return
      }
      count(part.byteLength)
      parts.push(part)
    })
    request.on('end', () => resolve(Buffer.concat(parts, bytes)))
    request.on('error', reject)
    request.on('close', () => reject(new Error('the client went away')))
  })
}
