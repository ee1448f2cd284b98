import { bareArray, mapForEach, reflectApply, typedArrayByteLength } from '../primordials.ts'
import { decodeValue } from '../values/decode.ts'
import { encodeEntry } from './encode.ts'
import { nodeFor } from './graph.ts'
import { mapMethods } from './hooks.ts'
import { maxSharedBytes } from './quota.ts'
import type { Shared } from './shared.ts'

/** Removes the key that has these bytes: the operator wants it gone. */
export function forgetKey(shared: Shared, bytes: Uint8Array): void {
  const key = decodeValue(bytes, { revive: () => undefined })
  if (typeof key !== 'object' || key === null) reflectApply(mapMethods.delete, shared, [key])
  // Of objects only the same one is the same key: it is told by what it is kept as.
  else mapForEach(nodeFor(shared)!.entries, (entry) => void (sameBytes(encodeEntry(entry, undefined, maxSharedBytes(), bareArray()).key, bytes) && reflectApply(mapMethods.delete, shared, [entry.key])))
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  const length = typedArrayByteLength(one)
  if (length !== typedArrayByteLength(other)) return false
  for (let i = 0; i < length; i++) if (one[i] !== other[i]) return false
  return true
}
