import { ALL_GATEWAYS, Flag, FrameType, HEADER_BYTES, NO_ROOM } from '@socklet/protocol/frame'
import { AS_IT_CAME, EXTERNAL_FROM, MAX_JOINED_BYTES, MAX_MESSAGE_BYTES, MAX_RUNS, MAX_TURN_BYTES, MAX_TURN_DELIVERIES, MAX_TURN_EXTERNALS, NEVER, RUN_WORDS, TURN_HEADER_BYTES, TURN_HEADER_WORDS, TurnWord } from '../turn-layout.ts'
import { askedFrame, writeAsked } from './asked-text.ts'
import { push } from './lists.ts'
import { NativeArrayBuffer, NativeRangeError, NativeUint32Array, NativeUint8Array, arrayBufferByteLength, bareArray, mathMax, mathMin, objectSetPrototypeOf, typedArrayBuffer, typedArrayByteLength, typedArrayByteOffset, typedArrayCopyWithin, typedArraySet } from './primordials.ts'
import { utf8Bytes, writeUtf8 } from './utf8.ts'

/**
 * The commands of a turn, as frames in one buffer, in the order in which they were given. The buffer is the
 * guest's own and serves every turn: what leaves the isolate is a copy.
 */
const INITIAL_BYTES = 1024
const SHRINK_ABOVE = 64 * 1024
/** Behind each frame. */
const PADDING = 8

let capacity = INITIAL_BYTES
/** Of it, what may be used without a further look: a turn may send less than there is. */
let usable = INITIAL_BYTES
let buffer = new NativeArrayBuffer(INITIAL_BYTES)
let bytes = new NativeUint8Array(buffer)
let words = new NativeUint32Array(buffer)
let used = TURN_HEADER_BYTES
let result: unknown[] = [buffer]
let resultNumber = 0
/** The words of the buffer that was given alone, while it is all of this turn. */
let alone: Uint32Array | null = null
/** So many turns more give an array at once: handlers that once said something long after an `await` will again. */
let arrays = 0
const ARRAYS = 64
let externals = 0
/** Bytes of them as they leave: of texts, what they are at most until that is too much. To look at each unit takes time. */
let externalBytes = 0
let textsAreCounted = false
/** Texts that leave as they came, by the frame that says so and the word of it that says where. */
let asTheyCame = bareArray<{ frame: number; word: number; text: string }>()
/** Clients that messages to rooms have in this turn. */
let deliveries = 0
/** Bytes of frames that are not what a function sends, see beginFrameBeside. */
let beside = 0
/** Bytes beyond what a turn may send, for lines that say so. */
let spare = 0
const SPARE_BYTES = 256 * 1024

/** The last frame, if it is a message and another receiver can still be added to it. ALL_GATEWAYS once its receivers are at several. */
let last: { offset: number; gateway: number; text: string | null; data: Uint8Array | null; copy: ArrayBuffer | null } | null = null

/**
 * Begins the commands of a turn. If the host has not received the last result (an unhandled rejection makes
 * isolated-vm lose it), its commands stay and are sent again in front of the new ones.
 */
export function beginTurn(acknowledged: number): void {
  alone = null
  if (acknowledged === resultNumber) {
    if (capacity > SHRINK_ABOVE && used < capacity / 4) allocate(SHRINK_ABOVE / 4)
    used = TURN_HEADER_BYTES
    externalBytes = 0
    textsAreCounted = false
    deliveries = 0
    beside = 0
    setUsable()
    words[TurnWord.RUNS] = 0
    words[TurnWord.SHARED] = 0
    words[TurnWord.DATA] = 0
    words[TurnWord.WAKE_IN] = NEVER
    if (externals > 0) result = [buffer]
    externals = 0
    last = null
  } else keepAsTheyCame()
  if (asTheyCame.length > 0) asTheyCame = bareArray()
  resultNumber = (resultNumber + 1) >>> 0
  result[0] = buffer
  words[TurnWord.NUMBER] = resultNumber
  words[TurnWord.MORE] = 0
  words[TurnWord.USED] = used
}

