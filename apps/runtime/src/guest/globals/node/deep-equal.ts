/** `assert.deepEqual` and `util.isDeepStrictEqual`, after the rules in Node's documentation of assert ("Comparison details"). */
import { types } from './types.ts'

type Pairs = Map<object, object>

export const isDeepStrictEqual = (a: unknown, b: unknown): boolean => equal(a, b, true, new Map())
export const isDeepLooseEqual = (a: unknown, b: unknown): boolean => equal(a, b, false, new Map())

const { toString } = Object.prototype
const tag = (value: object): string => toString.call(value)

function equal(a: any, b: any, strict: boolean, pairs: Pairs): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) {
    // oxlint-disable-next-line eqeqeq -- "legacy" mode is defined by it
    return !strict && (a == b || (a !== a && b !== b)) && (typeof a !== 'object' || a === null) && (typeof b !== 'object' || b === null)
  }
  if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  if (tag(a) !== tag(b) || Array.isArray(a) !== Array.isArray(b)) return false
  // A cycle is equal to the one that is as long.
  if (pairs.get(a) === b) return true
  pairs.set(a, b)
  const same = equalSlots(a, b, strict, pairs) && equalProperties(a, b, strict, pairs)
  pairs.delete(a)
  return same
}

function equalSlots(a: any, b: any, strict: boolean, pairs: Pairs): boolean {
  if (Array.isArray(a)) return a.length === b.length
  if (a instanceof Date) return b instanceof Date && Object.is(a.getTime(), b.getTime())
  if (a instanceof RegExp) return b instanceof RegExp && String(a) === String(b) && a.lastIndex === b.lastIndex
  if (a instanceof Error) return b instanceof Error && a.message === b.message && a.name === b.name && equal(a.cause, b.cause, strict, pairs)
  if (a instanceof Map) return b instanceof Map && equalMaps(a, b, strict, pairs)
  if (a instanceof Set) return b instanceof Set && equalSets(a, b, strict, pairs)
  if (ArrayBuffer.isView(a) || a instanceof ArrayBuffer) return equalBytes(a, b, strict)
  if (types['isBoxedPrimitive']!(a)) return types['isBoxedPrimitive']!(b) && Object.is(a.valueOf(), b.valueOf())
  if (a instanceof Promise || a instanceof WeakMap || a instanceof WeakSet || a instanceof WeakRef) return false
  return true
}

function equalBytes(a: any, b: any, strict: boolean): boolean {
  if (a.byteLength !== b.byteLength) return false
  // In legacy mode 0 and -0 are the same number.
  if (!strict && (a instanceof Float32Array || a instanceof Float64Array)) return a.every((item, index) => item === b[index])
  const bytes = (value: any): Uint8Array => value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  const [left, right] = [bytes(a), bytes(b)]
  return left.every((byte, index) => byte === right[index])
}

function equalProperties(a: any, b: any, strict: boolean, pairs: Pairs): boolean {
  if (ArrayBuffer.isView(a)) return true
  const keys = enumerable(a, strict)
  if (keys.length !== enumerable(b, strict).length) return false
  return keys.every(key => Object.prototype.propertyIsEnumerable.call(b, key) && equal(a[key], b[key], strict, pairs))
}

const enumerable = (value: object, strict: boolean): PropertyKey[] => strict
  ? Reflect.ownKeys(value).filter(key => Object.prototype.propertyIsEnumerable.call(value, key))
  : Object.keys(value)

function equalMaps(a: Map<unknown, unknown>, b: Map<unknown, unknown>, strict: boolean, pairs: Pairs): boolean {
  if (a.size !== b.size) return false
  const left = new Map(b)
  for (const [key, value] of a) {
    const direct = left.has(key) && equal(value, left.get(key), strict, pairs)
    const match = direct ? [key] : [...left].find(([other, item]) => equal(key, other, strict, pairs) && equal(value, item, strict, pairs))
    if (match === undefined) return false
    left.delete(match[0])
  }
  return true
}

function equalSets(a: Set<unknown>, b: Set<unknown>, strict: boolean, pairs: Pairs): boolean {
  if (a.size !== b.size) return false
  const left = new Set(b)
  for (const item of a) {
    if (left.delete(item)) continue
    const match = [...left].find(other => equal(item, other, strict, pairs))
    if (match === undefined && !left.has(match)) return false
    left.delete(match)
  }
  return true
}
