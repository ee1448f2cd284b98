import { NativeRangeError } from '../primordials.ts'

/** API.md, "shared store". The store counts alike, see packages/shared. */
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

export function isFull(): boolean {
  return total > maxBytes
}

/** @throws RangeError if `cloud.shared` cannot take one more key */
export function checkKeys(keys: number): void {
  if (keys >= maxKeys) throw new NativeRangeError(`cloud.shared cannot hold more than ${maxKeys} keys (limit sharedKeys)`)
}

export function tooMuch(): RangeError {
  return new NativeRangeError(`cloud.shared holds ${total} bytes, and cannot hold more than ${maxBytes} (limit sharedBytes)`)
}
