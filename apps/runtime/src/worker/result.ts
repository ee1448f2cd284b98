import { ALL_GATEWAYS, Flag, FrameType, HEADER_BYTES, MAX_FRAME_BYTES, NO_ROOM, nameKeptMessage, paddedLength, readHead, readU16, readU32, writeU16, writeU32, type FrameHead, type Link } from '@socklet/protocol'
import { byGateway, receiverBytes, withReceivers } from './receivers.ts'
import { AS_IT_CAME, GUEST_LIMITS, MAX_RUNS, NEVER, RUN_WORDS, TURN_HEADER_BYTES, TURN_HEADER_WORDS, TurnWord } from '../turn-layout.ts'

/** What came out of an isolate is not what a guest makes. Only tenant code can have done that, so its isolate is given up. */
export class ResultError extends Error {
  override readonly name = 'ResultError'
}

export interface TurnResult {
  number: number
  /** Milliseconds until a turn without events is wanted; null if none is. */
  wakeInMs: number | null
  pending: number
  timers: number
  errors: number
  logsDropped: number
  /** What the isolate holds that would be lost with it. */
  held: number
  /** `cloud.shared` has changed: nothing may leave for clients until that is stored. */
  changesShared: boolean
  /** Its time was up before it had begun all events. */
  left: boolean
  /** Sockets on which functions have put properties; up to date after `rest` only. */
  extras: number
  /** How often each of GUEST_LIMITS was reached. */
  limits: number[]
}

/** Where the commands of an app go. */
export interface Destination {
  app: number
  generation: number
  gateways: Link[]
  pool: Link
  /** The number of the next change of shared values that goes to the pool. */
  nextChange: () => number
}

const TO_GATEWAY: ReadonlySet<number> = new Set([
  FrameType.SEND,
  FrameType.SEND_MANY,
  FrameType.CLOSE,
  FrameType.TERMINATE,
  FrameType.RESPONSE,
  FrameType.RESPONSE_PART,
  FrameType.ACK,
  FrameType.SEND_PING,
  FrameType.SEND_PONG,
  FrameType.PAUSE,
  FrameType.RESUME,
  FrameType.LISTEN,
  FrameType.DATA,
  FrameType.JOIN,
  FrameType.LEAVE,
  FrameType.SEND_ROOM,
  FrameType.UPGRADE_RESULT,
  FrameType.BINARY_TYPE
])

/** These do not wait until what the turn has changed is stored. */
const TO_POOL_AT_ONCE: ReadonlySet<number> = new Set([FrameType.LOG, FrameType.SHARED])
/** Requests do, as all does that leaves the platform. */
const TO_POOL: ReadonlySet<number> = new Set([...TO_POOL_AT_ONCE, FrameType.FETCH, FrameType.FETCH_MORE, FrameType.FETCH_ABORT])

/** A result whose frame lengths were not looked at yet. */
export interface CheckedResult {
  words: Uint32Array
  /** With the words in front. */
  bytes: Uint8Array
  /** From the second one on. */
  externals: unknown[]
  /** The events of the turn, as they came: a byte for each unit. Empty if there was no text among them. */
  came: string
}

const NO_EXTERNALS: unknown[] = []

/** Whether this is not all of the result, and the guest is to be asked for it. */
export function isPartOnly(result: unknown): boolean {
  return result instanceof ArrayBuffer && result.byteLength >= TURN_HEADER_BYTES && new Uint32Array(result, TurnWord.MORE * 4, 1)[0]! > 0
}

/** `came`: what was delivered with the turn. @throws ResultError */
export function checkResult(result: unknown, came = ''): CheckedResult {
  const buffer: unknown = Array.isArray(result) ? result[0] : result
  if (!(buffer instanceof ArrayBuffer)) throw new ResultError('the result of a turn is not one')
  if (buffer.byteLength < TURN_HEADER_BYTES) throw new ResultError('the result of a turn has no header')
  const words = new Uint32Array(buffer, 0, TURN_HEADER_WORDS)
  const used = words[TurnWord.USED]!
  if (used < TURN_HEADER_BYTES || used > buffer.byteLength) throw new ResultError('the result of a turn has a length that it cannot have')
  if (words[TurnWord.UNWRITTEN]! > 0) throw new ResultError('what had changed of cloud.shared could not be written')
  return { words, bytes: new Uint8Array(buffer, 0, used), externals: Array.isArray(result) ? result : NO_EXTERNALS, came }
}

