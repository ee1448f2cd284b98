/**
 * structuredClone (HTML Standard, "StructuredSerialize"), without the detour through bytes. What an object *is* is told by its internal slots: the tag is only
 * a hint, and a getter that works on real ones alone decides. Two things cannot be told in plain JavaScript: a Proxy is copied like an ordinary object,
 * and a Map whose prototype was replaced as well.
 */
import { DOMException } from './dom-exception.ts'
import { addOwn, define, missingArgument, named } from './define.ts'
import {
  arrayBufferByteLength, arrayBufferSlice, arrayIsArray, bigintValueOf, booleanValueOf, dataViewBuffer, dateGetTime, mapEntries, mapSize, numberValueOf, objectGetOwnPropertyDescriptor,
  objectGetPrototypeOf, objectHasOwn, objectToString, reflectOwnKeys, regExpSource, setSize, setValues, stringValueOf, substring, symbolToStringTag, symbolValueOf, toObject, toText,
  typedArrayLength, typedArrayTag, weakMapHas, weakRefDeref, weakSetHas
} from '../primordials.ts'

type Cloner = (value: any, seen: Seen) => object
type Seen = Map<object, object>

const errorNames = ['EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError'] as const
const ERRORS: Record<string, ErrorConstructor> = { __proto__: null as never, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError }

const refusal = (value: unknown): DOMException => new DOMException(`${nameOf(value)} could not be cloned.`, 'DataCloneError')

function nameOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const { name } = value.constructor ?? {}
  return `#<${typeof name === 'string' && name !== '' ? name : 'Object'}>`
}

/** Throws for what has not the slot. */
type Probe = (value: object) => unknown
const REFUSED: Record<string, Probe> = {
  __proto__: null as never,
  Promise: value => value instanceof Promise || none(),
  WeakMap: value => weakMapHas(value, {}),
  WeakSet: value => weakSetHas(value, {}),
  WeakRef: weakRefDeref,
  Symbol: symbolValueOf as Probe,
  Generator: value => objectHasOwn(value, symbolToStringTag) && none(),
  Arguments: value => symbolToStringTag in value && none()
}

const none = (): never => {
  throw new TypeError('no slot')
}

const SLOTS: Record<string, readonly [probe: Probe, cloner: Cloner]> = {
  __proto__: null as never,
  Array: [value => arrayIsArray(value) || none(), cloneArray],
  Error: [() => 0, cloneError],
  Date: [dateGetTime as Probe, value => new Date(dateGetTime(value))],
  RegExp: [regExpSource as Probe, value => new RegExp(value.source, value.flags)],
  Boolean: [booleanValueOf as Probe, value => toObject(booleanValueOf(value))],
  Number: [numberValueOf as Probe, value => toObject(numberValueOf(value))],
  String: [stringValueOf as Probe, value => toObject(stringValueOf(value))],
  BigInt: [bigintValueOf as Probe, value => toObject(bigintValueOf(value))],
  Map: [mapSize as Probe, cloneMap],
  Set: [setSize as Probe, cloneSet],
  ArrayBuffer: [arrayBufferByteLength as Probe, cloneBuffer],
  DataView: [dataViewBuffer as Probe, (value, seen) => remember(value, new DataView(clone(value.buffer, seen), value.byteOffset, value.byteLength), seen)],
  DOMException: [value => value instanceof DOMException || none(), (value: DOMException) => new DOMException(value.message, value.name)]
}

function remember<T extends object>(value: object, copy: T, seen: Seen): T {
  seen.set(value, copy)
  return copy
}

function clone(value: any, seen: Seen): any {
  if (typeof value === 'function' || typeof value === 'symbol') throw refusal(value)
  if (typeof value !== 'object' || value === null) return value
  const known = seen.get(value)
  if (known !== undefined) return known
  const cloner = clonerOf(value)
  const copy = cloner(value, seen)
  if (!seen.has(value)) seen.set(value, copy)
  return seen.get(value)
}

function clonerOf(value: object): Cloner {
  const view = typedArrayTag(value)
  if (view !== undefined) return cloneView
  const text = objectToString(value)
  const tag = substring(text, 8, text.length - 1)
  if (REFUSED[tag] !== undefined && holds(REFUSED[tag], value)) throw refusal(value)
  const slot = SLOTS[tag]
  return slot !== undefined && holds(slot[0], value) ? slot[1] : clonePlain
}

