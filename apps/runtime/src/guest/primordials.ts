/**
 * The built-ins that the guest's own code uses, as they were before any tenant code ran. What tenant code
 * replaces on prototypes and globals later is never called with an object of ours in its hands.
 *
 * The rules that follow from it, for all files of the guest's core: no method call on a built-in's instance
 * (use these functions), no `for…of`, no spread and no destructuring of arrays (they look up Symbol.iterator),
 * no index assignment past the end of an ordinary array (a setter on Array.prototype would see it: use `bareArray`),
 * no `.then` (use `await`, which takes native promises without looking anything up).
 */
const { apply, construct, ownKeys, getPrototypeOf, getOwnPropertyDescriptor, defineProperty } = Reflect

const { call } = Function.prototype
const bind = Function.prototype.bind

/** `method` as a function whose first argument is the receiver. */
function uncurry<This, Args extends unknown[], Result>(method: (this: This, ...args: Args) => Result): (self: This, ...args: Args) => Result {
  return apply(bind, call, [method]) as (self: This, ...args: Args) => Result
}

const TypedArrayPrototype = getPrototypeOf(Uint8Array.prototype) as Uint8Array
const getter = <This, Result>(object: object, name: PropertyKey): ((self: This) => Result) =>
  uncurry(getOwnPropertyDescriptor(object, name)!.get as (this: This) => Result)

export const reflectApply = apply
export const reflectConstruct = construct
export const reflectOwnKeys = ownKeys
export const objectAssign = Object.assign
export const objectDefine = defineProperty
export const objectCreate = Object.create
export const objectSetPrototypeOf = Object.setPrototypeOf
export const objectKeys = Object.keys
export const objectHasOwn = Object.hasOwn
const objectFreeze = Object.freeze

export const charCodeAt = uncurry(String.prototype.charCodeAt)
export const substring = uncurry(String.prototype.substring)
export const stringStartsWith = uncurry(String.prototype.startsWith)
export const stringLastIndexOf = uncurry(String.prototype.lastIndexOf)
export const stringIndexOf = uncurry(String.prototype.indexOf)
export const stringToLowerCase = uncurry(String.prototype.toLowerCase)
export const stringIsWellFormed = uncurry(String.prototype.isWellFormed)
export const numberToString = uncurry(Number.prototype.toString)
export const fromCharCode = String.fromCharCode
export const toText = String
export const toNumber = Number
export const arrayJoin = uncurry(Array.prototype.join)
export const arraySlice = uncurry(Array.prototype.slice)
export const arrayIsArray = Array.isArray

export const NativeArrayBuffer = ArrayBuffer
export const NativeUint8Array = Uint8Array
export const NativeUint32Array = Uint32Array
export const arrayBufferIsView = ArrayBuffer.isView
export const arrayBufferByteLength = getter<ArrayBuffer, number>(ArrayBuffer.prototype, 'byteLength')
export const typedArraySet = uncurry(TypedArrayPrototype.set as (this: Uint8Array, source: ArrayLike<number>, offset?: number) => void)
export const typedArrayCopyWithin = uncurry(TypedArrayPrototype.copyWithin as (this: Uint8Array, target: number, start: number, end: number) => Uint8Array)
export const typedArrayBuffer = getter<Uint8Array, ArrayBuffer>(TypedArrayPrototype, 'buffer')
export const typedArrayByteOffset = getter<Uint8Array, number>(TypedArrayPrototype, 'byteOffset')
export const typedArrayByteLength = getter<Uint8Array, number>(TypedArrayPrototype, 'byteLength')
export const typedArrayTag = getter<unknown, string | undefined>(TypedArrayPrototype, Symbol.toStringTag)
export const dataViewBuffer = getter<DataView, ArrayBuffer>(DataView.prototype, 'buffer')
export const dataViewByteOffset = getter<DataView, number>(DataView.prototype, 'byteOffset')
export const dataViewByteLength = getter<DataView, number>(DataView.prototype, 'byteLength')