/** What the result says of the guest. */
export function readResult({ words }: CheckedResult): TurnResult {
  return {
    number: words[TurnWord.NUMBER]!,
    wakeInMs: words[TurnWord.WAKE_IN] === NEVER ? null : words[TurnWord.WAKE_IN]!,
    pending: words[TurnWord.PENDING]!,
    timers: words[TurnWord.TIMERS]!,
    errors: words[TurnWord.ERRORS]!,
    logsDropped: words[TurnWord.LOGS_DROPPED]!,
    held: words[TurnWord.HELD]!,
    changesShared: words[TurnWord.SHARED]! > 0,
    left: words[TurnWord.LEFT]! > 0,
    extras: words[TurnWord.EXTRAS]!,
    limits: limitsOf(words)
  }
}

const NO_LIMITS: number[] = []

/** Empty, as for nearly all apps, while none was reached. */
function limitsOf(words: Uint32Array): number[] {
  for (let index = 0; index < GUEST_LIMITS.length; index++) if (words[TurnWord.LIMITS + index]! > 0) return GUEST_LIMITS.map((_, at) => words[TurnWord.LIMITS + at]!)
  return NO_LIMITS
}

/**
 * Sends the commands of a turn, in order, then what it settled. App and generation of every frame are written here: a
 * guest cannot speak for another app.
 * @throws ResultError
 */
export function sendResult(result: CheckedResult, to: Destination): void {
  sendFrames(result, to, true, true)
  sendRuns(result.words, to)
}

/** Of a result that has to wait: what goes to the pool at once. @throws ResultError */
export function sendToPool(result: CheckedResult, to: Destination): void {
  sendFrames(result, to, true, false)
}

/** The rest of it, nearly all for gateways. @throws ResultError */
export function sendToGateways(result: CheckedResult, to: Destination): void {
  sendFrames(result, to, false, true)
  sendRuns(result.words, to)
}

/** Frames that go to the same link one after the other leave as one piece. */
function sendFrames(result: CheckedResult, to: Destination, toPool: boolean, toGateways: boolean): void {
  const { words, bytes } = result
  const dataIsSent = toGateways && words[TurnWord.DATA]! > 0
  if (dataIsSent) sendData(bytes, to)
  let runLink: Link | null = null
  let runStart = TURN_HEADER_BYTES
  // Behind an acknowledgement nothing is said of what gateways keep: it may be that of the very event.
  let isKept = true
  let at = TURN_HEADER_BYTES
  while (at < bytes.byteLength) {
    const next = at + paddedLength(frameLength(bytes, at))
    const type = bytes[at + 4]!
    isKept &&= type !== FrameType.ACK
    const everywhere = isForSeveral(bytes, at)
    const isWanted = TO_POOL_AT_ONCE.has(type) ? toPool : toGateways && !(dataIsSent && type === FrameType.DATA)
    const link = everywhere || !isWanted ? null : linkOf(bytes, at, to)
    address(bytes, at, to)
    const external = (bytes[at + 5]! & Flag.EXTERNAL) !== 0 && !(isKept && isWanted && !everywhere && staysAtGateway(result, at))
    const alone = external || everywhere || !isWanted
    if (link !== runLink || alone) {
      if (at > runStart) runLink!.sendEncoded(bytes.subarray(runStart, at))
      runLink = link
      runStart = at
    }
    if (isWanted && everywhere) sendToSeveral(result, at, next, to.gateways)
    else if (isWanted && external) sendExternal(result, at, link!)
    if (alone) runStart = next
    at = next
  }
  if (at > runStart) runLink!.sendEncoded(bytes.subarray(runStart, at))
}

function address(bytes: Uint8Array, at: number, to: Destination): void {
  writeU32(bytes, at + 8, to.app)
  writeU32(bytes, at + 12, to.generation)
}

/** What a turn has left in `socket.data` is with the gateway before any client sees what it sent: a worker may die in the middle. */
function sendData(bytes: Uint8Array, to: Destination): void {
  for (let at = TURN_HEADER_BYTES; at < bytes.byteLength; ) {
    const next = at + paddedLength(frameLength(bytes, at))
    if (bytes[at + 4] === FrameType.DATA && (bytes[at + 5]! & Flag.EXTERNAL) === 0) {
      address(bytes, at, to)
      linkOf(bytes, at, to).sendEncoded(bytes.subarray(at, next))
    }
    at = next
  }
}

function isForSeveral(bytes: Uint8Array, at: number): boolean {
  return readU16(bytes, at + 6) === ALL_GATEWAYS && (bytes[at + 4] === FrameType.SEND_ROOM || bytes[at + 4] === FrameType.SEND_MANY)
}

