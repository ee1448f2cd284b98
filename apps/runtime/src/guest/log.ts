import { FrameType, writeU16 } from '@socklet/protocol/frame'
import { GUEST_LIMITS, TurnWord } from '../turn-layout.ts'
import { indexOf } from './lists.ts'
import { current } from './current.ts'
import { beginFrame, changeWord, finishFrame, setWord, withSpare } from './outbox.ts'
import { mathMax, now, substring, toText } from './primordials.ts'
import { writeUtf8 } from './utf8.ts'

export const Level = { DEBUG: 0, INFO: 1, WARN: 2, ERROR: 3 } as const

const FIXED_BYTES = 24
const MAX_NAME_UNITS = 512
const CUT = '… (cut)'
const DROPPED_WORD = TurnWord.LIMITS + indexOf(GUEST_LIMITS, 'logLinesPerSecond')
const CUT_WORD = TurnWord.LIMITS + indexOf(GUEST_LIMITS, 'logLineBytes')

let linesPerSecond = 100
let lineUnits = 8192
let second = 0
let linesThisSecond = 0
let dropped = 0

const timeBytes = new Uint8Array(8)
const timeFloat = new Float64Array(timeBytes.buffer)

export function setLogLimits(perSecond: number, bytesPerLine: number): void {
  linesPerSecond = perSecond
  lineUnits = bytesPerLine
}

/** false if the limit of this second is used up: then nobody needs to format the line. The worker says how many were dropped (reports.ts). */
export function mayLog(): boolean {
  // Asked once: the clock may go on between two looks, and each such second that is none would have lines of its own.
  const time = now()
  const thisSecond = time - (time % 1000)
  if (thisSecond !== second) {
    second = thisSecond
    linesThisSecond = 0
  }
  if (linesThisSecond < linesPerSecond) return true
  drop()
  changeWord(DROPPED_WORD, 1)
  return false
}

function drop(): void {
  dropped++
  setWord(TurnWord.LOGS_DROPPED, dropped)
}

/** One line into the app's log, in the name of what is running. */
export function log(level: number, message: string): void {
  if (mayLog()) write(level, message)
}

/** The error that a handler threw or rejected with. */
export function logError(what: string, error: unknown): void {
  if (mayLog()) write(Level.ERROR, `${what}${describeError(error)}`)
}

/** Text of anything that was thrown. It runs tenant code (getters, toString), and none of it can escape from here. */
export function describeError(error: unknown): string {
  try {
    if (typeof error === 'object' && error !== null) {
      const { stack, message } = error as { stack: unknown; message: unknown }
      if (typeof stack === 'string' && stack !== '') return substring(stack, 0, lineUnits)
      if (typeof message === 'string') return substring(message, 0, lineUnits)
    }
    return substring(toText(error), 0, lineUnits)
  } catch {
    return 'a value that cannot be turned into text'
  }
}

/** Of a limit that was reached, see limits.ts: few enough, so that neither the log's own limits nor a full turn keep it out. */
export function writeLimitLine(level: number, message: string): void {
  write(level, message)
}

/** Never throws, or an event would not be settled whose handler has used up what there is. A line for which there is no room is dropped, and counted. */
function write(level: number, message: string): void {
  try {
    withSpare(() => writeLine(level, message))
  } catch {
    drop()
  }
}

/** The layout of packages/protocol's log.ts. */
function writeLine(level: number, message: string): void {
  linesThisSecond++
  const running = current()
  if (message.length > lineUnits) changeWord(CUT_WORD, 1)
  const text = message.length > lineUnits ? substring(message, 0, mathMax(0, lineUnits - CUT.length)) + CUT : message
  const name = substring(running.function, 0, MAX_NAME_UNITS)
  const requestId = substring(running.requestId, 0, MAX_NAME_UNITS)
  const connection = substring(running.connection, 0, MAX_NAME_UNITS)
  const { bytes, offset } = beginFrame(FIXED_BYTES + (name.length + requestId.length + connection.length + text.length) * 3)
  const nameEnd = writeUtf8(bytes, offset + FIXED_BYTES, name)
  const requestEnd = writeUtf8(bytes, nameEnd, requestId)
  const connectionEnd = writeUtf8(bytes, requestEnd, connection)
  const end = writeUtf8(bytes, connectionEnd, text)
  bytes[offset] = level
  bytes[offset + 1] = bytes[offset + 2] = bytes[offset + 3] = 0
  writeU16(bytes, offset + 4, running.version)
  writeU16(bytes, offset + 6, running.version >>> 16)
  timeFloat[0] = now()
  for (let i = 0; i < 8; i++) bytes[offset + 8 + i] = timeBytes[i]!
  writeU16(bytes, offset + 16, nameEnd - offset - FIXED_BYTES)
  writeU16(bytes, offset + 18, requestEnd - nameEnd)
  writeU16(bytes, offset + 20, connectionEnd - requestEnd)
  bytes[offset + 22] = bytes[offset + 23] = 0
  finishFrame(FrameType.LOG, 0, 0, 0, end)
}