/** What leaves the isolate with this turn, when its microtasks have run: the buffer, if that will do. */
export function turnResult(): ArrayBuffer | unknown[] {
  if (externals > 0 || arrays > 0) {
    if (arrays > 0) arrays--
    return result
  }
  alone = words
  return buffer
}

/** All of the turn, with what has left already. */
export function wholeResult(): unknown[] {
  return result
}

/** The buffer that was given will not do. */
function needMore(): void {
  if (alone === null) return
  alone[TurnWord.MORE] = 1
  alone = null
  arrays = ARRAYS
}

/** Is called once, when the next command is given: with the first one that leaves, what it is about has to be kept. */
let output: (() => void) | null = null
export function onOutput(next: () => void): void {
  output = next
}

function announceOutput(): void {
  const next = output!
  output = null
  next()
}

export function setWord(word: number, value: number): void {
  words[word] = value
}

export function changeWord(word: number, by: number): void {
  words[word] = words[word]! + by
}

export function wordIsSet(word: number): boolean {
  return words[word]! > 0
}

/** Which turn this is: what a turn has sent is counted with it. */
export function turnNumber(): number {
  return resultNumber
}

/** A text or bytes to one connection. Bytes are copied now: what the caller does to them later is not sent. */
export function send(gateway: number, connection: number, data: string | Uint8Array, binary: boolean): void {
  if (joinsLast(data, binary)) {
    addReceiver(gateway, connection)
    return
  }
  const offset = used
  writeMessage(binary ? Flag.BINARY : 0, gateway, connection, data, 0)
  if (typeof data === 'string') last = { offset, gateway, text: data, data: null, copy: null }
  else last = { offset, gateway, text: null, data, copy: isLong(data) ? (result[externals] as ArrayBuffer) : null }
}

/** As `send`, and the gateway tells by SENT what became of it. So it is a frame of its own. */
export function sendAndTell(gateway: number, connection: number, data: string | Uint8Array, binary: boolean, sequence: number): void {
  last = null
  writeMessage(Flag.TELL | (binary ? Flag.BINARY : 0), gateway, connection, data, sequence)
}

/** Any other command. `words` of the payload come first, then the text or bytes. */
export function command(type: number, flags: number, gateway: number, connection: number, data: string | Uint8Array, sequence = 0): void {
  last = null
  writeFrame(type, flags, gateway, connection, data, sequence)
}

/**
 * One message to a room, or with null to all of the app, at every gateway.
 * `except` are pairs of gateway and connection, `count` numbers in all; `receivers` is how many are in the room.
 * @throws RangeError if that is more than a turn may send
 */
