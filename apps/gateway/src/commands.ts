import { BINARY_TYPES, Flag, FrameError, FrameType, HEADER_BYTES, Listen, keptSequence, namesKeptMessage, readU16, readU32, splitHead, withKeptMessage } from '@socklet/protocol'
import type { App, AppEvent } from './app.ts'
import type { Connection } from './connection.ts'
import type { Gateway } from './context.ts'
import { onSettled } from './delivery.ts'
import { onGone } from './farewell.ts'
import { afterSettled, Pause } from './flow.ts'
import { FIN_PING, FIN_PONG, frameMessage, MAX_CONTROL_BYTES, writeControlHead, writeMessageHead } from './frame-message.ts'
import { onUpgradeResult } from './pending-upgrade.ts'
import { report } from './report.ts'
import { onResponse, onResponsePart } from './responses.ts'
import { join, leave } from './rooms.ts'
import { deliverTo, sendMany, sendRoom, toMany, toRoom, unitsOfMany, unitsOfRoom, type Many } from './send-many.ts'
import { tellSent } from './tell.ts'
import type { WorkerLink } from './worker-links.ts'
import { unitsOf, type Held } from './writing-share.ts'

/** A worker that acknowledges this many events that were settled already costs more than it can be trusted for. */
const MAX_WASTED = 1_000_000
/**
 * These take effect in the order in which they were given: when there is much to deliver, they wait for what is before them. The others do not:
 * an event is over, an answer is one, and `socket.data` is kept, whatever messages still wait.
 */
const IN_ORDER: ReadonlySet<number> = new Set([
  FrameType.SEND, FrameType.SEND_MANY, FrameType.SEND_ROOM, FrameType.SEND_PING, FrameType.SEND_PONG, FrameType.CLOSE, FrameType.TERMINATE, FrameType.PAUSE, FrameType.RESUME,
  FrameType.LISTEN, FrameType.JOIN, FrameType.LEAVE
])
/** What a new life of the app is told of by ATTACH. */
const STATE: ReadonlySet<number> = new Set([FrameType.JOIN, FrameType.LEAVE, FrameType.PAUSE, FrameType.RESUME])
const MESSAGES: ReadonlySet<number> = new Set([FrameType.SEND, FrameType.SEND_MANY, FrameType.SEND_ROOM, FrameType.SEND_PING, FrameType.SEND_PONG])

/**
 * A command from a worker takes effect. Whatever is in the frame may have been written by a tenant: it reaches the
 * connections of the app that this worker holds now, and nothing else.
 * @throws FrameError if it is no command, or its payload cannot be what its type says; this ends the link.
 */
export function onCommand(gateway: Gateway, from: WorkerLink, bytes: Uint8Array, start: number, end: number): void {
  const type = bytes[start + 4]!
  if (type < FrameType.SEND || type > FrameType.GONE) throw new FrameError(`a worker sent a frame of type ${type}`)
  const app = gateway.apps.byNumber(readU32(bytes, start + 8))
  const attachment = app?.life
  if (app === undefined || !attachment || attachment.link !== from.link || attachment.generation !== readU32(bytes, start + 12)) return
  attachment.heard = true
  const message = namesKeptMessage(bytes, start) ? keptMessage(app, keptSequence(bytes, start, end)) : null
  if (app.writing.isBusy && IN_ORDER.has(type)) hold(app, from, type, bytes.slice(start, end), message)
  else if (message === null) carryOut(app, from, type, bytes, start, end)
  else {
    const whole = withKeptMessage(bytes, start, end, message)
    carryOut(app, from, type, whole, 0, whole.byteLength)
    // One small command may be a large message.
    if (type === FrameType.SEND) app.writing.use(unitsOf(1, message.byteLength) - 1)
  }
}

/** What the client has sent, as the event has it that is kept. @throws FrameError */
function keptMessage(app: App, sequence: number): Uint8Array {
  const event = app.outbox.get(sequence)
  if (event?.type !== FrameType.MESSAGE) throw new FrameError('a command names a message that is not kept')
  return event.payload
}

