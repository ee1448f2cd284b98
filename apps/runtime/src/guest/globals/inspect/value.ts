/**
 * Objects as `inspect` shows them, after lib/internal/util/inspect.js (`formatValue`, `formatRaw`). What runs here of the tenant (getters, traps, `inspect.custom`) runs in the
 * tenant's own turn and can at most throw or loop there. Nothing of what is replaced on built-ins is called: a log has to work in an app that is broken.
 */
import { filter, indexOf, map, push, replaceAll } from '../../lists.ts'
import {
  NativeError, NativeSymbol, NativeUint8Array, arrayBufferByteLength, arrayBufferDetached, arrayIsArray, arrayToSorted, bareArray, bigintValueOf, booleanValueOf,
  dataViewBuffer, dataViewByteLength, dataViewByteOffset, dateGetTime, dateToISOString, mapEntries, mapGet, mapIteratorNext, mapSet, mapSize, mathMax, mathMin,
  numberValueOf, objectGetOwnPropertyDescriptor, objectHasOwn, objectKeys, objectPropertyIsEnumerable, objectToString, reflectApply, reflectGet, reflectOwnKeys,
  regExpFlags, regExpSource, regExpTest, setIteratorNext, setSize, setValues, stringRepeat, stringTrimEnd, stringValueOf, substring, symbolValueOf, toNumber,
  toText, typedArrayLength
} from '../../primordials.ts'
import { hexOf } from '../hex.ts'
import { types as publicTypes } from '../node/types.ts'
import { type Context, plural, stylize } from './context.ts'
import { errorBase } from './error.ts'
import { layOut, width, type Braces } from './layout.ts'
import { constructorName, functionBase, prefix, tagOf } from './names.ts'
import { formatPrimitive, quote, symbolText } from './primitive.ts'

export const CUSTOM = NativeSymbol.for('nodejs.util.inspect.custom')

const FLAGS = 'dgimsuvy'
/** Functions can change `util.types`. */
const types = { __proto__: null as never, ...publicTypes } as Record<string, (value: unknown) => boolean>

const isObject = (value: unknown): value is object => typeof value === 'function' || (typeof value === 'object' && value !== null)
const is = (name: string, value: object): boolean => types[name]!(value)

export function formatValue(context: Context, value: unknown, depth: number, inArray = false): string {
  if (!isObject(value)) return formatPrimitive(context, value)
  if (context.left <= 0) return '...'
  const custom = context.customInspect ? formatCustom(context, value, depth) : undefined
  if (custom !== undefined) return custom
  if (indexOf(context.seen, value) >= 0) {
    const number = mapGet(context.circular, value) ?? mapSize(context.circular) + 1
    mapSet(context.circular, value, number)
    return stylize(context, `[Circular *${number}]`, 'special')
  }
  return formatObject(context, value, depth, inArray)
}

function formatCustom(context: Context, value: object, depth: number): string | undefined {
  const custom: unknown = (value as Record<symbol, unknown>)[CUSTOM]
  if (typeof custom !== 'function' || custom === context.inspect) return undefined
  // A class's prototype has the method but is no instance.
  if ((value as { constructor?: Function }).constructor?.prototype === value) return undefined
  const left = context.depth - depth
  const style = (text: unknown, name: never): string => stylize(context, toText(text), name)
  const shown: unknown = reflectApply(custom, value, [left === Infinity ? null : left, { ...context.options, depth: left, maxOutput: context.left, stylize: style }, context.inspect])
  if (shown === value) return undefined
  if (typeof shown === 'object') return formatValue(context, shown, depth)
  const text = toText(shown)
  context.left -= text.length
  return replaceAll(text, '\n', `\n${stringRepeat(' ', context.indentation)}`)
}

/** What the kind of an object makes of it. */
interface Shape {
  braces: Braces
  base?: string
  /** Shown whole like this when no property follows. */
  bare?: string
  keys: PropertyKey[]
  isArray?: boolean
  entries?(depth: number): string[]
}