export const NativeMap = Map
export const mapGet = uncurry(Map.prototype.get) as <K, V>(map: Map<K, V>, key: K) => V | undefined
export const mapSet = uncurry(Map.prototype.set) as <K, V>(map: Map<K, V>, key: K, value: V) => Map<K, V>
export const mapDelete = uncurry(Map.prototype.delete) as <K, V>(map: Map<K, V>, key: K) => boolean
export const mapHas = uncurry(Map.prototype.has) as <K, V>(map: Map<K, V>, key: K) => boolean
export const mapSize = getter<Map<unknown, unknown>, number>(Map.prototype, 'size')
export const mapForEach = uncurry(Map.prototype.forEach) as <K, V>(map: Map<K, V>, each: (value: V, key: K) => void) => void
export const NativeSet = Set
export const mapClear = uncurry(Map.prototype.clear) as (map: Map<unknown, unknown>) => void
export const mapEntries = uncurry(Map.prototype.entries) as <K, V>(map: Map<K, V>) => MapIterator<[K, V]>
export const mapKeys = uncurry(Map.prototype.keys) as <K, V>(map: Map<K, V>) => MapIterator<K>
export const mapValues = uncurry(Map.prototype.values) as <K, V>(map: Map<K, V>) => MapIterator<V>
export const setAdd = uncurry(Set.prototype.add) as <V>(set: Set<V>, value: V) => Set<V>
export const setClear = uncurry(Set.prototype.clear) as (set: Set<unknown>) => void
export const setEntries = uncurry(Set.prototype.entries) as <V>(set: Set<V>) => SetIterator<[V, V]>
export const setDelete = uncurry(Set.prototype.delete) as <V>(set: Set<V>, value: V) => boolean
export const setHas = uncurry(Set.prototype.has) as <V>(set: Set<V>, value: V) => boolean
export const setSize = getter<Set<unknown>, number>(Set.prototype, 'size')
export const setForEach = uncurry(Set.prototype.forEach) as <V>(set: Set<V>, each: (value: V) => void) => void
export const setValues = uncurry(Set.prototype.values) as <V>(set: Set<V>) => SetIterator<V>

export const NativeWeakMap = WeakMap
export const weakGet = uncurry(WeakMap.prototype.get) as <K extends object, V>(map: WeakMap<K, V>, key: unknown) => V | undefined
export const weakSet = uncurry(WeakMap.prototype.set) as <K extends object, V>(map: WeakMap<K, V>, key: K, value: V) => WeakMap<K, V>
export const weakDelete = uncurry(WeakMap.prototype.delete) as <K extends object>(map: WeakMap<K, unknown>, key: K) => boolean

export const now = Date.now
export const mathFloor = Math.floor
export const mathImul = Math.imul
export const mathMax = Math.max
export const mathMin = Math.min
export const jsonParse = JSON.parse
export const jsonStringify = JSON.stringify
export const isInteger = Number.isInteger
// oxlint-disable-next-line no-eval -- the functions of an app are evaluated with it, in their isolate
export const indirectEval = eval
export const NativeError = Error
export const NativeTypeError = TypeError
export const NativeRangeError = RangeError

/** The bytes from `start` to `end`. Not by the method of that name, which asks the buffer for its constructor, and that for its species. */
export function arrayBufferSlice(buffer: ArrayBuffer, start: number, end: number): ArrayBuffer {
  const copy = new NativeArrayBuffer(end - start)
  typedArraySet(new NativeUint8Array(copy), new NativeUint8Array(buffer, start, end - start))
  return copy
}

/** An array without a prototype: writing to any index of it can be seen by nobody. */
export function bareArray<T>(): T[] {
  return objectSetPrototypeOf([], null) as T[]
}

/** An object that inherits nothing: a key like `__proto__` is a key. */
export function bareObject<V>(): Record<string, V> {
  return objectCreate(null) as Record<string, V>
}

