import { reached } from '../limits.ts'
import { NativeRangeError } from '../primordials.ts'
import { MAX_TURN_SHARED_CHANGES } from '../../turn-layout.ts'
import { waitingEntries } from './waiting.ts'

/** docs/limits.md. The store counts alike, see packages/shared. */
let maxBytes = 16 * 1024 * 1024
let maxKeys = 10_000
/** Bytes that all entries and nodes take. */
let total = 0

export function setSharedLimits(bytes: number, keys: number): void {
  maxBytes = bytes
  maxKeys = keys
}

export function maxSharedBytes(): number {
  return maxBytes
}

export function totalBytes(): number {
  return total
}

export function count(bytes: number): void {
  total += bytes
}

/** Nothing more can be taken, by its bytes or in this turn. */
export function isFull(): boolean {
  return total > maxBytes || isTurnFull()
}

function isTurnFull(): boolean {
  return waitingEntries() > MAX_TURN_SHARED_CHANGES
}

/** @throws RangeError if `cloud.shared` cannot take one more key */
export function checkKeys(keys: number): void {
  if (keys < maxKeys) return
  reached('sharedKeys', `cloud.shared cannot hold more than ${maxKeys} keys`)
  throw new NativeRangeError(`cloud.shared cannot hold more than ${maxKeys} keys (limit sharedKeys)`)
}

export function tooMuch(): RangeError {
  if (isTurnFull()) {
    const what = `cloud.shared cannot have more than ${MAX_TURN_SHARED_CHANGES} entries changed in one turn`
    reached('sharedChanges', what)
    return new NativeRangeError(what)
  }
  reached('sharedBytes', `cloud.shared cannot hold more than ${maxBytes} bytes`)
  return new NativeRangeError(`cloud.shared holds ${total} bytes, and cannot hold more than ${maxBytes} (limit sharedBytes)`)
}
