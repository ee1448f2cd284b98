import { isAscii } from 'node:buffer'
import { Flag, FrameType, HEADER_BYTES, paddedLength, readU16, readU32, writeU32 } from '@socklet/protocol/frame'
import { EXTERNAL_FROM, SMALL_TURN_BYTES } from '../turn-layout.ts'
import type { TurnInput } from './isolate.ts'

const INITIAL_BYTES = 1024
/** A mailbox keeps more room than this only while it uses it. */
const KEEP_BYTES = 64 * 1024

/** An event that was lost with an isolate before: it runs in a turn of its own, so that it is known what a second death had. */
export interface Suspect {
  gateway: number
  connection: number
  sequence: number
}

export interface Delivery extends TurnInput {
  events: number
  /** So many of them are about what was there before the isolate, and count as none. */
  news: number
  suspect: Suspect | null
}

/** Whether the guest will ask for a piece of the frame as text. */
function isText(type: number, flags: number): boolean {
  if (type === FrameType.MESSAGE) return (flags & Flag.BINARY) === 0
  return type < FrameType.PING || type === FrameType.UPGRADE
}

/** The events that wait for an app, as they came from the links, in order. */
export class Mailbox {
  #bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  #start = 0
  #end = 0
  /** Decoded texts of the frames with Flag.EXTERNAL, in their order. */
  #texts: string[] = []
  events = 0

  get empty(): boolean {
    return this.#start === this.#end
  }

  /** Copies the event frame `source[start .. end)`. */
  add(source: Uint8Array, start: number, end: number): void {
    const length = end - start
    const padded = paddedLength(length)
    this.#reserve(padded)
    const at = this.#end
    // The app sees all of it: behind the frame there would be what this memory held before, for whomever.
    if (padded > length) writeU32(this.#bytes, at + padded - 4, 0)
    this.#bytes.set(start === 0 && end === source.byteLength ? source : source.subarray(start, end), at)
    const external = this.#decodeLongText(at, length)
    this.#bytes[at + 5] = external ? this.#bytes[at + 5]! | Flag.EXTERNAL : this.#bytes[at + 5]! & ~Flag.EXTERNAL
    this.#end = at + padded
    this.events++
  }

  /** Moves all that waits in another mailbox behind what waits here. */
  append(other: Mailbox): void {
    const length = other.#end - other.#start
    this.#reserve(length)
    other.#bytes.copy(this.#bytes, this.#end, other.#start, other.#end)
    this.#end += length
    this.#texts.push(...other.#texts.splice(0))
    this.events += other.events
    other.events = 0
    other.#reset()
  }

  /** Takes what one turn delivers: at most so many events and about so many bytes, a suspect always alone. */
  take(maxEvents: number, maxBytes: number): Delivery {
    const bytes = this.#bytes
    let at = this.#start
    let events = 0
    let externals = 0
    let hasText = false
    let suspect: Suspect | null = null
    while (at < this.#end && events < maxEvents && at - this.#start < maxBytes) {
      const type = bytes[at + 4]!
      const flags = bytes[at + 5]!
      if ((flags & Flag.REDELIVERED) !== 0) {
        if (events > 0) break
        suspect = { gateway: readU16(bytes, at + 6), connection: readU32(bytes, at + 16), sequence: readU32(bytes, at + 20) }
      }
      if ((flags & Flag.EXTERNAL) !== 0) externals++
      else if (isText(type, flags)) hasText = true
      at += paddedLength(readU32(bytes, at))
      events++
      if (suspect !== null) break
    }
    const length = at - this.#start
    const isSmall = length <= SMALL_TURN_BYTES
    const delivery: Delivery = {
      bytes: isSmall ? undefined : bytes.buffer.slice(this.#start, at),
      length,
      latin1: isSmall || hasText ? bytes.toString('latin1', this.#start, at) : undefined,
      texts: externals > 0 ? this.#texts.splice(0, externals) : undefined,
      events,
      news: 0,
      suspect
    }
    this.#start = at
    this.events -= events
    if (this.#start === this.#end) this.#reset()
    return delivery
  }

  /** Long text that is not ASCII: decoding it here, in native code, is many times cheaper than in the isolate. */
  #decodeLongText(at: number, length: number): boolean {
    const bytes = this.#bytes
    if (length < EXTERNAL_FROM || bytes[at + 4] !== FrameType.MESSAGE || (bytes[at + 5]! & Flag.BINARY) !== 0) return false
    const payload = bytes.subarray(at + HEADER_BYTES, at + length)
    if (isAscii(payload)) return false
    this.#texts.push(payload.toString('utf8'))
    return true
  }

  #reserve(count: number): void {
    if (this.#end + count <= this.#bytes.byteLength) return
    const waiting = this.#end - this.#start
    const room = waiting + count <= this.#bytes.byteLength / 2 ? this.#bytes : Buffer.allocUnsafeSlow(Math.max((waiting + count) * 2, INITIAL_BYTES))
    this.#bytes.copy(room, 0, this.#start, this.#end)
    this.#bytes = room
    this.#start = 0
    this.#end = waiting
  }

  #reset(): void {
    const isLarge = this.#bytes.byteLength > KEEP_BYTES && this.#end * 8 < this.#bytes.byteLength
    this.#start = 0
    this.#end = 0
    if (isLarge) this.#bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  }
}