function formatObject(context: Context, value: object, depth: number, inArray: boolean): string {
  const constructor = constructorName(value)
  const tag = tagOf(value)
  const shape = shapeOf(context, value, constructor, tag, inArray)
  if (shape.bare !== undefined && shape.keys.length === 0) return shape.bare
  if (depth > context.depth) return stylize(context, `[${stringTrimEnd(prefix(constructor, tag, is('isNativeError', value) ? 'Error' : arrayIsArray(value) ? 'Array' : 'Object'))}]`, 'special')
  push(context.seen, value)
  context.currentDepth = depth
  const output = shape.entries?.(depth) ?? bareArray<string>()
  for (let i = 0; i < shape.keys.length; i++) {
    if (context.left <= 0) {
      const rest = shape.keys.length - i
      push(output, `... ${rest} more propert${rest > 1 ? 'ies' : 'y'}`)
      break
    }
    push(output, formatProperty(context, value, depth, shape.keys[i]!, shape.isArray === true))
  }
  context.seen.length--
  const number = mapGet(context.circular, value)
  const reference = number === undefined ? '' : stylize(context, `<ref *${number}>`, 'special')
  const { base: own = '', braces: { open, close } } = shape
  const inBraces = reference !== '' && context.compact === true
  const braces = inBraces ? { open: `${reference} ${open}`, close } : shape.braces
  const base = inBraces || reference === '' ? own : own === '' ? reference : `${reference} ${own}`
  return layOut(context, { output: sorted(context, output, shape.isArray === true), base, braces, isArray: shape.isArray === true, depth, value })
}

function sorted(context: Context, output: string[], isArray: boolean): string[] {
  if (context.sorted === false || isArray) return output
  return arrayToSorted(output, context.sorted === true ? undefined : context.sorted)
}

/** By tag: what tells a real one. */
const TESTS: Record<string, string> = {
  __proto__: null as never,
  'Set': 'isSet', 'Map': 'isMap', 'RegExp': 'isRegExp', 'Date': 'isDate', 'ArrayBuffer': 'isArrayBuffer', 'DataView': 'isDataView', 'Promise': 'isPromise', 'WeakSet': 'isWeakSet', 'WeakMap': 'isWeakMap',
  'Map Iterator': 'isMapIterator', 'Set Iterator': 'isSetIterator', 'Number': 'isNumberObject', 'String': 'isStringObject', 'Boolean': 'isBooleanObject', 'BigInt': 'isBigIntObject', 'Symbol': 'isSymbolObject',
  'Module': 'isModuleNamespaceObject'
}
const KINDS = objectKeys(TESTS)

/** What an object is by its slots. A failed test throws inside and costs microseconds, so the tag is asked first; only where it may lie, all are made. */
function kindOf(value: object, constructor: string | null): string {
  if (arrayIsArray(value)) return 'Array'
  if (typeof value === 'function') return 'Function'
  if (is('isTypedArray', value)) return 'TypedArray'
  const text = objectToString(value)
  const tag = substring(text, 8, text.length - 1)
  if (tag === 'Object' && constructor !== null) return 'Object'
  if (tag === 'Error' || value instanceof NativeError || is('isNativeError', value)) return 'Error'
  if (tag === 'Arguments' && constructor === 'Object' && is('isArgumentsObject', value)) return 'Arguments'
  const test = TESTS[tag]
  if (test !== undefined && is(test, value)) return tag
  for (let i = 0; i < KINDS.length; i++) if (is(TESTS[KINDS[i]!]!, value)) return KINDS[i]!
  return 'Object'
}

