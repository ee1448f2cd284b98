/** `util.format` (lib/internal/util/inspect.js, `formatWithOptionsInternal`). */
import {
  NativeSet, NativeTypeError, globalNames, jsonStringify, numberParseFloat, numberParseInt, objectGetOwnPropertyDescriptor, objectGetPrototypeOf, objectHasOwn, setAdd, setHas, stringIncludes, stringIndexOf, substring,
  symbolToPrimitive, toNumber, toText
} from '../../primordials.ts'
import { matches } from '../../patterns.ts'
import { type Inspect, type InspectOptions, MAX_OUTPUT } from './context.ts'
import { formatBigint, formatNumber } from './primitive.ts'

const PLACEHOLDERS = 'sjdOoifc%'

export function formatArguments(args: unknown[], options: InspectOptions, inspect: Inspect): string {
  const { maxOutput = MAX_OUTPUT } = options
  const first = args[0]
  if (args.length === 1 && typeof first === 'string') return cut(first, maxOutput)
  let used = 0
  let text = ''
  let left = maxOutput
  if (typeof first === 'string') {
    const filled = fill(first, args, options, inspect, maxOutput)
    used = filled.used
    text = filled.text
    left = maxOutput - text.length
  }
  for (; used < args.length && left > 0; used++) {
    const value = args[used]
    const shown = typeof value === 'string' ? value : inspect(value, { ...options, maxOutput: left })
    text += used === 0 ? shown : ` ${shown}`
    left -= shown.length + 1
  }
  return cut(text, maxOutput)
}

/** The first argument with the next ones in its placeholders. `used`: how many arguments that were, itself among them. */
function fill(pattern: string, args: unknown[], options: InspectOptions, inspect: Inspect, maxOutput: number): { text: string; used: number } {
  let text = ''
  let used = 1
  let left = maxOutput
  let from = 0
  for (let at = stringIndexOf(pattern, '%'); at >= 0 && at + 1 < pattern.length; at = stringIndexOf(pattern, '%', at)) {
    const kind = pattern[at + 1]!
    at += 2
    if (stringIndexOf(PLACEHOLDERS, kind) < 0) {
      // Also the second of two signs may be the first of a placeholder.
      at--
      continue
    }
    if (kind !== '%' && used >= args.length) continue
    let shown = '%'
    if (kind !== '%') {
      shown = left > 0 ? formatOne(kind, args[used], { ...options, maxOutput: left }, inspect) : '...'
      used++
      left -= shown.length
    }
    text += substring(pattern, from, at - 2) + shown
    from = at
  }
  return { text: text + substring(pattern, from, pattern.length), used }
}

export const cut = (text: string, most: number): string => text.length > most ? `${substring(text, 0, most)}... ${text.length - most} more characters` : text

function formatOne(kind: string, value: unknown, options: InspectOptions, inspect: Inspect): string {
  switch (kind) {
    case 's': return formatText(value, options, inspect)
    case 'd': return typeof value === 'bigint' ? formatBigint(value, false) : typeof value === 'symbol' ? 'NaN' : formatNumber(toNumber(value), false)
    case 'i': return typeof value === 'bigint' ? formatBigint(value, false) : typeof value === 'symbol' ? 'NaN' : formatNumber(numberParseInt(value as string, 10), false)
    case 'f': return typeof value === 'symbol' ? 'NaN' : formatNumber(numberParseFloat(value as string), false)
    case 'j': return formatJson(value)
    case 'o': return inspect(value, { ...options, showHidden: true, showProxy: true, depth: 4 })
    case 'O': return inspect(value, options)
    default: return ''
  }
}

function formatText(value: unknown, options: InspectOptions, inspect: Inspect): string {
  if (typeof value === 'number') return formatNumber(value, false)
  if (typeof value === 'bigint') return formatBigint(value, false)
  if (typeof value !== 'object' || value === null || !hasBuiltInToString(value)) return toText(value)
  return inspect(value, { ...options, depth: 0, colors: false, compact: 3 })
}

const BUILT_IN = new NativeSet<string>()
for (let i = 0; i < globalNames.length; i++) if (matches(/^[A-Z][A-Za-z\d]+$/, globalNames[i]!)) setAdd(BUILT_IN, globalNames[i]!)

/** Objects that say something of their own in `toString` are asked; errors and dates are shown as `inspect` does. */
function hasBuiltInToString(value: object): boolean {
  if (objectHasOwn(value, 'toString') || objectHasOwn(value, symbolToPrimitive)) return false
  let at: object | null = value
  do at = objectGetPrototypeOf(at) as object | null
  while (at !== null && !objectHasOwn(at, 'toString') && !objectHasOwn(at, symbolToPrimitive))
  if (at === null) return true
  const constructor: unknown = objectGetOwnPropertyDescriptor(at, 'constructor')?.value
  return typeof constructor === 'function' && setHas(BUILT_IN, constructor.name)
}

function formatJson(value: unknown): string {
  try {
    return toText(jsonStringify(value))
  } catch (error) {
    if (error instanceof NativeTypeError && stringIncludes(error.message, 'circular structure')) return '[Circular]'
    throw error
  }
}
