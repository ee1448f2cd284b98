import { Flag, FrameType, HEADER_BYTES } from '@socklet/protocol/frame'
import { EXTERNAL_FROM, MAX_RUNS, MAX_TURN_BYTES, MAX_TURN_EXTERNALS, NEVER, RUN_WORDS, TURN_HEADER_BYTES, TURN_HEADER_WORDS, TurnWord } from '../turn-layout.ts'
import { NativeArrayBuffer, NativeRangeError, NativeUint32Array, NativeUint8Array, bareArray, mathMax, typedArrayByteLength, typedArrayCopyWithin, typedArraySet } from './primordials.ts'
import { writeUtf8 } from './utf8.ts'

/**
 * The commands of a turn, as frames in one buffer, in the order in which they were given. The buffer is the
 * guest's own and serves every turn: what leaves the isolate is a copy.
 */
const INITIAL_BYTES = 1024
const SHRINK_ABOVE = 64 * 1024

let capacity = INITIAL_BYTES
let buffer = new NativeArrayBuffer(INITIAL_BYTES)
let bytes = new NativeUint8Array(buffer)
let words = new NativeUint32Array(buffer)
let used = TURN_HEADER_BYTES
let result = bareArray<unknown>()
let resultNumber = 0
let externals = 0
let externalBytes = 0

/** The last frame, if it is a message and another receiver can still be added to it. */
let last: { offset: number; gateway: number; text: string | null; data: Uint8Array | null } | null = null

/**
 * Begins the commands of a turn. If the host has not received the last result (an unhandled rejection makes
 * isolated-vm lose it), its commands stay and are sent again in front of the new ones.
 */
export function beginTurn(acknowledged: number): unknown[] {
  if (acknowledged === resultNumber) {
    if (capacity > SHRINK_ABOVE && used < capacity / 4) allocate(SHRINK_ABOVE / 4)
    used = TURN_HEADER_BYTES
    externals = 0
    externalBytes = 0
    words[TurnWord.RUNS] = 0
    words[TurnWord.WAKE_IN] = NEVER
    result = bareArray()
    last = null
  }
  resultNumber = (resultNumber + 1) >>> 0
  result[0] = resultNumber
  result[1] = buffer
  words[TurnWord.USED] = used
  return result
}

export function setWord(word: number, value: number): void {
  words[word] = value
}

/** A text or bytes to one connection. Bytes are copied now: what the caller does to them later is not sent. */
export function send(gateway: number, connection: number, data: string | Uint8Array, binary: boolean): void {
  if (joinsLast(gateway, data, binary)) {
    addReceiver(connection)
    return
  }
  const offset = used
  const flags = binary ? Flag.BINARY : 0
  if (typeof data === 'string' ? data.length >= EXTERNAL_FROM : typedArrayByteLength(data) >= EXTERNAL_FROM) {
    writeExternal(FrameType.SEND, flags, gateway, connection, data)
  } else {
    writeFrame(FrameType.SEND, flags, gateway, connection, data)
  }
  last = typeof data === 'string' ? { offset, gateway, text: data, data: null } : { offset, gateway, text: null, data }
}

/** Any other command. `words` of the payload come first, then the text or bytes. */
export function command(type: number, flags: number, gateway: number, connection: number, data: string | Uint8Array): void {
  last = null
  writeFrame(type, flags, gateway, connection, data)
}

/** A command whose payload is `head` with its length in front, then `body`. */
export function commandWithHead(type: number, flags: number, gateway: number, connection: number, head: string, body: Uint8Array): void {
  last = null
  const bodyLength = typedArrayByteLength(body)
  reserve(HEADER_BYTES + 4 + head.length * 3 + bodyLength)
  const offset = used
  const bodyAt = writeUtf8(bytes, offset + HEADER_BYTES + 4, head)
  words[(offset + HEADER_BYTES) >> 2] = bodyAt - offset - HEADER_BYTES - 4
  typedArraySet(bytes, body, bodyAt)
  finishFrame(type, flags, gateway, connection, bodyAt + bodyLength)
}

/** Makes room for a frame that the caller writes himself; `finishFrame` ends it. Returns where its payload starts. */
export function beginFrame(maxPayload: number): { bytes: Uint8Array; offset: number } {
  last = null
  reserve(HEADER_BYTES + maxPayload)
  return { bytes, offset: used + HEADER_BYTES }
}

/** `end`: offset behind the payload. */
export function finishFrame(type: number, flags: number, gateway: number, connection: number, end: number): void {
  const at = used >> 2
  words[at] = end - used
  words[at + 1] = type | (flags << 8) | (gateway << 16)
  words[at + 2] = 0
  words[at + 3] = 0
  words[at + 4] = connection
  words[at + 5] = 0
  used = (end + 3) & ~3
  words[TurnWord.USED] = used
}

/** The handler of an event has settled. */
export function acknowledge(gateway: number, sequence: number): void {
  const runs = words[TurnWord.RUNS]!
  const run = TurnWord.FIRST_RUN + (runs - 1) * RUN_WORDS
  if (runs > 0 && words[run] === gateway && words[run + 2] === (sequence - 1) >>> 0) {
    words[run + 2] = sequence
  } else if (runs < MAX_RUNS) {
    words[run + RUN_WORDS] = gateway
    words[run + RUN_WORDS + 1] = sequence
    words[run + RUN_WORDS + 2] = sequence
    words[TurnWord.RUNS] = runs + 1
  } else {
    acknowledgeInFrame(gateway, sequence)
  }
}

