import { readU16, readU32, writeU16, writeU32 } from './frame.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** One line of an app's log, as the worker reports it. */
export interface LogLine {
  /** Milliseconds since 1970. */
  time: number
  level: LogLevel
  /** Name of the function, or '' for the platform's own lines. */
  function: string
  requestId: string
  /** `ctx.socket.id`, or ''. */
  connection: string
  /** Version of the function that was running, 0 if none. */
  version: number
  message: string
}

/*
 * Payload of a LOG frame: u8 level, 3 unused, u32 version, f64 time, u16 × 3 lengths of function, requestId and
 * connection, 2 unused, then these three and the message, in UTF-8. Binary, because functions log for each message.
 */
const FIXED_BYTES = 24

/** The line as a payload. Names above 65,535 bytes do not occur; they are cut. */
export function encodeLogLine(line: LogLine): Buffer {
  const texts = [line.function, line.requestId, line.connection].map((text) => Buffer.from(text).subarray(0, 0xffff))
  const fixed = Buffer.alloc(FIXED_BYTES)
  fixed[0] = LOG_LEVELS.indexOf(line.level)
  writeU32(fixed, 4, line.version)
  fixed.writeDoubleLE(line.time, 8)
  texts.forEach((text, index) => writeU16(fixed, 16 + index * 2, text.byteLength))
  return Buffer.concat([fixed, ...texts, Buffer.from(line.message)])
}

/** @throws RangeError if the payload is not a log line. */
export function decodeLogLine(payload: Uint8Array): LogLine {
  if (payload.byteLength < FIXED_BYTES) throw new RangeError('a log line is shorter than its fixed part')
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  const level = LOG_LEVELS[bytes[0]!]
  if (level === undefined) throw new RangeError(`log level ${bytes[0]} does not exist`)
  const lengths = [0, 1, 2].map((index) => readU16(bytes, 16 + index * 2))
  const ends = lengths.map((_, index) => lengths.slice(0, index + 1).reduce((sum, length) => sum + length, FIXED_BYTES))
  if (ends[2]! > bytes.byteLength) throw new RangeError('a log line is shorter than its texts')
  const time = bytes.readDoubleLE(8)
  return {
    time: Number.isFinite(time) ? time : 0,
    level,
    version: readU32(bytes, 4),
    function: bytes.toString('utf8', FIXED_BYTES, ends[0]),
    requestId: bytes.toString('utf8', ends[0], ends[1]),
    connection: bytes.toString('utf8', ends[1], ends[2]),
    message: bytes.toString('utf8', ends[2])
  }
}