function sendToSeveral(result: CheckedResult, at: number, next: number, gateways: Link[]): void {
  if (result.bytes[at + 4] === FrameType.SEND_ROOM) sendToAll(result, at, next, gateways)
  else sendPairs(result, at, gateways)
}

/** A message to connections at several gateways: each of these gets it once, with its own receivers. */
function sendPairs(result: CheckedResult, at: number, gateways: Link[]): void {
  const { bytes } = result
  const head = headOf(bytes, at)
  const payload = at + HEADER_BYTES
  const end = at + readU32(bytes, at)
  const length = payload + 4 <= end ? readU32(bytes, payload) : Infinity
  const receivers = payload + 4 + paddedLength(length)
  if (length > end - payload || receivers > end || (end - receivers) % 8 !== 0) throw new ResultError('a message to many is longer than its frame')
  const message = (bytes[at + 5]! & Flag.EXTERNAL) !== 0 ? externalMessage(result, at) : bytes.subarray(payload + 4, payload + 4 + length)
  const connections = byGateway(bytes, receivers, end, gateways.length)
  if (connections === null) throw new ResultError('a message to many is for a gateway that does not exist')
  for (const [gateway, link] of gateways.entries()) {
    const here = connections[gateway]!
    if (here.length > 0) sendWhole(link, { ...head, gateway }, withReceivers(message, receiverBytes(here)))
  }
}

/** Only the gateways together know who is in a room. */
function sendToAll(result: CheckedResult, at: number, next: number, gateways: Link[]): void {
  const { bytes } = result
  const isExternal = (bytes[at + 5]! & Flag.EXTERNAL) !== 0
  for (const [index, link] of gateways.entries()) {
    writeU16(bytes, at + 6, index)
    if (isExternal) sendExternal(result, at, link)
    else link.sendEncoded(bytes.subarray(at, next))
  }
}

function frameLength(bytes: Uint8Array, at: number): number {
  const length = at + HEADER_BYTES <= bytes.byteLength ? readU32(bytes, at) : 0
  if (length < HEADER_BYTES || length > MAX_FRAME_BYTES || at + paddedLength(length) > bytes.byteLength) throw new ResultError('a command has a length that it cannot have')
  return length
}

function linkOf(bytes: Uint8Array, at: number, to: Destination): Link {
  const type = bytes[at + 4]!
  if (type === FrameType.SHARED && (bytes[at + 5]! & Flag.END) !== 0) writeU32(bytes, at + 20, to.nextChange())
  if (TO_POOL.has(type)) return to.pool
  const link = TO_GATEWAY.has(type) ? to.gateways[readU16(bytes, at + 6)] : undefined
  if (link === undefined) throw new ResultError(`a command of type ${type} for gateway ${readU16(bytes, at + 6)} does not exist`)
  return link
}

/** Where the index of a message stands that came as a value of its own. */
function indexOffset(bytes: Uint8Array, at: number): number {
  const type = bytes[at + 4]!
  const payload = at + HEADER_BYTES
  const end = at + readU32(bytes, at)
  let offset = payload
  if (type === FrameType.SEND_MANY) offset += 4
  else if (type === FrameType.SEND_ROOM) offset = roomMessageOffset(bytes, payload, end)
  else if (type !== FrameType.SEND) offset = end
  if (offset + 4 > end) throw new ResultError('a command without a message')
  return offset
}

/** Behind the name of the room and who is left out. */
function roomMessageOffset(bytes: Uint8Array, payload: number, end: number): number {
  if (payload + 8 > end) return end
  const length = readU32(bytes, payload)
  const countAt = payload + 4 + (length === NO_ROOM ? 0 : paddedLength(length))
  if (length !== NO_ROOM && length > end - payload) return end
  return countAt + 4 > end ? end : countAt + 4 + readU32(bytes, countAt) * 8
}

function externalMessage(result: CheckedResult, at: number): Uint8Array {
  const index = externalIndex(result, at)
  if (index >= AS_IT_CAME) return Buffer.from(asItCame(result, index - AS_IT_CAME), 'latin1')
  const value = externalValue(result, index)
  if (typeof value !== 'string') return value
  checkText(value)
  return Buffer.from(value)
}

function externalIndex({ bytes }: CheckedResult, at: number): number {
  return readU32(bytes, indexOffset(bytes, at))
}

function externalValue({ externals }: CheckedResult, index: number): string | Uint8Array {
  const value = externals[1 + index]
  if (typeof value === 'string') return value
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  throw new ResultError('a message is neither text nor bytes')
}

/** The payload of the event frame that stands there in what came, a byte for each unit. */
function asItCame({ came }: CheckedResult, frame: number): string {
  return came.substring(frame + HEADER_BYTES, frame + checkCame(came, frame))
}