function carryOut(app: App, from: WorkerLink, type: number, bytes: Uint8Array, start: number, end: number): void {
  if (type === FrameType.ACK) acknowledge(app, from, bytes, start + HEADER_BYTES, end)
  else if (type === FrameType.STARTED) started(app, readU32(bytes, start + 20), (bytes[start + 5]! & Flag.END) !== 0)
  else if (type === FrameType.SEND_MANY) sendMany(app, bytes, start, end)
  else if (type === FrameType.SEND_ROOM) sendRoom(app, bytes, start, end)
  else if (type === FrameType.UPGRADE_RESULT) toUpgrade(app, bytes, start, end)
  else if (type === FrameType.RESPONSE || type === FrameType.RESPONSE_PART) toRequest(app, type, bytes, start, end)
  else if (type === FrameType.GONE) onGone(app)
  else toConnection(app, type, bytes, start, end, Infinity)
}

/** Only now it turns out that it is none: the link ends, as it would have at once. */
function endingLink(from: WorkerLink, run: () => boolean): boolean {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof FrameError)) throw error
    report(`the link of worker ${from.worker}`, error.message)
    from.link.destroy()
    return true
  }
}

/**
 * A command that waits. Its bytes are its own, and the message that it names is not copied before its turn. Connections that were opened later are none of its business: they may have the number of one
 * that is gone.
 */
function hold(app: App, from: WorkerLink, type: number, bytes: Uint8Array, message: Uint8Array | null): void {
  const before = app.gateway.opened
  const messageBytes = message === null ? 0 : message.byteLength
  let many: Many | null = null
  const waiting: Held = {
    units: type === FrameType.SEND_ROOM ? unitsOfRoom(app, bytes) : type === FrameType.SEND_MANY ? unitsOfMany(bytes, messageBytes) : unitsOf(1, messageBytes),
    bytes: bytes.byteLength + messageBytes,
    run: (share) => endingLink(from, () => {
      // What it does not come to now goes on from there.
      if (many === null) many = begin(message === null ? bytes : withKeptMessage(bytes, 0, bytes.byteLength, message))
      return many === null || deliverTo(many, share)
    }),
    foresee: () => endingLink(from, () => {
      if (type === FrameType.SEND_ROOM) many ??= toRoom(app, bytes, 0, bytes.byteLength, before, true)
      else if (STATE.has(type)) toConnection(app, type, bytes, 0, bytes.byteLength, before)
      // What it listens to, a new life says again.
      return STATE.has(type) || type === FrameType.LISTEN || (type === FrameType.SEND_ROOM && many === null)
    })
  }
  const begin = (whole: Uint8Array): Many | null => {
    if (type === FrameType.SEND_ROOM) return toRoom(app, whole, 0, whole.byteLength, before)
    if (type === FrameType.SEND_MANY) return toMany(app, whole, 0, whole.byteLength, before)
    toConnection(app, type, whole, 0, whole.byteLength, before)
    return null
  }
  app.writing.hold(waiting, MESSAGES.has(type))
}

/** A message to one connection that is not on the hot path. */
export function sendNow(connection: Connection, payload: Uint8Array, binary: boolean): void {
  connection.send(frameMessage(payload, binary), payload.byteLength)
  connection.flush()
}

