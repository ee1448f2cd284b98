/** Primitive values as `inspect` shows them. */
import { map, push, replaceUnits } from '../../lists.ts'
import { arrayJoin, bareArray, charCodeAt, mathMax, mathMin, numberIsFinite, numberToString, objectIs, stringIncludes, stringIndexOf, stringRepeat, stringToUpperCase, substring, symbolToString, toText } from '../../primordials.ts'
import { type Context, plural, stylize } from './context.ts'

const SHORT: Record<string, string> = { __proto__: null as never, 8: '\\b', 9: '\\t', 10: '\\n', 12: '\\f', 13: '\\r', 39: "\\'", 92: '\\\\' }

function escape(code: number): string {
  const short = SHORT[code]
  if (short !== undefined) return short
  if (code >= 0x100) return `\\u${numberToString(code, 16)}`
  const digits = stringToUpperCase(numberToString(code, 16))
  return `\\x${digits.length === 1 ? '0' : ''}${digits}`
}

const isControl = (code: number): boolean => code < 0x20 || (code >= 0x7f && code <= 0x9f)

/** Half of a surrogate pair. */
function isAlone(text: string, code: number, index: number): boolean {
  if (code < 0xd800 || code > 0xdfff) return false
  if (code < 0xdc00) return !(index + 1 < text.length && (charCodeAt(text, index + 1) & 0xfc00) === 0xdc00)
  return !(index > 0 && (charCodeAt(text, index - 1) & 0xfc00) === 0xd800)
}

/** In single quotes, or in those that the text does not hold. */
export function quote(text: string): string {
  const mark = !stringIncludes(text, "'") ? "'" : !stringIncludes(text, '"') ? '"' : !stringIncludes(text, '`') && !stringIncludes(text, '${') ? '`' : "'"
  const shown = replaceUnits(text, (code, index) => (isControl(code) || code === 0x5c || (code === 0x27 && mark === "'") || isAlone(text, code, index) ? escape(code) : null))
  return `${mark}${shown}${mark}`
}

/** With a `_` before each three digits from the right. */
function grouped(digits: string, negative: boolean): string {
  const sign = negative ? 1 : 0
  let text = ''
  for (let i = 0; i < digits.length; i++) text += (i > sign && (digits.length - i) % 3 === 0 ? '_' : '') + digits[i]!
  return text
}

export function formatNumber(value: number, separators: boolean): string {
  if (objectIs(value, -0)) return '-0'
  const text = toText(value)
  if (!separators || !numberIsFinite(value) || stringIncludes(text, 'e')) return text
  const dot = stringIndexOf(text, '.')
  const whole = grouped(dot < 0 ? text : substring(text, 0, dot), value < 0)
  if (dot < 0) return whole
  let fraction = ''
  for (let i = dot + 1; i < text.length; i++) fraction += (i > dot + 1 && (i - dot - 1) % 3 === 0 ? '_' : '') + text[i]!
  return `${whole}.${fraction}`
}

export function formatBigint(value: bigint, separators: boolean): string {
  const text = toText(value)
  return `${separators ? grouped(text, value < 0n) : text}n`
}

/** Each with the line break that ends it. */
function lines(text: string): string[] {
  const found = bareArray<string>()
  let from = 0
  for (let at = stringIndexOf(text, '\n'); at >= 0; at = stringIndexOf(text, '\n', from)) {
    push(found, substring(text, from, at + 1))
    from = at + 1
  }
  if (from < text.length) push(found, substring(text, from, text.length))
  return found
}

function formatString(context: Context, value: string): string {
  const most = mathMin(context.maxStringLength, mathMax(0, context.left))
  const cut = value.length > most
  const text = cut ? substring(value, 0, most) : value
  const rest = value.length - text.length
  const trailer = cut ? `... ${rest} more character${plural(rest)}` : ''
  if (context.compact !== true && text.length > 16 && text.length > context.breakLength - context.indentation - 4) {
    return arrayJoin(map(lines(text), line => stylize(context, quote(line), 'string')), ` +\n${stringRepeat(' ', context.indentation + 2)}`) + trailer
  }
  return stylize(context, quote(text), 'string') + trailer
}

export function formatPrimitive(context: Context, value: unknown): string {
  switch (typeof value) {
    case 'string': return formatString(context, value)
    case 'number': return stylize(context, formatNumber(value, context.numericSeparator), 'number')
    case 'bigint': return stylize(context, formatBigint(value, context.numericSeparator), 'bigint')
    case 'boolean': return stylize(context, toText(value), 'boolean')
    case 'undefined': return stylize(context, 'undefined', 'undefined')
    case 'symbol': return stylize(context, symbolText(value), 'symbol')
    default: return stylize(context, 'null', 'null')
  }
}

export const symbolText = (value: symbol): string => replaceUnits(symbolToString(value), (code) => (isControl(code) ? escape(code) : null))
