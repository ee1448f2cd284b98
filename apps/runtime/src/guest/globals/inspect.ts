/**
 * `util.inspect` and `util.format`, in the shape that Node gives (written after lib/internal/util/inspect.js). npm node-inspect-extracted, Node's own code, costs 530 KB and
 * more than a millisecond in each isolate, for it brings copies of all built-ins. And Node bounds strings, arrays and depth but not the whole: a tenant could log an object of a million keys.
 */
import { contextOf, defaults, type InspectOptions, MAX_OUTPUT } from './inspect/context.ts'
import { cut, formatArguments } from './inspect/format.ts'
import { CUSTOM, formatValue } from './inspect/value.ts'
import { stripColors } from './inspect/layout.ts'
import { objectAssign } from '../primordials.ts'

export type { InspectOptions } from './inspect/context.ts'

interface InspectFunction {
  (value: unknown, options?: InspectOptions | boolean, depth?: number | null, colors?: boolean): string
  custom: symbol
  defaultOptions: object
}

function inspectValue(value: unknown, options?: InspectOptions | boolean, depth?: number | null, colors?: boolean): string {
  // inspect(value, showHidden, depth, colors) is the form of old.
  const given: InspectOptions = typeof options === 'object' && options !== null
    ? options
    : { showHidden: options === true, ...(depth === undefined ? {} : { depth }), ...(colors === undefined ? {} : { colors }) }
  const context = contextOf(given, inspect)
  return cut(formatValue(context, value, 0), given.maxOutput ?? MAX_OUTPUT)
}

export const inspect: InspectFunction = objectAssign(inspectValue, { custom: CUSTOM, defaultOptions: defaults })

export const formatWithOptions = (options: InspectOptions, ...args: unknown[]): string => formatArguments(args, options, inspect)

export const format = (...args: unknown[]): string => formatArguments(args, {}, inspect)

export const stripVTControlCharacters = (text: string): string => stripColors(text)