function shapeOf(context: Context, value: object, constructor: string | null, tag: string, inArray: boolean): Shape {
  const keys = keysOf(context, value)
  const kind = kindOf(value, constructor)
  const before = (): string => prefix(constructor, tag, kind)
  const braces = (): Braces => ({ open: `${before()}{`, close: '}' })
  switch (kind) {
    case 'Array': return arrayShape(context, value as unknown[], constructor, tag, keys)
    case 'Function': return based(keys, stylize(context, functionBase(value as Function, constructor, tag), 'special'))
    case 'TypedArray': return typedArrayShape(context, value as Uint8Array, constructor, tag, keys)
    case 'Set': return collection(context, value as Set<unknown>, setSize(value as Set<unknown>), prefix(constructor, tag, kind, `(${setSize(value as Set<unknown>)})`), keys, formatSet)
    case 'Map': return collection(context, value as Map<unknown, unknown>, mapSize(value as Map<unknown, unknown>), prefix(constructor, tag, kind, `(${mapSize(value as Map<unknown, unknown>)})`), keys, formatMap)
    case 'Map Iterator':
    case 'Set Iterator': return { braces: { open: `[${tag}] {`, close: '}' }, keys, bare: `Object [${tag}] {}` }
    case 'Arguments': return { braces: { open: '[Arguments] {', close: '}' }, keys, bare: '[Arguments] {}' }
    case 'RegExp': return based(keys, stylize(context, withPrefix(regExpText(value as RegExp), kind, constructor, tag), 'regexp'))
    case 'Date': return based(keys, stylize(context, withPrefix(dateText(value as Date), kind, constructor, tag), 'date'))
    case 'Error': return based(keys, errorBase(context, value as Error, constructor, keys))
    case 'ArrayBuffer': return bufferShape(context, value as ArrayBuffer, before(), keys, inArray)
    case 'DataView': return { braces: braces(), keys, entries: depth => viewEntries(context, value as DataView, depth) }
    // V8 tells nobody but the debugger what a promise holds.
    case 'Promise': return { braces: braces(), keys, bare: `${before()}{}` }
    case 'WeakSet':
    case 'WeakMap': return { braces: braces(), keys, entries: () => listOf(stylize(context, '<items unknown>', 'special')) }
    case 'Module': return { braces: braces(), keys }
    case 'Object': return plainShape(constructor, tag, keys)
    default: return boxedShape(context, value, kind, constructor, tag, keys)
  }
}

function listOf(...items: string[]): string[] {
  return map(items, item => item)
}

function arrayShape(context: Context, value: unknown[], constructor: string | null, tag: string, all: PropertyKey[]): Shape {
  const before = constructor !== 'Array' || tag !== '' ? prefix(constructor, tag, 'Array', `(${value.length})`) : ''
  const keys = filter(all, key => !isIndex(key))
  const shape: Shape = { braces: { open: `${before}[`, close: ']' }, keys, isArray: true, entries: depth => formatArray(context, value, depth) }
  return value.length === 0 ? { ...shape, bare: `${before}[]` } : shape
}

const INDEX = /^(?:0|[1-9]\d{0,9})$/
const isIndex = (key: PropertyKey): boolean => typeof key === 'string' && regExpTest(INDEX, key) && toNumber(key) < 2 ** 32 - 1

function typedArrayShape(context: Context, value: Uint8Array, constructor: string | null, tag: string, all: PropertyKey[]): Shape {
  const length = typedArrayLength(value)
  const before = prefix(constructor, tag, tag, `(${length})`)
  const keys = filter(all, key => !isIndex(key))
  const shape: Shape = {
    braces: { open: `${before}[`, close: ']' }, keys, isArray: true,
    entries: () => limited(context, length, index => formatPrimitive(context, value[index]), 'item')
  }
  return length === 0 ? { ...shape, bare: `${before}[]` } : shape
}

type Show<T> = (context: Context, value: T, depth: number) => string[]

function collection<T>(context: Context, value: T, size: number, before: string, keys: PropertyKey[], show: Show<T>): Shape {
  const shape: Shape = { braces: { open: `${before}{`, close: '}' }, keys, entries: depth => show(context, value, depth) }
  return size === 0 ? { ...shape, bare: `${before}{}` } : shape
}

function plainShape(constructor: string | null, tag: string, keys: PropertyKey[]): Shape {
  const before = constructor === 'Object' && tag === '' ? '' : prefix(constructor, tag, 'Object')
  return { braces: { open: `${before}{`, close: '}' }, keys, bare: `${before}{}` }
}

const based = (keys: PropertyKey[], base: string): Shape => ({ braces: { open: '{', close: '}' }, base, bare: base, keys })

const withPrefix = (text: string, kind: string, constructor: string | null, tag: string): string => {
  const before = prefix(constructor, tag, kind)
  return before === `${kind} ` ? text : `${before}${text}`
}

