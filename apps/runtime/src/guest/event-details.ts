import type { ErrorHead } from '@socklet/protocol'
import { NativeError, NativeRangeError, charCodeAt, jsonParse, mathImul, numberToString, substring } from './primordials.ts'

/** The error that the `ws` server reported. */
export function readError(json: string): Error {
  const parsed: unknown = jsonParse(json)
  const head = (typeof parsed === 'object' && parsed !== null ? parsed : { name: 'Error', message: json }) as ErrorHead
  const error = (head.name === 'RangeError' ? new NativeRangeError(head.message) : new NativeError(head.message)) as Error & { code?: string }
  if (head.code !== undefined) error.code = head.code
  return error
}

/**
 * The requestId of an event is a UUID (RFC 9562, version 8) of the connection's id and the event's number, so that
 * an event that is delivered again has the one that it had. Two hashes (FNV-1a) make 60 bits of the id.
 */
export function requestPrefix(id: string): string {
  const a = eightHex(fnv(id, 0x811c9dc5))
  const b = eightHex(fnv(id, 0x01000193))
  return `${a}-${b[0]}${b[1]}${b[2]}${b[3]}-8${b[4]}${b[5]}${b[6]}-a${b[7]}00-`
}

function fnv(text: string, seed: number): number {
  let hash = seed
  for (let i = 0; i < text.length; i++) hash = mathImul(hash ^ charCodeAt(text, i), 0x01000193)
  return hash >>> 0
}

function eightHex(value: number): string {
  const hex = numberToString(value, 16)
  return hex.length === 8 ? hex : substring('00000000', hex.length, 8) + hex
}

export function twelveHex(value: number): string {
  return `0000${eightHex(value)}`
}