export function sendRoom(room: string | null, except: number[], count: number, data: string | Uint8Array, binary: boolean, receivers: number): void {
  last = null
  // One that is too much by itself is sent all the same.
  if (deliveries > 0 && deliveries + receivers > MAX_TURN_DELIVERIES) throw tooMany()
  deliveries += receivers
  const nameUnits = room === null ? 0 : room.length
  const external = isLong(data)
  reserve(HEADER_BYTES + 8 + nameUnits * 3 + count * 4 + (external ? 4 : typeof data === 'string' ? data.length * 3 : typedArrayByteLength(data)))
  const payload = used + HEADER_BYTES
  const nameEnd = room === null ? payload + 4 : writeUtf8(bytes, payload + 4, room)
  words[payload >> 2] = room === null ? NO_ROOM : nameEnd - payload - 4
  let word = (nameEnd + 3) >> 2
  words[word++] = count / 2
  for (let i = 0; i < count; i++) words[word++] = except[i]!
  const flags = (binary ? Flag.BINARY : 0) | (external ? Flag.EXTERNAL : 0)
  let end = word << 2
  if (external) {
    writeExternal(word, data)
    end += 4
  } else if (typeof data === 'string') end = writeText(end, data)
  else {
    typedArraySet(bytes, data, end)
    end += typedArrayByteLength(data)
  }
  finishFrame(FrameType.SEND_ROOM, flags, ALL_GATEWAYS, 0, end)
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

/**
 * As `beginFrame`, for what has to leave whatever functions have sent: it has room of its own. `finishFrameBeside` ends it.
 * @throws RangeError only if there is no memory for it
 */
export function beginFrameBeside(maxPayload: number): { bytes: Uint8Array; offset: number } {
  last = null
  makeRoom(used + HEADER_BYTES + maxPayload + PADDING)
  return { bytes, offset: used + HEADER_BYTES }
}

export function finishFrameBeside(type: number, flags: number, gateway: number, end: number): void {
  const before = used
  finishFrame(type, flags, gateway, 0, end)
  beside += used - before
  setUsable()
}

/** `end`: offset behind the payload. */
export function finishFrame(type: number, flags: number, gateway: number, connection: number, end: number, sequence = 0): void {
  const at = used >> 2
  words[at] = end - used
  words[at + 1] = type | (flags << 8) | (gateway << 16)
  words[at + 2] = 0
  words[at + 3] = 0
  words[at + 4] = connection
  words[at + 5] = sequence
  used = (end + 3) & ~3
  words[TurnWord.USED] = used
  if (output !== null) announceOutput()
}

/** The handler of an event has settled. */
export function acknowledge(gateway: number, sequence: number): void {
  if (output !== null) announceOutput()
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
  // Whoever has sent all that a turn may send has settled all the same.
  beginFrameBeside(8)
  const at = (used + HEADER_BYTES) >> 2
  words[at] = sequence
  words[at + 1] = sequence
  finishFrameBeside(FrameType.ACK, 0, gateway, used + HEADER_BYTES + 8)
}

/** The same message as the last one, to the next connection, wherever that is: a loop over sockets, most of the time. */
function joinsLast(data: string | Uint8Array, binary: boolean): boolean {
  if (last === null || used - last.offset > MAX_JOINED_BYTES) return false
  const flags = (words[(last.offset >> 2) + 1]! >> 8) & 0xff
  if (((flags & Flag.BINARY) !== 0) !== binary) return false
  if (typeof data === 'string') return last.text === data
  return last.data === data && (last.copy === null ? unchanged(data, last.offset) : unchangedSince(last.copy, data))
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

/** The same of a long one, four bytes at a time where it can be: it is looked at for each receiver. */
function unchangedSince(copy: ArrayBuffer, data: Uint8Array): boolean {
  const length = typedArrayByteLength(data)
  if (length !== arrayBufferByteLength(copy)) return false
  const offset = typedArrayByteOffset(data)
  let at = 0
  if ((offset & 3) === 0) {
    const before = new NativeUint32Array(copy, 0, length >> 2)
    const after = new NativeUint32Array(typedArrayBuffer(data), offset, length >> 2)
    for (let i = 0; i < length >> 2; i++) if (before[i] !== after[i]) return false
    at = length & ~3
  }
  const before = new NativeUint8Array(copy)
  for (; at < length; at++) if (before[at] !== data[at]) return false
  return true
}

function addReceiver(gateway: number, connection: number): void {
  const { offset } = last!
  if ((words[(offset >> 2) + 1]! & 0xff) === FrameType.SEND) turnIntoMany(offset)
  if (last!.gateway !== gateway && last!.gateway !== ALL_GATEWAYS) turnIntoPairs(offset)
  reserve(8)
  if (last!.gateway === ALL_GATEWAYS) {
    words[used >> 2] = gateway
    used += 4
  }
  words[used >> 2] = connection
  endMany(offset, used + 4)
}

/** SEND becomes SEND_MANY: the length of the message goes in front of it, its receiver behind it. */
function turnIntoMany(offset: number): void {
  const length = words[offset >> 2]! - HEADER_BYTES
  reserve(8)
  const payload = offset + HEADER_BYTES
  typedArrayCopyWithin(bytes, payload + 4, payload, payload + length)
  words[payload >> 2] = length
  const receivers = receiversOf(offset)
  words[receivers >> 2] = words[(offset >> 2) + 4]!
  words[(offset >> 2) + 1] = (words[(offset >> 2) + 1]! & ~0xff) | FrameType.SEND_MANY
  words[(offset >> 2) + 4] = 0
  endMany(offset, receivers + 4)
}

/** Another gateway comes in: each receiver gets its own in front of it. */
function turnIntoPairs(offset: number): void {
  const first = receiversOf(offset) >> 2
  const count = (used >> 2) - first
  reserve(count * 4)
  for (let i = count - 1; i >= 0; i--) {
    words[first + 2 * i + 1] = words[first + i]!
    words[first + 2 * i] = last!.gateway
  }
  words[(offset >> 2) + 1] = (words[(offset >> 2) + 1]! & 0xffff) | (ALL_GATEWAYS << 16)
  last!.gateway = ALL_GATEWAYS
  endMany(offset, used + count * 4)
}

/** Where the receivers of a SEND_MANY begin. */
function receiversOf(offset: number): number {
  const payload = offset + HEADER_BYTES
  return (payload + 4 + words[payload >> 2]! + 3) & ~3
}

function endMany(offset: number, end: number): void {
  if (output !== null) announceOutput()
  used = end
  words[offset >> 2] = end - offset
  words[TurnWord.USED] = end
}

function isLong(data: string | Uint8Array): boolean {
  return typeof data === 'string' ? data.length >= EXTERNAL_FROM : typedArrayByteLength(data) >= EXTERNAL_FROM
}

function writeMessage(flags: number, gateway: number, connection: number, data: string | Uint8Array, sequence: number): void {
  if (!isLong(data)) {
    writeFrame(FrameType.SEND, flags, gateway, connection, data, sequence)
    return
  }
  reserve(HEADER_BYTES + 4)
  writeExternal((used + HEADER_BYTES) >> 2, data)
  finishFrame(FrameType.SEND, flags | Flag.EXTERNAL, gateway, connection, used + HEADER_BYTES + 4, sequence)
}

function writeFrame(type: number, flags: number, gateway: number, connection: number, data: string | Uint8Array, sequence: number): void {
  if (typeof data === 'string') {
    reserve(HEADER_BYTES + data.length * 3)
    finishFrame(type, flags, gateway, connection, writeText(used + HEADER_BYTES, data), sequence)
    return
  }
  const length = typedArrayByteLength(data)
  reserve(HEADER_BYTES + length)
  typedArraySet(bytes, data, used + HEADER_BYTES)
  finishFrame(type, flags, gateway, connection, used + HEADER_BYTES + length, sequence)
}

/** `offset` is that of a word. Returns the offset behind the text. */
function writeText(offset: number, text: string): number {
  return writeAsked(words, offset, text) ? offset + text.length : writeUtf8(bytes, offset, text)
}

/** Writes where the message is into this word of the frame that is being written. */
function writeExternal(word: number, data: string | Uint8Array): void {
  const before = (word << 2) - used
  let size = sizeOf(data)
  if (!textsAreCounted && externalBytes + before + size > MAX_MESSAGE_BYTES) {
    countTexts()
    size = sizeOf(data)
  }
  if (before + size > MAX_MESSAGE_BYTES) throw tooLong()
  if (externals + asTheyCame.length >= MAX_TURN_EXTERNALS || externalBytes + size > MAX_TURN_BYTES) throw tooMuch()
  const frame = typeof data === 'string' ? askedFrame(data) : -1
  if (frame === -1) words[word] = addExternal(data)
  else {
    words[word] = AS_IT_CAME + frame
    push(asTheyCame, { frame: used, word, text: data as string })
  }
  externalBytes += size
}

/** As it leaves, in UTF-8. */
function sizeOf(data: string | Uint8Array): number {
  if (typeof data !== 'string') return typedArrayByteLength(data)
  return textsAreCounted ? utf8Bytes(data) : data.length * 3
}

function countTexts(): void {
  textsAreCounted = true
  externalBytes = 0
  for (let i = 1; i <= externals; i++) {
    const one = result[i] as string | ArrayBuffer
    externalBytes += typeof one === 'string' ? utf8Bytes(one) : arrayBufferByteLength(one)
  }
  // What came as it is is ASCII.
  for (let i = 0; i < asTheyCame.length; i++) externalBytes += asTheyCame[i]!.text.length
}

/** The host does not have what came with a turn whose result it has not received. */
function keepAsTheyCame(): void {
  for (let i = 0; i < asTheyCame.length; i++) {
    const { frame, word, text } = asTheyCame[i]!
    // The length of the message has come in front of it, see turnIntoMany.
    const moved = (words[(frame >> 2) + 1]! & 0xff) === FrameType.SEND_MANY ? 1 : 0
    words[word + moved] = addExternal(text)
  }
}

/** The message as a value of its own. Returns its index. */
function addExternal(data: string | Uint8Array): number {
  needMore()
  // Nobody's setter of an index is to see it. Not at the beginning of each turn: few have any, and it is slow.
  if (externals === 0) objectSetPrototypeOf(result, null)
  result[1 + externals] = typeof data === 'string' ? data : copyOf(data)
  return externals++
}

function copyOf(data: Uint8Array): ArrayBuffer {
  const copy = new NativeArrayBuffer(typedArrayByteLength(data))
  typedArraySet(new NativeUint8Array(copy), data)
  return copy
}

let report: (limit: 'turnBytes' | 'turnDeliveries', what: string) => void = () => {}
/** Who is told of it. */
export function onTooMuch(next: typeof report): void {
  report = next
}

function tooMuch(): Error {
  return beyond(`more than ${MAX_TURN_BYTES / 1024 / 1024} MiB were sent at once`)
}

function tooLong(): Error {
  return beyond(`a message was longer than ${MAX_MESSAGE_BYTES / 1024 / 1024} MiB`)
}

function beyond(what: string): Error {
  report('turnBytes', what)
  return new NativeRangeError(`${what} (limit turnBytes)`)
}

function tooMany(): Error {
  const what = `messages to rooms had more than ${MAX_TURN_DELIVERIES} receivers in one turn`
  report('turnDeliveries', what)
  return new NativeRangeError(what)
}

/** What `run` writes may go beyond what a turn may send; it is short. */
export function withSpare(run: () => void): void {
  spare = SPARE_BYTES
  try {
    run()
  } finally {
    spare = 0
  }
}

/** Room for `count` bytes more, and for padding. */
function reserve(count: number): void {
  const needed = used + count + PADDING
  if (needed <= usable) return
  if (needed > MAX_TURN_BYTES + beside + spare) throw tooMuch()
  makeRoom(needed)
}

function makeRoom(needed: number): void {
  if (needed <= capacity) return
  const old = bytes
  // No more than is likely to be used: a full turn needs little beside it.
  const wanted = mathMax(needed, capacity < MAX_TURN_BYTES ? mathMin(capacity * 2, MAX_TURN_BYTES) : capacity + (capacity >> 2))
  try {
    allocate(wanted)
  } catch (error) {
    // A heap that has no room for twice as much may have some for a little more.
    if (needed + SPARE_BYTES >= wanted) throw error
    allocate(needed + SPARE_BYTES)
  }
  typedArraySet(bytes, old)
  result[0] = buffer
}

function setUsable(): void {
  usable = mathMin(capacity, MAX_TURN_BYTES + beside)
}

function allocate(length: number): void {
  const header = words
  // First: if there is no memory for it, all is as it was.
  const grown = new NativeArrayBuffer((length + 3) & ~3)
  needMore()
  buffer = grown
  capacity = arrayBufferByteLength(grown)
  setUsable()
  bytes = new NativeUint8Array(buffer)
  words = new NativeUint32Array(buffer)
  for (let i = 0; i < TURN_HEADER_WORDS; i++) words[i] = header[i]!
}
