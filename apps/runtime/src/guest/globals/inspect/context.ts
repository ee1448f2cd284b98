/** What one call of `inspect` carries down through a value. */
import { NativeMap, bareArray } from '../../primordials.ts'

export interface InspectOptions {
  depth?: number | null
  maxStringLength?: number | null
  maxArrayLength?: number | null
  breakLength?: number
  compact?: boolean | number
  colors?: boolean
  showHidden?: boolean
  customInspect?: boolean
  sorted?: boolean | ((a: string, b: string) => number)
  getters?: boolean | 'get' | 'set'
  numericSeparator?: boolean
  showProxy?: boolean
  /** Characters of output after which the rest is left out; Node has no such bound, a log must. */
  maxOutput?: number
}

export type Style = 'special' | 'number' | 'bigint' | 'boolean' | 'undefined' | 'null' | 'string' | 'symbol' | 'date' | 'regexp' | 'module' | 'name'
export type Inspect = (value: unknown, options?: InspectOptions) => string

export interface Context {
  depth: number
  maxStringLength: number
  maxArrayLength: number
  breakLength: number
  compact: boolean | number
  colors: boolean
  showHidden: boolean
  customInspect: boolean
  sorted: boolean | ((a: string, b: string) => number)
  getters: boolean | 'get' | 'set'
  numericSeparator: boolean
  indentation: number
  /** Depth of the object that was entered last: an object with few levels below it goes on one line. */
  currentDepth: number
  seen: object[]
  /** Numbers of the objects that something below refers back to. */
  circular: Map<object, number>
  /** Characters that may still come. */
  left: number
  options: InspectOptions
  inspect: Inspect
}

/** A line of log that is longer helps nobody. */
export const MAX_OUTPUT = 256 * 1024

/** lib/internal/util/inspect.js, `inspectDefaultOptions`. */
export const defaults = {
  showHidden: false, depth: 2, colors: false, customInspect: true, showProxy: false, maxArrayLength: 100, maxStringLength: 10_000, breakLength: 80,
  compact: 3 as boolean | number, sorted: false as InspectOptions['sorted'], getters: false as InspectOptions['getters'], numericSeparator: false
}

const unbounded = (value: number | null | undefined, otherwise: number): number => value === undefined ? otherwise : value ?? Infinity

export function contextOf(options: InspectOptions, inspect: Inspect): Context {
  const { depth, maxStringLength, maxArrayLength, maxOutput = MAX_OUTPUT } = options
  const { breakLength = defaults.breakLength, compact = defaults.compact, colors = false, showHidden = false, customInspect = true } = options
  const { sorted = false, getters = false, numericSeparator = false } = options
  return {
    depth: unbounded(depth, defaults.depth),
    maxStringLength: unbounded(maxStringLength, defaults.maxStringLength),
    maxArrayLength: unbounded(maxArrayLength, defaults.maxArrayLength),
    breakLength, compact, colors, showHidden, customInspect, sorted, getters, numericSeparator,
    indentation: 0, currentDepth: 0, seen: bareArray(), circular: new NativeMap(), left: maxOutput, options, inspect
  }
}

const CODES: Record<Style, readonly [number, number] | undefined> = {
  special: [36, 39], number: [33, 39], bigint: [33, 39], boolean: [33, 39], undefined: [90, 39], null: [1, 22], string: [32, 39], symbol: [32, 39],
  date: [35, 39], regexp: [31, 39], module: [4, 24], name: undefined
}

/** Every piece of output passes here: it is counted, and coloured when asked. */
export function stylize(context: Context, text: string, style: Style): string {
  context.left -= text.length
  const codes = context.colors ? CODES[style] : undefined
  return codes === undefined ? text : `\x1b[${codes[0]}m${text}\x1b[${codes[1]}m`
}

export const plural = (count: number): string => count > 1 ? 's' : ''
