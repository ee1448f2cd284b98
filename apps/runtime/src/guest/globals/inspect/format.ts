/** `util.format` (lib/internal/util/inspect.js, `formatWithOptionsInternal`). */
import { type Inspect, type InspectOptions, MAX_OUTPUT } from './context.ts'
import { formatBigint, formatNumber } from './primitive.ts'

const PLACEHOLDER = /%[sjdOoifc%]/g

export function formatArguments(args: unknown[], options: InspectOptions, inspect: Inspect): string {
  const { maxOutput = MAX_OUTPUT } = options
  const [first] = args
  if (args.length === 1 && typeof first === 'string') return cut(first, maxOutput)
  let used = 0
  let text = ''
  let left = maxOutput
  if (typeof first === 'string') {
    used = 1
    text = args.length === 1 ? first : first.replace(PLACEHOLDER, mark => {
      if (mark === '%%') return '%'
      if (used >= args.length) return mark
      const shown = left > 0 ? formatOne(mark, args[used], { ...options, maxOutput: left }, inspect) : '...'
      used++
      left -= shown.length
      return shown
    })
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

export const cut = (text: string, most: number): string => text.length > most ? `${text.slice(0, most)}... ${text.length - most} more characters` : text

function formatOne(mark: string, value: unknown, options: InspectOptions, inspect: Inspect): string {
  switch (mark) {
    case '%s': return formatText(value, options, inspect)
    case '%d': return typeof value === 'bigint' ? formatBigint(value, false) : typeof value === 'symbol' ? 'NaN' : formatNumber(Number(value), false)
    case '%i': return typeof value === 'bigint' ? formatBigint(value, false) : typeof value === 'symbol' ? 'NaN' : formatNumber(Number.parseInt(value as string, 10), false)
    case '%f': return typeof value === 'symbol' ? 'NaN' : formatNumber(Number.parseFloat(value as string), false)
    case '%j': return formatJson(value)
    case '%o': return inspect(value, { ...options, showHidden: true, showProxy: true, depth: 4 })
    case '%O': return inspect(value, options)
    default: return ''
  }
}

function formatText(value: unknown, options: InspectOptions, inspect: Inspect): string {
  if (typeof value === 'number') return formatNumber(value, false)
  if (typeof value === 'bigint') return formatBigint(value, false)
  if (typeof value !== 'object' || value === null || !hasBuiltInToString(value)) return String(value)
  return inspect(value, { ...options, depth: 0, colors: false, compact: 3 })
}

const BUILT_IN = new Set(Object.getOwnPropertyNames(globalThis).filter(name => /^[A-Z][A-Za-z\d]+$/.test(name)))

/** Objects that say something of their own in `toString` are asked; errors and dates are shown as `inspect` does. */
function hasBuiltInToString(value: object): boolean {
  if (Object.hasOwn(value, 'toString') || Object.hasOwn(value, Symbol.toPrimitive)) return false
  let at: object | null = value
  do at = Object.getPrototypeOf(at) as object | null
  while (at !== null && !Object.hasOwn(at, 'toString') && !Object.hasOwn(at, Symbol.toPrimitive))
  if (at === null) return true
  const constructor: unknown = Object.getOwnPropertyDescriptor(at, 'constructor')?.value
  return typeof constructor === 'function' && BUILT_IN.has(constructor.name)
}

function formatJson(value: unknown): string {
  try {
    return String(JSON.stringify(value))
  } catch (error) {
    if (error instanceof TypeError && error.message.includes('circular structure')) return '[Circular]'
    throw error
  }
}