function acknowledgeInFrame(gateway: number, sequence: number): void {
  beginFrame(8)
  const at = (used + HEADER_BYTES) >> 2
  words[at] = sequence
  words[at + 1] = sequence
  finishFrame(FrameType.ACK, 0, gateway, 0, used + HEADER_BYTES + 8)
}

/** The same message as the last one, to the next connection: a loop over sockets, most of the time. */
function joinsLast(gateway: number, data: string | Uint8Array, binary: boolean): boolean {
  if (last === null || last.gateway !== gateway) return false
  const flags = (words[(last.offset >> 2) + 1]! >> 8) & 0xff
  if (((flags & Flag.BINARY) !== 0) !== binary) return false
  if (typeof data === 'string') return last.text === data
  return last.data === data && (flags & Flag.EXTERNAL) === 0 && unchanged(data, last.offset)
}

/** The caller may have changed a buffer since it was sent. */
function unchanged(data: Uint8Array, offset: number): boolean {
  const many = (words[(offset >> 2) + 1]! & 0xff) === FrameType.SEND_MANY
  const start = offset + HEADER_BYTES + (many ? 4 : 0)
  const length = many ? words[(offset + HEADER_BYTES) >> 2]! : words[offset >> 2]! - HEADER_BYTES
  if (length !== typedArrayByteLength(data)) return false
  for (let i = 0; i < length; i++) if (bytes[start + i] !== data[i]) return false
  return true
}

function addReceiver(connection: number): void {
  const { offset } = last!
  if ((words[(offset >> 2) + 1]! & 0xff) === FrameType.SEND) turnIntoMany(offset)
  reserve(4)
  words[used >> 2] = connection
  used += 4
  words[offset >> 2]! += 4
  words[TurnWord.USED] = used
}

/** SEND becomes SEND_MANY: the length of the message goes in front of it, its receiver behind it. */
function turnIntoMany(offset: number): void {
  const length = words[offset >> 2]! - HEADER_BYTES
  reserve(8)
  const payload = offset + HEADER_BYTES
  typedArrayCopyWithin(bytes, payload + 4, payload, payload + length)
  words[payload >> 2] = length
  const receivers = (payload + 4 + length + 3) & ~3
  words[receivers >> 2] = words[(offset >> 2) + 4]!
  words[(offset >> 2) + 1] = (words[(offset >> 2) + 1]! & ~0xff) | FrameType.SEND_MANY
  words[(offset >> 2) + 4] = 0
  used = receivers + 4
  words[offset >> 2] = used - offset
}

function writeFrame(type: number, flags: number, gateway: number, connection: number, data: string | Uint8Array): void {
  if (typeof data === 'string') {
    reserve(HEADER_BYTES + data.length * 3)
    finishFrame(type, flags, gateway, connection, writeUtf8(bytes, used + HEADER_BYTES, data))
    return
  }
  const length = typedArrayByteLength(data)
  reserve(HEADER_BYTES + length)
  typedArraySet(bytes, data, used + HEADER_BYTES)
  finishFrame(type, flags, gateway, connection, used + HEADER_BYTES + length)
}

function writeExternal(type: number, flags: number, gateway: number, connection: number, data: string | Uint8Array): void {
  const size = typeof data === 'string' ? data.length * 2 : typedArrayByteLength(data)
  if (externals >= MAX_TURN_EXTERNALS || externalBytes + size > MAX_TURN_BYTES) throw tooMuch()
  reserve(HEADER_BYTES + 4)
  words[(used + HEADER_BYTES) >> 2] = externals
  result[2 + externals] = typeof data === 'string' ? data : copyOf(data)
  externals++
  externalBytes += size
  finishFrame(type, flags | Flag.EXTERNAL, gateway, connection, used + HEADER_BYTES + 4)
}

function copyOf(data: Uint8Array): ArrayBuffer {
  const copy = new NativeArrayBuffer(typedArrayByteLength(data))
  typedArraySet(new NativeUint8Array(copy), data)
  return copy
}

function tooMuch(): Error {
  return new NativeRangeError(`more than ${MAX_TURN_BYTES / 1024 / 1024} MiB were sent at once`)
}

/** Room for `count` bytes more, and for padding. */
function reserve(count: number): void {
  const needed = used + count + 8
  if (needed <= capacity) return
  if (needed > MAX_TURN_BYTES) throw tooMuch()
  const old = bytes
  allocate(mathMax(needed, capacity * 2))
  typedArraySet(bytes, old)
  result[1] = buffer
}

function allocate(length: number): void {
  const header = words
  capacity = (length + 3) & ~3
  buffer = new NativeArrayBuffer(capacity)
  bytes = new NativeUint8Array(buffer)
  words = new NativeUint32Array(buffer)
  for (let i = 0; i < TURN_HEADER_WORDS; i++) words[i] = header[i]!
}