function dateText(value: Date): string {
  const time = dateGetTime(value)
  return time !== time ? 'Invalid Date' : dateToISOString(value)
}

function regExpText(value: RegExp): string {
  let flags = ''
  for (let i = 0; i < FLAGS.length; i++) if (regExpFlags[i]!(value)) flags += FLAGS[i]
  return `/${regExpSource(value)}/${flags}`
}

const PRIMITIVE_OF: Record<string, (value: never) => unknown> = {
  __proto__: null as never, Number: numberValueOf, String: stringValueOf, Boolean: booleanValueOf, BigInt: bigintValueOf, Symbol: symbolValueOf
}
const STYLE_OF = { __proto__: null as never, Number: 'number', String: 'string', Boolean: 'boolean', BigInt: 'bigint', Symbol: 'symbol' } as unknown as Record<string, 'number'>

function boxedShape(context: Context, value: object, kind: string, constructor: string | null, tag: string, keys: PropertyKey[]): Shape {
  const primitive = PRIMITIVE_OF[kind]!(value as never)
  const named = kind === constructor ? '' : constructor === null ? ' (null prototype)' : ` (${constructor})`
  const plain = formatPrimitive({ ...context, colors: false, compact: true }, primitive)
  const base = `[${kind}${named}: ${plain}]${tag !== '' && tag !== constructor ? ` [${tag}]` : ''}`
  const rest = kind === 'String' ? filter(keys, key => !isIndex(key) && key !== 'length') : keys
  return based(rest, stylize(context, base, STYLE_OF[kind]!))
}

function bufferShape(context: Context, value: ArrayBuffer, before: string, keys: PropertyKey[], inArray: boolean): Shape {
  const length = arrayBufferByteLength(value)
  const byteLength = formatSlot(context, 'byteLength', length, 0)
  const braces = { open: `${before}{`, close: '}' }
  if (arrayBufferDetached(value)) return { braces, keys, entries: () => listOf('(detached)', byteLength) }
  if (inArray) return { braces, keys, entries: () => listOf(byteLength) }
  const shown = mathMin(context.maxArrayLength, length)
  const rest = length - shown
  const more = rest > 0 ? ` ... ${rest} more byte${plural(rest)}` : ''
  return { braces, keys, entries: () => listOf(`${stylize(context, '[Uint8Contents]', 'special')}: <${hexOf(new NativeUint8Array(value), shown)}${more}>`, byteLength) }
}

function viewEntries(context: Context, value: DataView, depth: number): string[] {
  return listOf(
    formatSlot(context, 'byteLength', dataViewByteLength(value), depth),
    formatSlot(context, 'byteOffset', dataViewByteOffset(value), depth),
    formatSlot(context, 'buffer', dataViewBuffer(value), depth)
  )
}

/** What no own property holds but Node shows like one. */
const formatSlot = (context: Context, name: string, value: unknown, depth: number): string =>
  `${stylize(context, `[${name}]`, 'string')}: ${indented(context, () => formatValue(context, value, depth + 1))}`

/** At most `maxArrayLength` of `count` items, then how many there are more. */
function limited(context: Context, count: number, show: (index: number) => string, word: string): string[] {
  const output = bareArray<string>()
  const most = mathMin(mathMax(0, context.maxArrayLength), count)
  let index = 0
  for (; index < most && context.left > 0; index++) push(output, show(index))
  if (index < count) push(output, `... ${count - index} more ${word}${plural(count - index)}`)
  return output
}

/** Runs of holes count as one item. */
function formatArray(context: Context, value: unknown[], depth: number): string[] {
  const output = bareArray<string>()
  const most = mathMin(mathMax(0, context.maxArrayLength), value.length)
  let index = 0
  while (index < value.length && output.length < most && context.left > 0) {
    if (objectHasOwn(value, index)) {
      push(output, formatItem(context, value, depth, index++))
      continue
    }
    const next = nextIndex(value, index)
    const holes = next - index
    push(output, stylize(context, `<${holes} empty item${plural(holes)}>`, 'undefined'))
    index = next
  }
  const rest = value.length - index
  if (rest > 0) push(output, `... ${rest} more item${plural(rest)}`)
  return output
}

