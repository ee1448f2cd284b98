/**
 * Objects as `inspect` shows them, after lib/internal/util/inspect.js (`formatValue`, `formatRaw`). What runs here of the tenant (getters, traps, `inspect.custom`) runs in the
 * tenant's own turn and can at most throw or loop there.
 */
import { type Context, plural, stylize } from './context.ts'
import { codecOf } from '../encodings.ts'
import { constructorName, functionBase, prefix, tagOf } from './names.ts'
import { errorBase } from './error.ts'
import { formatPrimitive, quote, symbolText } from './primitive.ts'
import { layOut, width } from './layout.ts'
import { types } from '../node/types.ts'

export const CUSTOM = Symbol.for('nodejs.util.inspect.custom')

const { apply, ownKeys } = Reflect
const { getOwnPropertyDescriptor, prototype: { propertyIsEnumerable, toString } } = Object

const isObject = (value: unknown): value is object => typeof value === 'function' || (typeof value === 'object' && value !== null)
const is = (name: string, value: object): boolean => types[name]!(value)

export function formatValue(context: Context, value: unknown, depth: number, inArray = false): string {
  if (!isObject(value)) return formatPrimitive(context, value)
  if (context.left <= 0) return '...'
  const custom = context.customInspect ? formatCustom(context, value, depth) : undefined
  if (custom !== undefined) return custom
  if (context.seen.includes(value)) {
    const number = context.circular.get(value) ?? context.circular.size + 1
    context.circular.set(value, number)
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
  const style = (text: unknown, name: never): string => stylize(context, String(text), name)
  const shown: unknown = apply(custom, value, [left === Infinity ? null : left, { ...context.options, depth: left, maxOutput: context.left, stylize: style }, context.inspect])
  if (shown === value) return undefined
  if (typeof shown === 'object') return formatValue(context, shown, depth)
  const text = String(shown)
  context.left -= text.length
  return text.replaceAll('\n', `\n${' '.repeat(context.indentation)}`)
}

/** What the kind of an object makes of it. */
interface Shape {
  braces: readonly [string, string]
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
  if (depth > context.depth) return stylize(context, `[${prefix(constructor, tag, is('isNativeError', value) ? 'Error' : Array.isArray(value) ? 'Array' : 'Object').trimEnd()}]`, 'special')
  context.seen.push(value)
  context.currentDepth = depth
  const output = shape.entries?.(depth) ?? []
  for (const [index, key] of shape.keys.entries()) {
    if (context.left <= 0) {
      const rest = shape.keys.length - index
      output.push(`... ${rest} more propert${rest > 1 ? 'ies' : 'y'}`)
      break
    }
    output.push(formatProperty(context, value, depth, key, shape.isArray === true))
  }
  context.seen.pop()
  const number = context.circular.get(value)
  const reference = number === undefined ? '' : stylize(context, `<ref *${number}>`, 'special')
  const { base: own = '', braces: [open, close] } = shape
  const braces = reference !== '' && context.compact === true ? [`${reference} ${open}`, close] as const : shape.braces
  const base = braces === shape.braces ? [reference, own].filter(part => part !== '').join(' ') : own
  return layOut(context, { output: sorted(context, output, shape.isArray === true), base, braces, isArray: shape.isArray === true, depth, value })
}

function sorted(context: Context, output: string[], isArray: boolean): string[] {
  if (context.sorted === false || isArray) return output
  return output.toSorted(context.sorted === true ? undefined : context.sorted)
}

/** By tag: what tells a real one. */
const TESTS: Record<string, string> = {
  __proto__: null as never,
  'Set': 'isSet', 'Map': 'isMap', 'RegExp': 'isRegExp', 'Date': 'isDate', 'ArrayBuffer': 'isArrayBuffer', 'DataView': 'isDataView', 'Promise': 'isPromise', 'WeakSet': 'isWeakSet', 'WeakMap': 'isWeakMap',
  'Map Iterator': 'isMapIterator', 'Set Iterator': 'isSetIterator', 'Number': 'isNumberObject', 'String': 'isStringObject', 'Boolean': 'isBooleanObject', 'BigInt': 'isBigIntObject', 'Symbol': 'isSymbolObject',
  'Module': 'isModuleNamespaceObject'
}

/** What an object is by its slots. A failed test throws inside and costs microseconds, so the tag is asked first; only where it may lie, all are made. */
function kindOf(value: object, constructor: string | null): string {
  if (Array.isArray(value)) return 'Array'
  if (typeof value === 'function') return 'Function'
  if (is('isTypedArray', value)) return 'TypedArray'
  const tag: string = apply(toString, value, []).slice(8, -1)
  if (tag === 'Object' && constructor !== null) return 'Object'
  if (tag === 'Error' || value instanceof Error || is('isNativeError', value)) return 'Error'
  if (tag === 'Arguments' && constructor === 'Object' && is('isArgumentsObject', value)) return 'Arguments'
  const test = TESTS[tag]
  if (test !== undefined && is(test, value)) return tag
  return Object.keys(TESTS).find(kind => is(TESTS[kind]!, value)) ?? 'Object'
}

function shapeOf(context: Context, value: object, constructor: string | null, tag: string, inArray: boolean): Shape {
  const keys = keysOf(context, value)
  const kind = kindOf(value, constructor)
  const before = (): string => prefix(constructor, tag, kind)
  switch (kind) {
    case 'Array': return arrayShape(context, value as unknown[], constructor, tag, keys)
    case 'Function': return based(keys, stylize(context, functionBase(value as Function, constructor, tag), 'special'))
    case 'TypedArray': return typedArrayShape(context, value as Uint8Array, constructor, tag, keys)
    case 'Set': return collection(context, value as Set<unknown>, prefix(constructor, tag, kind, `(${(value as Set<unknown>).size})`), keys, formatSet)
    case 'Map': return collection(context, value as Map<unknown, unknown>, prefix(constructor, tag, kind, `(${(value as Map<unknown, unknown>).size})`), keys, formatMap)
    case 'Map Iterator':
    case 'Set Iterator': return { braces: [`[${tag}] {`, '}'], keys, bare: `Object [${tag}] {}` }
    case 'Arguments': return { braces: ['[Arguments] {', '}'], keys, bare: '[Arguments] {}' }
    case 'RegExp': return based(keys, stylize(context, withPrefix(String(RegExp.prototype.toString.call(value)), kind, constructor, tag), 'regexp'))
    case 'Date': return based(keys, stylize(context, withPrefix(dateText(value as Date), kind, constructor, tag), 'date'))
    case 'Error': return based(keys, errorBase(context, value as Error, constructor, keys))
    case 'ArrayBuffer': return bufferShape(context, value as ArrayBuffer, before(), keys, inArray)
    case 'DataView': return { braces: [`${before()}{`, '}'], keys, entries: depth => ['byteLength', 'byteOffset', 'buffer'].map(name => formatSlot(context, value, name, depth)) }
    // V8 tells nobody but the debugger what a promise holds.
    case 'Promise': return { braces: [`${before()}{`, '}'], keys, bare: `${before()}{}` }
    case 'WeakSet':
    case 'WeakMap': return { braces: [`${before()}{`, '}'], keys, entries: () => [stylize(context, '<items unknown>', 'special')] }
    case 'Module': return { braces: [`${before()}{`, '}'], keys }
    case 'Object': return plainShape(constructor, tag, keys)
    default: return boxedShape(context, value, kind, constructor, tag, keys)
  }
}

function arrayShape(context: Context, value: unknown[], constructor: string | null, tag: string, all: PropertyKey[]): Shape {
  const before = constructor !== 'Array' || tag !== '' ? prefix(constructor, tag, 'Array', `(${value.length})`) : ''
  const keys = all.filter(key => !isIndex(key))
  const shape: Shape = { braces: [`${before}[`, ']'], keys, isArray: true, entries: depth => formatArray(context, value, depth) }
  return value.length === 0 ? { ...shape, bare: `${before}[]` } : shape
}

const isIndex = (key: PropertyKey): boolean => typeof key === 'string' && /^(?:0|[1-9]\d{0,9})$/.test(key) && Number(key) < 2 ** 32 - 1

function typedArrayShape(context: Context, value: Uint8Array, constructor: string | null, tag: string, all: PropertyKey[]): Shape {
  const before = prefix(constructor, tag, tag, `(${value.length})`)
  const keys = all.filter(key => !isIndex(key))
  const shape: Shape = {
    braces: [`${before}[`, ']'], keys, isArray: true,
    entries: () => limited(context, value.length, index => formatPrimitive(context, value[index]), 'item')
  }
  return value.length === 0 ? { ...shape, bare: `${before}[]` } : shape
}

type Show<T> = (context: Context, value: T, depth: number) => string[]

function collection<T extends { size: number }>(context: Context, value: T, before: string, keys: PropertyKey[], show: Show<T>): Shape {
  const shape: Shape = { braces: [`${before}{`, '}'], keys, entries: depth => show(context, value, depth) }
  return value.size === 0 ? { ...shape, bare: `${before}{}` } : shape
}

function plainShape(constructor: string | null, tag: string, keys: PropertyKey[]): Shape {
  const before = constructor === 'Object' && tag === '' ? '' : prefix(constructor, tag, 'Object')
  return { braces: [`${before}{`, '}'], keys, bare: `${before}{}` }
}

const based = (keys: PropertyKey[], base: string): Shape => ({ braces: ['{', '}'], base, bare: base, keys })

const withPrefix = (text: string, kind: string, constructor: string | null, tag: string): string => {
  const before = prefix(constructor, tag, kind)
  return before === `${kind} ` ? text : `${before}${text}`
}

function dateText(value: Date): string {
  const time = Date.prototype.getTime.call(value)
  return Number.isNaN(time) ? 'Invalid Date' : new Date(time).toISOString()
}

function boxedShape(context: Context, value: object, kind: string, constructor: string | null, tag: string, keys: PropertyKey[]): Shape {
  const primitive: unknown = ({ Number, String, Boolean, BigInt, Symbol } as unknown as Record<string, { prototype: object }>)[kind]!.prototype.valueOf.call(value)
  const named = kind === constructor ? '' : constructor === null ? ' (null prototype)' : ` (${constructor})`
  const plain = formatPrimitive({ ...context, colors: false, compact: true }, primitive)
  const base = `[${kind}${named}: ${plain}]${tag !== '' && tag !== constructor ? ` [${tag}]` : ''}`
  const rest = kind === 'String' ? keys.filter(key => !isIndex(key) && key !== 'length') : keys
  return based(rest, stylize(context, base, kind.toLowerCase() as 'string'))
}

const hex = codecOf('hex')!

function bufferShape(context: Context, value: ArrayBuffer, before: string, keys: PropertyKey[], inArray: boolean): Shape {
  const byteLength = formatSlot(context, value, 'byteLength', 0)
  const braces = [`${before}{`, '}'] as const
  if (value.detached) return { braces, keys, entries: () => ['(detached)', byteLength] }
  if (inArray) return { braces, keys, entries: () => [byteLength] }
  const shown = Math.min(context.maxArrayLength, value.byteLength)
  const rest = value.byteLength - shown
  const bytes = hex.read(new Uint8Array(value), 0, shown).replace(/../g, '$& ').trim()
  const more = rest > 0 ? ` ... ${rest} more byte${plural(rest)}` : ''
  return { braces, keys, entries: () => [`${stylize(context, '[Uint8Contents]', 'special')}: <${bytes}${more}>`, byteLength] }
}

/** What no own property holds but Node shows like one. */
const formatSlot = (context: Context, value: object, name: string, depth: number): string =>
  `${stylize(context, `[${name}]`, 'string')}: ${indented(context, () => formatValue(context, Reflect.get(value, name), depth + 1))}`

/** At most `maxArrayLength` of `count` items, then how many there are more. */
function limited(context: Context, count: number, show: (index: number) => string, word: string): string[] {
  const output: string[] = []
  const most = Math.min(Math.max(0, context.maxArrayLength), count)
  let index = 0
  for (; index < most && context.left > 0; index++) output.push(show(index))
  if (index < count) output.push(`... ${count - index} more ${word}${plural(count - index)}`)
  return output
}

/** Runs of holes count as one item. */
function formatArray(context: Context, value: unknown[], depth: number): string[] {
  const output: string[] = []
  const most = Math.min(Math.max(0, context.maxArrayLength), value.length)
  let index = 0
  while (index < value.length && output.length < most && context.left > 0) {
    if (Object.hasOwn(value, index)) {
      output.push(formatItem(context, value, depth, index++))
      continue
    }
    const next = nextIndex(value, index)
    const holes = next - index
    output.push(stylize(context, `<${holes} empty item${plural(holes)}>`, 'undefined'))
    index = next
  }
  const rest = value.length - index
  if (rest > 0) output.push(`... ${rest} more item${plural(rest)}`)
  return output
}

/** Near holes are counted; in a long row of them the keys are asked, or an array of a thousand million holes would take for ever. */
function nextIndex(value: unknown[], from: number): number {
  for (let index = from; index < value.length && index < from + 1000; index++) if (Object.hasOwn(value, index)) return index
  if (value.length <= from + 1000) return value.length
  const next = Object.keys(value).find(key => isIndex(key) && Number(key) >= from)
  return next === undefined ? value.length : Number(next)
}

function formatItem(context: Context, value: object, depth: number, key: PropertyKey): string {
  return formatDescribed(context, value, depth, getOwnPropertyDescriptor(value, key) ?? { value: Reflect.get(value, key) }, Array.isArray(value))
}

function formatSet(context: Context, value: Set<unknown>, depth: number): string[] {
  const items = Set.prototype.values.call(value)
  return indented(context, () => limited(context, value.size, () => formatValue(context, items.next().value, depth + 1), 'item'))
}

function formatMap(context: Context, value: Map<unknown, unknown>, depth: number): string[] {
  const items = Map.prototype.entries.call(value)
  const show = (): string => {
    const [key, item] = items.next().value as [unknown, unknown]
    return `${formatValue(context, key, depth + 1)} => ${formatValue(context, item, depth + 1)}`
  }
  return indented(context, () => limited(context, value.size, show, 'item'))
}

function indented<T>(context: Context, run: () => T): T {
  context.indentation += 2
  const result = run()
  context.indentation -= 2
  return result
}

function keysOf(context: Context, value: object): PropertyKey[] {
  const keys = ownKeys(value)
  return context.showHidden ? keys : keys.filter(key => apply(propertyIsEnumerable, value, [key]))
}

function formatProperty(context: Context, value: object, depth: number, key: PropertyKey, ofArray: boolean): string {
  const descriptor = getOwnPropertyDescriptor(value, key) ?? { value: Reflect.get(value, key) as unknown, enumerable: true }
  // With `compact: true` a long value begins on a line of its own, one column further in.
  const own = context.compact === true && !ofArray
  if (own) context.indentation++
  const shown = formatDescribed(context, value, depth, descriptor, false)
  const gap = own && context.breakLength < width(shown) ? `\n${' '.repeat(context.indentation + 2)}` : ' '
  if (own) context.indentation--
  return `${formatKey(context, key, descriptor.enumerable !== false)}:${gap}${shown}`
}

function formatKey(context: Context, key: PropertyKey, enumerable: boolean): string {
  if (typeof key === 'symbol') return enumerable ? stylize(context, symbolText(key), 'symbol') : `[${stylize(context, symbolText(key), 'symbol')}]`
  const name = String(key)
  const shown = name === '__proto__' ? "['__proto__']" : /^[a-zA-Z_]\w*$/.test(name) ? stylize(context, name, 'name') : stylize(context, quote(name), 'string')
  return enumerable ? shown : `[${shown}]`
}

function formatDescribed(context: Context, value: object, depth: number, { value: item, get, set }: PropertyDescriptor, inArray: boolean): string {
  if (get === undefined && set === undefined) return indented(context, () => formatValue(context, item, depth + 1, inArray))
  const label = get === undefined ? 'Setter' : set === undefined ? 'Getter' : 'Getter/Setter'
  const { getters } = context
  const shown = get !== undefined && (getters === true || (getters === 'get' && set === undefined) || (getters === 'set' && set !== undefined))
  if (!shown) return stylize(context, `[${label}]`, 'special')
  try {
    const result: unknown = apply(get, value, [])
    const text = indented(context, () => formatValue(context, result, depth + 1))
    return isObject(result) ? `${stylize(context, `[${label}]`, 'special')} ${text}` : `${stylize(context, `[${label}:`, 'special')} ${text}${stylize(context, ']', 'special')}`
  } catch (error) {
    return stylize(context, `[${label}: <Inspection threw (${String((error as Error | null)?.message)})>]`, 'special')
  }
}