function holds(probe: Probe, value: object): boolean {
  try {
    probe(value)
    return true
  } catch {
    return false
  }
}

function clonePlain(value: object, seen: Seen): object {
  return copyProperties(value, remember(value, {}, seen), seen)
}

function cloneArray(value: unknown[], seen: Seen): object {
  return copyProperties(value, remember(value, Array.from({ length: 0 }) as unknown[], seen), seen, value.length)
}

/** Own enumerable properties with string keys, as they are when their turn comes: a getter may have removed the next one. */
function copyProperties(value: any, copy: any, seen: Seen, length?: number): object {
  if (length !== undefined) copy.length = length
  for (const key of reflectOwnKeys(value)) {
    if (typeof key !== 'string' || objectGetOwnPropertyDescriptor(value, key)?.enumerable !== true) continue
    addOwn(copy as object, key, clone(value[key], seen))
  }
  return copy
}

/** Only what the standard keeps of an error: one of seven names, message, stack and cause. */
function cloneError(value: Error, seen: Seen): object {
  const name = String(value.name)
  const copy: Error = Object.create((errorNames as readonly string[]).includes(name) ? ERRORS[name]!.prototype : Error.prototype) as Error
  const real = new (ERRORS[name] ?? Error)()
  Object.setPrototypeOf(real, objectGetPrototypeOf(copy))
  seen.set(value, real)
  const message = objectGetOwnPropertyDescriptor(value, 'message')
  if (message !== undefined && 'value' in message) define(real, 'message', toText(message.value))
  define(real, 'stack', typeof value.stack === 'string' ? value.stack : undefined)
  if (Object.hasOwn(value, 'cause')) define(real, 'cause', clone(value.cause, seen))
  return real
}

function cloneMap(value: Map<unknown, unknown>, seen: Seen): object {
  const copy = remember(value, new Map(), seen)
  // What is there now: a getter may add to it.
  const entries = [...mapEntries(value)]
  for (const [key, item] of entries) copy.set(clone(key, seen), clone(item, seen))
  return copy
}

function cloneSet(value: Set<unknown>, seen: Seen): object {
  const copy = remember(value, new Set(), seen)
  const items = [...setValues(value)]
  for (const item of items) copy.add(clone(item, seen))
  return copy
}

function cloneBuffer(value: ArrayBuffer): object {
  if (value.detached) throw new DOMException('An ArrayBuffer is detached and could not be cloned.', 'DataCloneError')
  return arrayBufferSlice(value, 0, arrayBufferByteLength(value))
}

const VIEWS = [
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array,
  ...('Float16Array' in globalThis ? [(globalThis as unknown as { Float16Array: typeof Float32Array }).Float16Array] : [])
]

/** A view comes back as its own kind, a Buffer as the Uint8Array that it is. */
function cloneView(value: Uint8Array, seen: Seen): object {
  const tag = typedArrayTag(value)
  const constructor = VIEWS.find(view => view.name === tag)! as unknown as Uint8ArrayConstructor
  return new constructor(clone(value.buffer, seen) as ArrayBuffer, value.byteOffset, typedArrayLength(value))
}

function checkTransfer(list: unknown[]): asserts list is ArrayBuffer[] {
  for (const [index, item] of list.entries()) {
    if (typeof item !== 'object' || item === null || !holds(SLOTS['ArrayBuffer']![0], item)) {
      throw new DOMException('Value not transferable', 'DataCloneError')
    }
    if (list.indexOf(item) !== index) throw new DOMException('ArrayBuffer occurs in the transfer list twice', 'DataCloneError')
    if ((item as ArrayBuffer).detached) throw new DOMException('An ArrayBuffer is detached and could not be cloned.', 'DataCloneError')
  }
}

export function structuredClone<T>(value: T, options?: { transfer?: Iterable<ArrayBuffer> }): T {
  if (arguments.length === 0) throw missingArgument('value')
  const transfer: unknown[] = [...(options?.transfer ?? [])]
  checkTransfer(transfer)
  const copy = clone(value, new Map()) as T
  // Copied and then emptied: nobody sees the difference, and a clone that fails leaves the originals as they were.
  for (const buffer of transfer) buffer.transfer(0)
  return copy
}

// The bundler calls it something else.
named(structuredClone, 'structuredClone')