// For values/: what tells the kinds of objects apart, and takes them apart. Each of these throws for an object of another kind.
export const objectGetPrototypeOf = getPrototypeOf
export const objectGetOwnPropertyDescriptor = getOwnPropertyDescriptor
export const objectToString = uncurry(Object.prototype.toString)
export const toObject = Object
export const toBigInt = BigInt
export const bigintAsIntN = BigInt.asIntN
export const bigintToString = uncurry(BigInt.prototype.toString)
export const bigintValueOf = uncurry(BigInt.prototype.valueOf)
export const numberValueOf = uncurry(Number.prototype.valueOf)
export const stringValueOf = uncurry(String.prototype.valueOf)
export const booleanValueOf = uncurry(Boolean.prototype.valueOf)
export const dateGetTime = uncurry(Date.prototype.getTime)
export const NativeDate = Date
export const NativeRegExp = RegExp
export const regExpSource = getter<RegExp, string>(RegExp.prototype, 'source')
/** One for each flag, in the order of the bits that packages/shared/src/value-tags.ts gives them. */
export const regExpFlags = objectFreeze([
  getter<RegExp, boolean>(RegExp.prototype, 'hasIndices'),
  getter<RegExp, boolean>(RegExp.prototype, 'global'),
  getter<RegExp, boolean>(RegExp.prototype, 'ignoreCase'),
  getter<RegExp, boolean>(RegExp.prototype, 'multiline'),
  getter<RegExp, boolean>(RegExp.prototype, 'dotAll'),
  getter<RegExp, boolean>(RegExp.prototype, 'unicode'),
  getter<RegExp, boolean>(RegExp.prototype, 'unicodeSets'),
  getter<RegExp, boolean>(RegExp.prototype, 'sticky')
] as const)

// Of a regular expression only `exec` may be used (patterns.ts): all else of it looks things up.
export const regExpExec = uncurry(RegExp.prototype.exec)
export const regExpTest = (pattern: RegExp, text: string): boolean => regExpExec(pattern, text) !== null
export const NativePromise = Promise
export const NativeSymbol = Symbol
export const symbolIterator = Symbol.iterator
export const symbolToStringTag = Symbol.toStringTag
export const symbolToPrimitive = Symbol.toPrimitive
export const symbolToString = uncurry(Symbol.prototype.toString)
export const symbolValueOf = uncurry(Symbol.prototype.valueOf)
export const reflectGet = Reflect.get
export const objectIs = Object.is
export const objectPropertyIsEnumerable = uncurry(Object.prototype.propertyIsEnumerable)
export const functionToString = uncurry(Function.prototype.toString)
export const errorToString = uncurry(Error.prototype.toString)
export const dateToISOString = uncurry(Date.prototype.toISOString)
export const dateToUTCString = uncurry(Date.prototype.toUTCString)
export const arrayToSorted = uncurry(Array.prototype.toSorted) as <T>(list: T[], compare?: (a: T, b: T) => number) => T[]
export const stringNormalize = uncurry(String.prototype.normalize)
export const stringCodePointAt = uncurry(String.prototype.codePointAt)
export const stringRepeat = uncurry(String.prototype.repeat)
export const stringTrim = uncurry(String.prototype.trim)
export const stringTrimEnd = uncurry(String.prototype.trimEnd)
export const stringToUpperCase = uncurry(String.prototype.toUpperCase)
export const stringEndsWith = uncurry(String.prototype.endsWith)
export const stringIncludes = uncurry(String.prototype.includes)
export const mathCbrt = Math.cbrt
export const mathSqrt = Math.sqrt
export const mathRound = Math.round
export const mathTrunc = Math.trunc
export const numberIsFinite = Number.isFinite
export const numberParseInt = Number.parseInt
export const numberParseFloat = Number.parseFloat
export const typedArrayLength = getter<Uint8Array, number>(TypedArrayPrototype, 'length')
export const arrayBufferDetached = getter<ArrayBuffer, boolean>(ArrayBuffer.prototype, 'detached')
export const encodeComponent = encodeURIComponent
export const decodeComponent = decodeURIComponent


// For the classes of the web.
export const NativeUint16Array = Uint16Array
export const fromCodePoint = String.fromCodePoint
export const stringToWellFormed = uncurry(String.prototype.toWellFormed)
export const captureStackTrace = Error.captureStackTrace
export const symbolAsyncIterator = Symbol.asyncIterator
/** Whether it is a Date of V8's, whatever it says of itself. */
export function isDate(value: unknown): value is Date {
  try {
    dateGetTime(value as Date)
    return true
  } catch {
    return false
  }
}
export const symbolInspect = Symbol.for('nodejs.util.inspect.custom')

/** What V8 adds only when a snapshot is restored: taken once the isolate starts, before any code of its tenant runs. */
export let isNativeError: (value: unknown) => boolean = (value) => objectToString(value) === '[object Error]'
export function takeNewest(): void {
  const { isError } = Error as unknown as { isError?: (value: unknown) => boolean }
  if (isError !== undefined) isNativeError = isError
  base64Functions()
}