function toConnection(app: App, type: number, bytes: Uint8Array, start: number, end: number, before: number): void {
  const number = readU32(bytes, start + 16)
  const found = app.connections.get(number)
  const connection = found !== undefined && found.ordinal <= before ? found : undefined
  const tells = (bytes[start + 5]! & Flag.TELL) !== 0 && (type === FrameType.SEND || type === FrameType.SEND_PING || type === FrameType.SEND_PONG)
  // Of a connection that is closing already, only its end can be hastened, and what it keeps can change.
  if (connection === undefined || !(connection.isOpen || type === FrameType.DATA || type === FrameType.BINARY_TYPE || type === FrameType.TERMINATE)) {
    if (tells) tellSent(app, number, [readU32(bytes, start + 20)], true)
    return
  }
  if (tells) connection.tell(readU32(bytes, start + 20))
  const payload = start + HEADER_BYTES
  if (type === FrameType.SEND) {
    // The header of the message is written over the header of the frame, so that nothing has to be copied.
    const head = writeMessageHead(bytes, payload, end - payload, (bytes[start + 5]! & Flag.BINARY) !== 0)
    connection.send(bytes.subarray(head, end), end - payload)
    app.writing.use(1)
  } else if (type === FrameType.TERMINATE) connection.terminateByApp()
  else if (type === FrameType.CLOSE && end - payload < 2) connection.close(undefined)
  else if (type === FrameType.CLOSE) connection.close(readU16(bytes, payload), Buffer.from(bytes.subarray(payload + 2, end)))
  else changeConnection(connection, type, bytes, start, end)
}

/** The rarer commands. One that cannot be does nothing: the guest refuses those, so it did not come from the guest. */
function changeConnection(connection: Connection, type: number, bytes: Uint8Array, start: number, end: number): void {
  const payload = bytes.subarray(start + HEADER_BYTES, end)
  if (type === FrameType.SEND_PING || type === FrameType.SEND_PONG) sendControl(connection, type, bytes, start, end)
  else if (type === FrameType.JOIN) join(connection, payload)
  else if (type === FrameType.DATA) connection.setData(payload)
  else if (type === FrameType.LEAVE) leave(connection, payload)
  else if (type === FrameType.PAUSE) connection.pause(Pause.APP)
  else if (type === FrameType.RESUME) connection.resume(Pause.APP)
  else if (type === FrameType.BINARY_TYPE) connection.binaryType = BINARY_TYPES[bytes[start + 5]!] ?? connection.binaryType
  else if (type === FrameType.LISTEN) connection.listens = bytes[start + 5]! & (Listen.PING | Listen.PONG)
}

function sendControl(connection: Connection, type: number, bytes: Uint8Array, start: number, end: number): void {
  const payload = start + HEADER_BYTES
  if (end - payload > MAX_CONTROL_BYTES) return
  const head = writeControlHead(bytes, payload, end - payload, type === FrameType.SEND_PING ? FIN_PING : FIN_PONG)
  if (type === FrameType.SEND_PING) connection.awaitsPong = true
  connection.sendFrame(bytes.subarray(head, end))
}

function acknowledge(app: App, from: WorkerLink, bytes: Uint8Array, start: number, end: number): void {
  if ((end - start) % 8 !== 0) throw new FrameError('an acknowledgement is not made of pairs')
  for (let at = start; at < end; at += 8) {
    from.wasted += app.outbox.settleRange(readU32(bytes, at), readU32(bytes, at + 4), onSettled)
    if (from.wasted > MAX_WASTED) throw new FrameError('a worker acknowledges events that it does not have')
  }
  afterSettled(app)
}

function started(app: App, sequence: number, over: boolean): void {
  const event: AppEvent | undefined = app.outbox.get(sequence)
  if (event === undefined || event.sentOn !== app.life) return
  event.began = true
  event.running = !over
}

function toUpgrade(app: App, bytes: Uint8Array, start: number, end: number): void {
  const { head, rest } = splitHead(payloadAt(bytes, start, end))
  const upgrade = app.upgrades.get(readU32(bytes, start + 16))
  if (upgrade?.over === false) onUpgradeResult(upgrade, head, rest)
}

function toRequest(app: App, type: number, bytes: Uint8Array, start: number, end: number): void {
  const request = app.requests.get(readU32(bytes, start + 16))
  const last = (bytes[start + 5]! & Flag.END) !== 0
  if (type === FrameType.RESPONSE) {
    const { head, rest } = splitHead(payloadAt(bytes, start, end))
    if (request?.begun === false) onResponse(request, head, rest, last)
  } else if (request?.begun === true) onResponsePart(request, payloadAt(bytes, start, end), last)
}

function payloadAt(bytes: Uint8Array, start: number, end: number): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start + HEADER_BYTES, end - start - HEADER_BYTES)
}
