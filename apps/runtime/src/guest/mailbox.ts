import { HEADER_BYTES, HEADER_WORDS, readU32 } from '@socklet/protocol/frame'
import { SMALL_TURN_BYTES } from '../turn-layout.ts'
import { NativeArrayBuffer, NativeUint32Array, NativeUint8Array, charCodeAt, mathMin, substring } from './primordials.ts'
import { malformed } from './heads.ts'
import { readUtf8 } from './utf8.ts'

/** The events that came with a turn: the bytes as they were on the link, and their text, see turn-layout.ts. */
export interface Mailbox {
  readonly buffer: ArrayBuffer
  readonly bytes: Uint8Array
  readonly words: Uint32Array
  /** The words as they came, where there is text: code of the tenant can change the others (message.ts). Null if `latin1` has to tell. */
  before: Uint32Array | null
  readonly length: number
  readonly latin1: string | undefined
  readonly texts: string[] | undefined
  /** Where the next frame starts. */
  offset: number
  nextText: number
}

/** One event. Numbers only; what is behind the header is read by the kind of event. */
export interface EventFrame {
  readonly type: number
  readonly flags: number
  readonly gateway: number
  readonly connection: number
  readonly sequence: number
  /** Where its payload starts and ends in the mailbox. */
  readonly start: number
  readonly end: number
}

/** The words of the newest mailbox without a buffer, as they came. The one before it has its string to tell. */
let smallWords = new NativeUint32Array(0)
let smallCapacity = 0
let newestSmall: Mailbox | null = null

/** Without a buffer the bytes are those of `latin1`. */
export function openMailbox(given: ArrayBuffer | undefined, length: number, latin1: string | undefined, texts: string[] | undefined): Mailbox {
  if (given === undefined) return openSmall(length, latin1!, texts)
  const words = new NativeUint32Array(given)
  const before = latin1 === undefined && texts === undefined ? null : new NativeUint32Array(words)
  return { buffer: given, bytes: new NativeUint8Array(given), words, before, length, latin1, texts, offset: 0, nextText: 0 }
}

function openSmall(length: number, latin1: string, texts: string[] | undefined): Mailbox {
  const buffer = new NativeArrayBuffer(length)
  const words = new NativeUint32Array(buffer)
  // Not all that there may be at once: most apps have few events at a time.
  if (length >> 2 > smallCapacity) {
    smallCapacity = mathMin(length, SMALL_TURN_BYTES >> 2)
    smallWords = new NativeUint32Array(smallCapacity)
  }
  for (let i = 0; i < length >> 2; i++) smallWords[i] = words[i] = wordOf(latin1, i)
  if (newestSmall !== null) newestSmall.before = null
  newestSmall = { buffer, bytes: new NativeUint8Array(buffer), words, before: smallWords, length, latin1, texts, offset: 0, nextText: 0 }
  return newestSmall
}

/** The word with this index among those whose bytes the string has. */
export function wordOf(latin1: string, index: number): number {
  const at = index << 2
  return (charCodeAt(latin1, at) | (charCodeAt(latin1, at + 1) << 8) | (charCodeAt(latin1, at + 2) << 16) | (charCodeAt(latin1, at + 3) << 24)) >>> 0
}

export function hasNextEvent({ offset, length }: Mailbox): boolean {
  return offset < length
}

/** The next event, or null at the end. */
export function nextEvent(mailbox: Mailbox): EventFrame | null {
  if (!hasNextEvent(mailbox)) return null
  const { offset, words } = mailbox
  const word = offset >> 2
  const length = words[word]!
  const kind = words[word + 1]!
  mailbox.offset = (offset + length + 3) & ~3
  return {
    type: kind & 0xff,
    flags: (kind >> 8) & 0xff,
    gateway: kind >>> 16,
    connection: words[word + 4]!,
    sequence: words[word + HEADER_WORDS - 1]!,
    start: offset + HEADER_BYTES,
    end: offset + length
  }
}

/** A piece of a payload that is text for sure: heads, names. */
export function readText(mailbox: Mailbox, start: number, end: number): string {
  const { latin1, bytes } = mailbox
  if (latin1 === undefined) return readUtf8(bytes, start, end)
  for (let i = start; i < end; i++) if (bytes[i]! >= 0x80) return readUtf8(bytes, start, end)
  return substring(latin1, start, end)
}

/** The first part of a payload that starts with the length of its head, and where the rest begins. */
export function readHead(mailbox: Mailbox, frame: EventFrame): { text: string; end: number } {
  const start = frame.start + 4
  // Beyond the frame nothing would stop whoever reads it: of four thousand million bytes that are not there, none is above 0x7f.
  const end = start <= frame.end ? start + readU32(mailbox.bytes, frame.start) : Infinity
  if (end > frame.end) malformed('its head is longer than it')
  return { text: readText(mailbox, start, end), end }
}