interface Base64Options { alphabet?: 'base64' | 'base64url'; omitPadding?: boolean; lastChunkHandling?: 'loose' }
interface Base64Functions {
  toBase64(bytes: Uint8Array, options?: Base64Options): string
  toHex(bytes: Uint8Array): string
  fromBase64(text: string): Uint8Array
  fromHex(text: string): Uint8Array
}

let base64: Base64Functions | undefined
export function base64Functions(): Base64Functions {
  if (base64 === undefined) {
    const { toBase64, toHex } = Uint8Array.prototype as unknown as { toBase64(options?: Base64Options): string; toHex(): string }
    const { fromBase64, fromHex } = Uint8Array as unknown as { fromBase64(text: string): Uint8Array; fromHex(text: string): Uint8Array }
    const to = uncurry<Uint8Array, [Base64Options?], string>(toBase64)
    const hex = uncurry<Uint8Array, [], string>(toHex)
    base64 = {
      toBase64: to,
      toHex: hex,
      fromBase64: (text) => apply(fromBase64, NativeUint8Array, [text]) as Uint8Array,
      fromHex: (text) => apply(fromHex, NativeUint8Array, [text]) as Uint8Array
    }
  }
  return base64
}

/**
 * A promise of ours, to be awaited: `await` asks a promise for its \`constructor\`, and would ask one of a tenant on Promise.prototype for it,
 * with our promise in its hands, and then call the `then` that is there.
 */
export function ours<T>(promise: Promise<T>): Promise<T> {
  defineProperty(promise, 'constructor', CONSTRUCTOR)
  return promise
}
const CONSTRUCTOR = objectFreeze({ __proto__: null, value: NativePromise } as unknown as PropertyDescriptor)

export interface Deferred<T> {
  promise: Promise<T>
  resolve(value: T | PromiseLike<T>): void
  reject(reason: unknown): void
}

/** As `Promise.withResolvers`, which a tenant may have replaced. */
export function deferred<T>(): Deferred<T> {
  const made = objectCreate(null) as Deferred<T>
  made.promise = new NativePromise<T>((resolve, reject) => {
    made.resolve = resolve
    made.reject = reject
  })
  return made
}

// For chunks (snapshot/chunks.ts), which are evaluated behind the code of tenants.
export const weakMapHas = uncurry(WeakMap.prototype.has) as (map: unknown, key: object) => boolean
export const weakSetHas = uncurry(WeakSet.prototype.has) as (set: unknown, value: object) => boolean
export const weakRefDeref = uncurry(WeakRef.prototype.deref) as (ref: unknown) => unknown
/** What the language itself has as globals. */
export const globalNames: readonly string[] = Object.getOwnPropertyNames(globalThis)
/** From which the iterators of arrays, Maps, Sets, texts and `matchAll` inherit. */
export const iteratorPrototypes = objectFreeze({
  array: getPrototypeOf([].values()) as object,
  map: getPrototypeOf(new Map().values()) as object,
  set: getPrototypeOf(new Set().values()) as object,
  string: getPrototypeOf(''[Symbol.iterator]()) as object,
  match: getPrototypeOf(''.matchAll(/./g)) as object
})
export const mapIteratorNext = uncurry((iteratorPrototypes.map as MapIterator<unknown>).next as (this: object) => { value: unknown })
export const setIteratorNext = uncurry((iteratorPrototypes.set as SetIterator<unknown>).next as (this: object) => { value: unknown })
/** By these names chunks find what was there before, whatever stands in its place now. */
export const natives = objectFreeze({
  globalThis, AggregateError, Array, ArrayBuffer, BigInt, BigInt64Array, BigUint64Array, Boolean, DataView, Date, Error, EvalError, FinalizationRegistry, Float32Array, Float64Array,
  Function, Int16Array, Int32Array, Int8Array, JSON, Map, Math, Number, Object, Promise, Proxy, RangeError, ReferenceError, Reflect, RegExp, Set, String, Symbol,
  SyntaxError, TypeError, URIError, Uint16Array, Uint32Array, Uint8Array, Uint8ClampedArray, WeakMap, WeakRef, WeakSet
})
