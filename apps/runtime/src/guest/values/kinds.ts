/**
 * What an object is: told by its prototypes, and then by a probe that only real ones pass. `Symbol.toStringTag` and `constructor` have no say, since tenants
 * set them. A Proxy cannot be told from an object in plain JavaScript, so it is written as what it shows; a Map whose prototype was replaced is
 * a plain object.
 */
import { firstBuffer } from '../globals/buffer.ts'
import { DOMException } from '../globals/dom-exception.ts'
import {
  NativeMap,
  arrayBufferByteLength,
  arrayBufferIsView,
  arrayIsArray,
  bigintValueOf,
  booleanValueOf,
  dateGetTime,
  iteratorPrototypes,
  mapGet,
  mapHas,
  mapSet,
  mapSize,
  numberValueOf,
  objectGetOwnPropertyDescriptor,
  objectGetPrototypeOf,
  objectToString,
  reflectApply,
  reflectOwnKeys,
  regExpSource,
  setSize,
  stringValueOf
} from '../primordials.ts'

export const Kind = {
  OBJECT: 0, ARRAY: 1, MAP: 2, SET: 3, DATE: 4, REGEXP: 5, BOOLEAN: 6, NUMBER: 7, BIGINT: 8, STRING: 9, BUFFER: 10, VIEW: 11, NODE_BUFFER: 12, ERROR: 13,
  DOM_EXCEPTION: 14, REFUSED: 15
} as const
export type Kind = (typeof Kind)[keyof typeof Kind]

export interface Family {
  readonly kind: Kind
  /** With its article, for messages. */
  readonly name: string
  /** Throws for what only inherits from the prototype; null where nothing but a real one can get here. */
  readonly probe: ((value: never) => unknown) | null
  /** Whether the object is of a class of the tenant's own, which it will not be when it comes back. */
  readonly instance: boolean
}

export const BufferPrototype = firstBuffer.prototype as object

const getName = objectGetOwnPropertyDescriptor(DOMException.prototype, 'name')!.get!
const getMessage = objectGetOwnPropertyDescriptor(DOMException.prototype, 'message')!.get!
export const domExceptionName = (value: object): string => reflectApply(getName, value, []) as string
export const domExceptionMessage = (value: object): string => reflectApply(getMessage, value, []) as string

const ObjectPrototype = Object.prototype
const ArrayPrototype = Array.prototype

const families = new NativeMap<object, Family>()
/** The same for what inherits from a class of the tenant's that extends the built-in. */
const instances = new NativeMap<object, Family>()

function family(prototype: object, kind: Kind, name: string, probe: Family['probe'] = null): Family {
  const made: Family = { kind, name, probe, instance: false }
  mapSet(families, prototype, made)
  mapSet(instances, prototype, { kind, name, probe, instance: true })
  return made
}

const PLAIN = family(ObjectPrototype, Kind.OBJECT, 'an object')
const INSTANCE = mapGet(instances, ObjectPrototype)!
const ARRAY = family(ArrayPrototype, Kind.ARRAY, 'an array')
const ARRAY_INSTANCE = mapGet(instances, ArrayPrototype)!
const HOSTILE: Family = { kind: Kind.REFUSED, name: 'a revoked or throwing Proxy', probe: null, instance: false }

const none = (): never => {
  throw new TypeError('not a real one')
}

/** An object that inherits from Error.prototype without being an error has the tag of an object, unless it has one of its own. */
const isError = (value: object): unknown => objectToString(value) === '[object Object]' && none()

