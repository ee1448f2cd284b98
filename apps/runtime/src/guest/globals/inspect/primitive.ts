/** Primitive values as `inspect` shows them. */
import { type Context, plural, stylize } from './context.ts'

// oxlint-disable-next-line no-control-regex
const ESCAPE = /[\x00-\x1f'\\\x7f-\x9f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
const SHORT: Record<string, string> = { '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '\\': '\\\\', "'": "\\'" }

function escape(character: string): string {
  const short = SHORT[character]
  if (short !== undefined) return short
  const code = character.charCodeAt(0)
  return code < 0x100 ? `\\x${code.toString(16).toUpperCase().padStart(2, '0')}` : `\\u${code.toString(16)}`
}

/** In single quotes, or in those that the text does not hold. */
export function quote(text: string): string {
  if (!text.includes("'")) return `'${text.replace(ESCAPE, escape)}'`
  const mark = !text.includes('"') ? '"' : !text.includes('`') && !text.includes('${') ? '`' : "'"
  return `${mark}${text.replace(ESCAPE, character => character === "'" && mark !== "'" ? character : escape(character))}${mark}`
}

export function formatNumber(value: number, separators: boolean): string {
  if (Object.is(value, -0)) return '-0'
  const text = String(value)
  if (!separators || !Number.isFinite(value) || text.includes('e')) return text
  const [whole, fraction] = text.split('.') as [string, string | undefined]
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, '_')
  return fraction === undefined ? grouped : `${grouped}.${fraction.replace(/\d{3}(?=\d)/g, '$&_')}`
}

export function formatBigint(value: bigint, separators: boolean): string {
  const text = String(value)
  return `${separators ? text.replace(/\B(?=(?:\d{3})+$)/g, '_') : text}n`
}

function formatString(context: Context, value: string): string {
  const most = Math.min(context.maxStringLength, Math.max(0, context.left))
  const cut = value.length > most
  const text = cut ? value.slice(0, most) : value
  const rest = value.length - text.length
  const trailer = cut ? `... ${rest} more character${plural(rest)}` : ''
  if (context.compact !== true && text.length > 16 && text.length > context.breakLength - context.indentation - 4) {
    const lines = text.split(/(?<=\n)/).map(line => stylize(context, quote(line), 'string'))
    return lines.join(` +\n${' '.repeat(context.indentation + 2)}`) + trailer
  }
  return stylize(context, quote(text), 'string') + trailer
}

export function formatPrimitive(context: Context, value: unknown): string {
  switch (typeof value) {
    case 'string': return formatString(context, value)
    case 'number': return stylize(context, formatNumber(value, context.numericSeparator), 'number')
    case 'bigint': return stylize(context, formatBigint(value, context.numericSeparator), 'bigint')
    case 'boolean': return stylize(context, String(value), 'boolean')
    case 'undefined': return stylize(context, 'undefined', 'undefined')
    case 'symbol': return stylize(context, symbolText(value), 'symbol')
    default: return stylize(context, 'null', 'null')
  }
}

// oxlint-disable-next-line no-control-regex
export const symbolText = (value: symbol): string => String(value).replace(/[\x00-\x1f\x7f-\x9f]/g, escape)
