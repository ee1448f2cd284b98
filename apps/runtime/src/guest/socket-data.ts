// oxlint-disable typescript/no-require-imports -- the bundler's, see globals/index.ts
import { FrameType } from '@socklet/protocol/frame'
import { TurnWord } from '../turn-layout.ts'
import { CLOSED, type Connection } from './connection.ts'
import { current, setCurrent } from './current.ts'
import { reached } from './limits.ts'
import { logError } from './log.ts'
import { changeWord, command } from './outbox.ts'
import { bareArray, typedArrayByteLength } from './primordials.ts'
import { EMPTY } from './socket-bytes.ts'

/** docs/counted-limits.md, `socketData`. */
export const MAX_DATA_BYTES = 16 * 1024

/**
 * `socket.data`. The gateway has it as bytes, and gives it to every new isolate; here it is decoded when it is asked for.
 * A function may change what it got, so who reads it is looked at again: when its turn has nothing to do any more, its
 * bytes are compared. Microtask rounds are how that is told, as with handlers in dispatcher.ts.
 */
const ROUNDS = 100

let touched = bareArray<Connection>()
let touchedCount = 0

const values = (): typeof import('./values.ts') => require('./values.ts') as typeof import('./values.ts')

export function readData(connection: Connection): unknown {
  if (!connection.dataDecoded) {
    connection.dataValue = values().decodeValue(connection.dataBytes!)
    connection.dataDecoded = true
  }
  watchData(connection)
  return connection.dataValue
}

/** @throws RangeError if it is too large, or the turn is full; DataCloneError if it cannot be kept. It is what it was then. */
export function writeData(connection: Connection, value: unknown): void {
  keep(connection, encode(value))
  connection.dataValue = value
  connection.dataDecoded = true
  watchData(connection)
}

/** Looks for changes inside the value when this turn's work is done. Of other values than objects there are none. */
export function watchData(connection: Connection): void {
  const { dataValue } = connection
  if (connection.dataTouched || typeof dataValue !== 'object' || dataValue === null || connection.readyState === CLOSED) return
  connection.dataTouched = true
  touched[touchedCount++] = connection
  if (touchedCount === 1) void keepChanges()
}

/** Keeps what has changed in it, whether or not anybody has read it since. */
export function lookAtData(connection: Connection): void {
  if (connection.dataDecoded && typeof connection.dataValue === 'object' && connection.dataValue !== null) keepChange(connection)
}

async function keepChanges(): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) await undefined
  const connections = touched
  const count = touchedCount
  touched = bareArray()
  touchedCount = 0
  for (let i = 0; i < count; i++) keepChange(connections[i]!)
}

function keepChange(connection: Connection): void {
  connection.dataTouched = false
  if (connection.readyState === CLOSED) return
  try {
    const bytes = encode(connection.dataValue)
    if (!isSame(bytes, connection.dataBytes)) keep(connection, bytes)
    connection.dataRefused = false
  } catch (error) {
    if (!connection.dataRefused) refused(connection, error)
    connection.dataRefused = true
  }
}

function refused(connection: Connection, error: unknown): void {
  const before = current()
  setCurrent({ function: '__websocket__', version: before.version, requestId: '', connection: connection.id })
  logError(`socket.data of ${connection.id} was changed into something that cannot be kept, so the value that it had before is what survives: `, error)
  setCurrent(before)
}

/** undefined is no bytes at all. */
function encode(value: unknown): Uint8Array | null {
  try {
    return value === undefined ? null : values().encodeValue(value, MAX_DATA_BYTES)
  } catch (error) {
    if (values().isTooLarge(error)) reached('socketData', `socket.data cannot hold more than ${MAX_DATA_BYTES} bytes`)
    throw error
  }
}

function keep(connection: Connection, bytes: Uint8Array | null): void {
  if (connection.readyState !== CLOSED) {
    command(FrameType.DATA, 0, connection.gateway, connection.number, bytes ?? EMPTY)
    changeWord(TurnWord.DATA, 1)
  }
  // Not before: a full turn has no room for it, and the next one would take it for told.
  connection.dataBytes = bytes
}

function isSame(one: Uint8Array | null, other: Uint8Array | null): boolean {
  if (one === null || other === null) return one === other
  const length = typedArrayByteLength(one)
  if (length !== typedArrayByteLength(other)) return false
  for (let i = 0; i < length; i++) if (one[i] !== other[i]) return false
  return true
}
