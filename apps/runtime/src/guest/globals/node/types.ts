/** `util.types`, as far as plain JavaScript can tell: nothing in it tells a Proxy, so `isProxy` is absent. */
import { NativePromise, arrayBufferIsView, isNativeError, objectToString, substring } from '../../primordials.ts'
import { indexOf } from '../../lists.ts'

const { apply } = Reflect
const { getOwnPropertyDescriptor, getPrototypeOf } = Object
const getter = (prototype: object, name: PropertyKey): Function => getOwnPropertyDescriptor(prototype, name)!.get!

type Test = (value: unknown) => boolean

/** True for what `method` accepts as its `this`. */
const accepts = (method: Function, ...args: unknown[]): Test => value => {
  try {
    apply(method, value, args)
    return typeof value === 'object'
  } catch {
    return false
  }
}

const tagged = (...names: string[]): Test => value =>
  (typeof value === 'object' || typeof value === 'function') && value !== null && indexOf(names, tagOf(value)) >= 0

function tagOf(value: unknown): string {
  const text = objectToString(value)
  return substring(text, 8, text.length - 1)
}

const viewName = getter(getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag)
const view = (name: string): Test => value => apply(viewName, value, []) === name

const isNumberObject = accepts(Number.prototype.valueOf)
const isStringObject = accepts(String.prototype.valueOf)
const isBooleanObject = accepts(Boolean.prototype.valueOf)
const isBigIntObject = accepts(BigInt.prototype.valueOf)
const isSymbolObject = accepts(Symbol.prototype.valueOf)
const isArrayBuffer = accepts(getter(ArrayBuffer.prototype, 'byteLength'))

const regExpPrototype = RegExp.prototype
const hasSource = accepts(getter(RegExp.prototype, 'source'))

const views = ['Int8', 'Uint8', 'Uint8Clamped', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float16', 'Float32', 'Float64', 'BigInt64', 'BigUint64']

export const types: Record<string, Test> = {
  isAnyArrayBuffer: isArrayBuffer,
  isArgumentsObject: tagged('Arguments'),
  isArrayBuffer,
  isArrayBufferView: value => arrayBufferIsView(value),
  isAsyncFunction: tagged('AsyncFunction', 'AsyncGeneratorFunction'),
  isBigIntObject,
  isBooleanObject,
  isBoxedPrimitive: value => isNumberObject(value) || isStringObject(value) || isBooleanObject(value) || isBigIntObject(value) || isSymbolObject(value),
  isDataView: accepts(getter(DataView.prototype, 'buffer')),
  isDate: accepts(Date.prototype.getTime),
  isExternal: () => false,
  isGeneratorFunction: tagged('GeneratorFunction', 'AsyncGeneratorFunction'),
  isGeneratorObject: tagged('Generator'),
  isMap: accepts(getter(Map.prototype, 'size')),
  isMapIterator: tagged('Map Iterator'),
  isModuleNamespaceObject: tagged('Module'),
  isNativeError: value => isNativeError(value),
  isNumberObject,
  isPromise: value => value instanceof NativePromise,
  isRegExp: value => value !== regExpPrototype && hasSource(value),
  isSet: accepts(getter(Set.prototype, 'size')),
  isSetIterator: tagged('Set Iterator'),
  isSharedArrayBuffer: () => false,
  isStringObject,
  isSymbolObject,
  isTypedArray: value => apply(viewName, value, []) !== undefined,
  isWeakMap: accepts(WeakMap.prototype.has, {}),
  isWeakSet: accepts(WeakSet.prototype.has, {}),
  ...Object.fromEntries(views.map(name => [`is${name}Array`, view(`${name}Array`)]))
}