family(Map.prototype, Kind.MAP, 'a Map', mapSize)
family(Set.prototype, Kind.SET, 'a Set', setSize)
family(Date.prototype, Kind.DATE, 'a Date', dateGetTime)
family(RegExp.prototype, Kind.REGEXP, 'a RegExp', (value: RegExp) => value === RegExp.prototype ? none() : regExpSource(value))
family(Boolean.prototype, Kind.BOOLEAN, 'a Boolean', booleanValueOf)
family(Number.prototype, Kind.NUMBER, 'a Number', numberValueOf)
family(BigInt.prototype, Kind.BIGINT, 'a BigInt', bigintValueOf)
family(String.prototype, Kind.STRING, 'a String', stringValueOf)
family(ArrayBuffer.prototype, Kind.BUFFER, 'an ArrayBuffer', arrayBufferByteLength)
const VIEW = family(objectGetPrototypeOf(Uint8Array.prototype)!, Kind.VIEW, 'a typed array', (value: object) => arrayBufferIsView(value) || none())
family(DataView.prototype, Kind.VIEW, 'a DataView', (value: object) => arrayBufferIsView(value) || none())
family(BufferPrototype, Kind.NODE_BUFFER, 'a Buffer', (value: object) => arrayBufferIsView(value) || none())
const VIEWS = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array]
for (let i = 0; i < VIEWS.length; i++) family(VIEWS[i]!.prototype as object, Kind.VIEW, 'a typed array', (value: object) => arrayBufferIsView(value) || none())
const ERRORS = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]
for (let i = 0; i < ERRORS.length; i++) family(ERRORS[i]!.prototype as object, Kind.ERROR, 'an Error', isError)
family(DOMException.prototype, Kind.DOM_EXCEPTION, 'a DOMException', domExceptionName)

const refuse = (prototype: object, name: string): Family => family(prototype, Kind.REFUSED, name)
refuse(Promise.prototype, 'a Promise')
refuse(WeakMap.prototype, 'a WeakMap')
refuse(WeakSet.prototype, 'a WeakSet')
refuse(WeakRef.prototype, 'a WeakRef')
refuse(FinalizationRegistry.prototype, 'a FinalizationRegistry')
refuse(Symbol.prototype, 'a Symbol')
const { array, map, set, string, match } = iteratorPrototypes
const ITERATORS = [array, map, set, string, match]
for (let i = 0; i < ITERATORS.length; i++) refuse(ITERATORS[i]!, 'an iterator')
refuse(objectGetPrototypeOf((function* () {}).prototype as object)!, 'a generator')
refuse(objectGetPrototypeOf((async function* () {}).prototype as object)!, 'a generator')

/**
 * What V8 adds only when the snapshot is restored is looked up at the first use. A tenant that had put something else there
 * would have its own objects refused, and nothing more.
 */
let complete = false
function complement(): void {
  complete = true
  refuseClass(globalThis, 'SharedArrayBuffer')
  const namespaces = ['Intl', 'Temporal', 'WebAssembly']
  for (let n = 0; n < namespaces.length; n++) {
    const namespace = ownValue(globalThis, namespaces[n]!)
    if (typeof namespace !== 'object' || namespace === null) continue
    const keys = reflectOwnKeys(namespace)
    for (let i = 0; i < keys.length; i++) refuseClass(namespace, keys[i]!)
  }
}

function refuseClass(holder: object, name: PropertyKey): void {
  const Class = ownValue(holder, name)
  const prototype = typeof Class === 'function' ? ownValue(Class, 'prototype') : undefined
  if (typeof prototype === 'object' && prototype !== null && !mapHas(families, prototype)) refuse(prototype, `an instance of ${name as string}`)
}

function ownValue(holder: object, name: PropertyKey): unknown {
  return objectGetOwnPropertyDescriptor(holder, name)?.value
}

export function familyOf(value: object): Family {
  try {
    const prototype = objectGetPrototypeOf(value)
    if (arrayIsArray(value)) return prototype === ArrayPrototype ? ARRAY : ARRAY_INSTANCE
    if (prototype === ObjectPrototype) return PLAIN
    if (prototype === null) return arrayBufferIsView(value) ? VIEW : PLAIN
    return inherited(value, prototype)
  } catch {
    return HOSTILE
  }
}

function inherited(value: object, first: object): Family {
  if (!complete) complement()
  let at: object | null = first
  let found = mapGet(families, at)
  while (found === undefined) {
    at = objectGetPrototypeOf(at)
    if (at === null) return INSTANCE
    found = mapGet(instances, at)
  }
  return found.probe === null || passes(found.probe, value) ? found : INSTANCE
}

function passes(probe: (value: never) => unknown, value: object): boolean {
  try {
    probe(value as never)
    return true
  } catch {
    return false
  }
}