/** Returns the length of the frame. @throws ResultError if there is none */
function checkCame(came: string, frame: number): number {
  const length = frame + HEADER_BYTES <= came.length ? unitsAt(came, frame, 4) : 0
  if (length < HEADER_BYTES || frame + length > came.length) throw new ResultError('a message has not come with its turn')
  return length
}

/** A message as it came, back to connections of the gateway that keeps its event: it is named then, and no bytes travel. */
function staysAtGateway(result: CheckedResult, at: number): boolean {
  const { bytes, came } = result
  const type = bytes[at + 4]
  if (type !== FrameType.SEND && type !== FrameType.SEND_MANY) return false
  const indexAt = indexOffset(bytes, at)
  const index = readU32(bytes, indexAt)
  if (index < AS_IT_CAME || (type === FrameType.SEND && indexAt + 4 < at + readU32(bytes, at))) return false
  const frame = index - AS_IT_CAME
  checkCame(came, frame)
  if (came.charCodeAt(frame + 4) !== FrameType.MESSAGE || unitsAt(came, frame + 6, 2) !== readU16(bytes, at + 6)) return false
  nameKeptMessage(bytes, at, indexAt, unitsAt(came, frame + 20, 4))
  return true
}

/** As readU32 and readU16, of a text with a byte for each unit. */
function unitsAt(text: string, at: number, count: 2 | 4): number {
  let value = 0
  for (let index = 0; index < count; index++) value |= text.charCodeAt(at + index) << (8 * index)
  return value >>> 0
}

/** The message takes its place in the frame. */
function sendExternal(result: CheckedResult, at: number, link: Link): void {
  const { bytes } = result
  const type = bytes[at + 4]!
  const end = at + readU32(bytes, at)
  const head = headOf(bytes, at)
  const indexAt = indexOffset(bytes, at)
  if (type === FrameType.SEND_MANY) sendWhole(link, head, withReceivers(externalMessage(result, at), bytes.subarray(indexAt + 4, end)))
  else if (type === FrameType.SEND_ROOM) sendWhole(link, head, withRoom(bytes.subarray(at + HEADER_BYTES, indexAt), externalMessage(result, at)))
  else sendAlone(result, at, head, link)
}

/** Text is encoded where it leaves. */
function sendAlone(result: CheckedResult, at: number, head: FrameHead, link: Link): void {
  const index = externalIndex(result, at)
  if (index >= AS_IT_CAME) {
    link.sendText(head, asItCame(result, index - AS_IT_CAME), 'latin1')
    return
  }
  const value = externalValue(result, index)
  if (typeof value === 'string') {
    checkText(value)
    link.sendText(head, value)
  } else sendWhole(link, head, value)
}

/** The other end of a link takes no longer frame: it would give up the link, and this process with it. */
function sendWhole(link: Link, head: FrameHead, payload: Uint8Array): void {
  checkLength(payload.byteLength)
  link.send(head, payload)
}

/** Before its bytes are made. */
function checkText(text: string): void {
  // What it is at most is known without a look at it.
  if (text.length * 3 > MAX_FRAME_BYTES - HEADER_BYTES) checkLength(Buffer.byteLength(text))
}

function checkLength(payloadBytes: number): void {
  if (HEADER_BYTES + payloadBytes > MAX_FRAME_BYTES) throw new ResultError('a command is longer than a frame can be')
}

function headOf(bytes: Uint8Array, at: number): FrameHead {
  const head = readHead(bytes, at)
  return { ...head, flags: head.flags & ~Flag.EXTERNAL }
}

function withRoom(room: Uint8Array, message: Uint8Array): Uint8Array {
  const payload = new Uint8Array(room.byteLength + message.byteLength)
  payload.set(room)
  payload.set(message, room.byteLength)
  return payload
}

function sendRuns(words: Uint32Array, to: Destination): void {
  const runs = words[TurnWord.RUNS]!
  if (runs > MAX_RUNS) throw new ResultError('more runs than there can be')
  for (let run = 0; run < runs; run++) {
    const at = TurnWord.FIRST_RUN + run * RUN_WORDS
    const gateway = words[at]!
    const link = to.gateways[gateway]
    if (link === undefined) throw new ResultError(`gateway ${gateway} does not exist`)
    const payload = new Uint8Array(8)
    writeU32(payload, 0, words[at + 1]!)
    writeU32(payload, 4, words[at + 2]!)
    link.sendLater({ type: FrameType.ACK, flags: 0, gateway, app: to.app, generation: to.generation, connection: 0, sequence: 0 }, payload)
  }
}