/** Near holes are counted; in a long row of them the keys are asked, or an array of a thousand million holes would take for ever. */
function nextIndex(value: unknown[], from: number): number {
  for (let index = from; index < value.length && index < from + 1000; index++) if (objectHasOwn(value, index)) return index
  if (value.length <= from + 1000) return value.length
  const keys = objectKeys(value)
  for (let i = 0; i < keys.length; i++) if (isIndex(keys[i]!) && toNumber(keys[i]) >= from) return toNumber(keys[i])
  return value.length
}

function formatItem(context: Context, value: object, depth: number, key: PropertyKey): string {
  return formatDescribed(context, value, depth, objectGetOwnPropertyDescriptor(value, key) ?? { value: reflectGet(value, key) }, arrayIsArray(value))
}

function formatSet(context: Context, value: Set<unknown>, depth: number): string[] {
  const items = setValues(value)
  return indented(context, () => limited(context, setSize(value), () => formatValue(context, setIteratorNext(items).value, depth + 1), 'item'))
}

function formatMap(context: Context, value: Map<unknown, unknown>, depth: number): string[] {
  const items = mapEntries(value)
  const show = (): string => {
    const entry = mapIteratorNext(items).value as [unknown, unknown]
    return `${formatValue(context, entry[0], depth + 1)} => ${formatValue(context, entry[1], depth + 1)}`
  }
  return indented(context, () => limited(context, mapSize(value), show, 'item'))
}

function indented<T>(context: Context, run: () => T): T {
  context.indentation += 2
  const result = run()
  context.indentation -= 2
  return result
}

function keysOf(context: Context, value: object): PropertyKey[] {
  const keys = reflectOwnKeys(value)
  return filter(keys, context.showHidden ? () => true : key => objectPropertyIsEnumerable(value, key))
}

function formatProperty(context: Context, value: object, depth: number, key: PropertyKey, ofArray: boolean): string {
  const descriptor = objectGetOwnPropertyDescriptor(value, key) ?? { value: reflectGet(value, key) as unknown, enumerable: true }
  // With `compact: true` a long value begins on a line of its own, one column further in.
  const own = context.compact === true && !ofArray
  if (own) context.indentation++
  const shown = formatDescribed(context, value, depth, descriptor, false)
  const gap = own && context.breakLength < width(shown) ? `\n${stringRepeat(' ', context.indentation + 2)}` : ' '
  if (own) context.indentation--
  return `${formatKey(context, key, descriptor.enumerable !== false)}:${gap}${shown}`
}

const NAME = /^[a-zA-Z_]\w*$/

function formatKey(context: Context, key: PropertyKey, enumerable: boolean): string {
  if (typeof key === 'symbol') return enumerable ? stylize(context, symbolText(key), 'symbol') : `[${stylize(context, symbolText(key), 'symbol')}]`
  const name = toText(key)
  const shown = name === '__proto__' ? "['__proto__']" : regExpTest(NAME, name) ? stylize(context, name, 'name') : stylize(context, quote(name), 'string')
  return enumerable ? shown : `[${shown}]`
}

function formatDescribed(context: Context, value: object, depth: number, { value: item, get, set }: PropertyDescriptor, inArray: boolean): string {
  if (get === undefined && set === undefined) return indented(context, () => formatValue(context, item, depth + 1, inArray))
  const label = get === undefined ? 'Setter' : set === undefined ? 'Getter' : 'Getter/Setter'
  const { getters } = context
  const shown = get !== undefined && (getters === true || (getters === 'get' && set === undefined) || (getters === 'set' && set !== undefined))
  if (!shown) return stylize(context, `[${label}]`, 'special')
  try {
    const result: unknown = reflectApply(get, value, [])
    const text = indented(context, () => formatValue(context, result, depth + 1))
    return isObject(result) ? `${stylize(context, `[${label}]`, 'special')} ${text}` : `${stylize(context, `[${label}:`, 'special')} ${text}${stylize(context, ']', 'special')}`
  } catch (error) {
    return stylize(context, `[${label}: <Inspection threw (${toText((error as Error | null)?.message)})>]`, 'special')
  }
}
