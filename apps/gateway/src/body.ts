import type { IncomingMessage } from 'node:http'
import { Refusal } from './refuse.ts'

/** As laf. */
const MAX_BODY_BYTES = 10 * 1000 * 1000
const MIN_BLOCK_BYTES = 1024
const MAX_BLOCK_BYTES = 256 * 1024
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
    let body: Blocks | null = new Blocks()
    request.on('data', (part: Buffer) => {
      if (body === null) return
      try {
        if (body.bytes + part.byteLength > MAX_BODY_BYTES) throw new Refusal('body_too_large')
        take(part.byteLength)
        body.add(part)
      } catch (error) {
        body = null
        reject(error as Error)
      }
    })
    request.on('end', () => {
      if (body !== null) resolve(body.whole())
    })
    request.on('error', reject)
    request.on('close', () => reject(new Error('the client went away')))
  })
}

/** Parts as they come would be an object each, and a client can make them one byte long: they are copied to where there is room for several. */
class Blocks {
  readonly #blocks: Buffer[] = []
  #room = NOTHING
  bytes = 0

  add(part: Buffer): void {
    for (let at = 0; at < part.byteLength;) {
      if (this.#room.byteLength === 0) this.#begin()
      const copied = part.copy(this.#room, 0, at)
      this.#room = this.#room.subarray(copied)
      at += copied
      this.bytes += copied
    }
  }

  whole(): Buffer {
    return Buffer.concat(this.#blocks, this.bytes)
  }

  /** No more room than there is in use. */
  #begin(): void {
    this.#room = Buffer.allocUnsafeSlow(Math.min(Math.max(this.bytes, MIN_BLOCK_BYTES), MAX_BLOCK_BYTES))
    this.#blocks.push(this.#room)
  }
}
