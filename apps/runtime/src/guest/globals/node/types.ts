/** `util.types`, as far as plain JavaScript can tell: nothing in it tells a Proxy, so `isProxy` is absent. */
import { NativePromise, NativeRegExp, arrayBufferByteLength, arrayBufferIsView, bigintValueOf, booleanValueOf, dataViewBuffer, dateGetTime, isNativeError, mapSize, numberValueOf, objectToString, regExpSource, setSize, stringValueOf, substring, symbolValueOf, typedArrayTag, weakMapHas, weakSetHas } from '../../primordials.ts'
import { indexOf } from '../../lists.ts'

type Test = (value: unknown) => boolean

/** True for what this can be asked of. */
const accepts = (ask: (value: never) => unknown): Test => value => {
  try {
    ask(value as never)
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

const view = (name: string): Test => value => typedArrayTag(value) === name

const isNumberObject = accepts(numberValueOf)
const isStringObject = accepts(stringValueOf)
const isBooleanObject = accepts(booleanValueOf)
const isBigIntObject = accepts(bigintValueOf)
const isSymbolObject = accepts(symbolValueOf)
const isArrayBuffer = accepts(arrayBufferByteLength)

const regExpPrototype = NativeRegExp.prototype as unknown
const hasSource = accepts(regExpSource)

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
  isDataView: accepts(dataViewBuffer),
  isDate: accepts(dateGetTime),
  isExternal: () => false,
  isGeneratorFunction: tagged('GeneratorFunction', 'AsyncGeneratorFunction'),
  isGeneratorObject: tagged('Generator'),
  isMap: accepts(mapSize),
  isMapIterator: tagged('Map Iterator'),
  isModuleNamespaceObject: tagged('Module'),
  isNativeError: value => isNativeError(value),
  isNumberObject,
  isPromise: value => value instanceof NativePromise,
  isRegExp: value => value !== regExpPrototype && hasSource(value),
  isSet: accepts(setSize),
  isSetIterator: tagged('Set Iterator'),
  isSharedArrayBuffer: () => false,
  isStringObject,
  isSymbolObject,
  isTypedArray: value => typedArrayTag(value) !== undefined,
  isWeakMap: accepts(value => weakMapHas(value, {})),
  isWeakSet: accepts(value => weakSetHas(value, {}))
}
for (let i = 0; i < views.length; i++) types[`is${views[i]}Array`] = view(`${views[i]}Array`)
