import { FrameType, keptSequence, namesKeptMessage, readU32, withKeptMessage, type FrameHead } from '@socklet/protocol'

/** Messages as their gateways keep them until they are acknowledged, for commands that name one in place of having it. */
export class KeptMessages {
  readonly #messages = new Map<string, Uint8Array>()
  /** Commands that were such. */
  named = 0

  add(gateway: number, sequence: number, message: Uint8Array): void {
    this.#messages.set(`${gateway}:${sequence}`, message)
  }

  /** The command with its message; null if it is no such one. */
  whole(gateway: number, bytes: Uint8Array, start: number, end: number): Uint8Array | null {
    if (!namesKeptMessage(bytes, start)) return null
    const message = this.#messages.get(`${gateway}:${keptSequence(bytes, start, end)}`)
    if (message === undefined) throw new Error('a command names a message that is not kept')
    this.named++
    return withKeptMessage(bytes, start, end, message)
  }

  settle(gateway: number, { type }: FrameHead, payload: Buffer): void {
    if (type !== FrameType.ACK) return
    for (let at = 0; at < payload.byteLength; at += 8) for (let one = readU32(payload, at); one <= readU32(payload, at + 4); one++) this.#messages.delete(`${gateway}:${one}`)
  }
}
