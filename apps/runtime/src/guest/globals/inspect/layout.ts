/** One line or several, and columns for long arrays (lib/internal/util/inspect.js, `reduceToSingleString` and `groupArrayElements`). */
import type { Context } from './context.ts'

// oxlint-disable-next-line no-control-regex
export const stripColors = (text: string): string => text.includes('\x1b') ? text.replace(/\x1b(?:\[[\d;]*[A-Za-z]|\]8;[^\x07]*\x07)/g, '') : text

// oxlint-disable-next-line no-control-regex
const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text)
const WIDE = /[\u1100-\u115f\u231a\u231b\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u
const NARROW = /[\p{Mn}\p{Me}\p{Cf}\p{Cc}]/u

/** Columns on a terminal: East Asian characters take two. */
export function width(text: string): number {
  if (isAscii(text)) return text.length
  let columns = 0
  for (const character of stripColors(text).normalize('NFC')) columns += WIDE.test(character) ? 2 : NARROW.test(character) ? 0 : 1
  return columns
}

export interface Block {
  output: string[]
  /** What stands before the braces: a function's or an error's text. */
  base: string
  braces: readonly [open: string, close: string]
  isArray: boolean
  depth: number
  value: unknown
}

export function layOut(context: Context, block: Block): string {
  const { base, braces } = block
  const before = base === '' ? '' : `${base} `
  const indent = `\n${' '.repeat(context.indentation)}`
  if (context.compact === true) {
    if (fits(context, block.output, 0, base)) return `${braces[0]}${base === '' ? '' : ` ${base}`} ${block.output.join(', ')} ${braces[1]}`
    const line = base === '' && braces[0].length === 1 ? ' ' : `${base === '' ? '' : ` ${base}`}${indent}  `
    return `${braces[0]}${line}${block.output.join(`,${indent}  `)} ${braces[1]}`
  }
  const compact = Number(context.compact)
  let { output } = block
  if (compact >= 1) {
    const entries = output.length
    if (block.isArray && entries > 6) output = inColumns(context, output, block.value)
    if (context.currentDepth - block.depth < compact && entries === output.length) {
      const start = output.length + context.indentation + braces[0].length + base.length + 10
      const line = fits(context, output, start, base) ? output.join(', ') : '\n'
      if (!line.includes('\n')) return `${before}${braces[0]} ${line} ${braces[1]}`
    }
  }
  return `${before}${braces[0]}${indent}  ${output.join(`,${indent}  `)}${indent}${braces[1]}`
}

function fits(context: Context, output: string[], start: number, base: string): boolean {
  if (context.breakLength === Infinity) return ![base, ...output].some(item => item.includes('\n'))
  let total = output.length + start
  if (total + output.length > context.breakLength) return false
  for (const item of output) {
    total += context.colors ? stripColors(item).length : item.length
    if (total > context.breakLength) return false
  }
  return !base.includes('\n')
}

function inColumns(context: Context, output: string[], value: unknown): string[] {
  const more = context.maxArrayLength < output.length
  const count = more ? output.length - 1 : output.length
  const widths = output.slice(0, count).map(width)
  const total = widths.reduce((sum, item) => sum + item + 2, 0)
  const longest = Math.max(...widths)
  const most = longest + 2
  if (most * 3 + context.indentation >= context.breakLength || (total / most <= 5 && longest > 6)) return output
  const biased = Math.max(most - 3 - Math.sqrt(most - total / output.length), 1)
  const columns = Math.min(
    Math.round(Math.sqrt(2.5 * biased * count) / biased), Math.floor((context.breakLength - context.indentation) / most), Number(context.compact) * 4, 15
  )
  if (columns <= 1) return output
  const columnWidths = Array.from({ length: columns }, (_, column) => Math.max(...widths.filter((_item, index) => index % columns === column)) + 2)
  const numbers = value !== undefined && output.every((_, index) => ['number', 'bigint'].includes(typeof (value as unknown[])[index]))
  const lines: string[] = []
  for (let start = 0; start < count; start += columns) {
    const cells = output.slice(start, Math.min(start + columns, count))
    lines.push(cells.map((cell, column) => padded(cell, columnWidths[column]! - widths[start + column]!, column === cells.length - 1, numbers)).join(''))
  }
  if (more) lines.push(output[count]!)
  return lines
}

function padded(cell: string, room: number, last: boolean, right: boolean): string {
  const comma = last ? '' : ', '
  const spaces = ' '.repeat(Math.max(0, room - 2))
  return right ? `${spaces}${cell}${comma}` : last ? cell : `${cell}${comma}${spaces}`
}
