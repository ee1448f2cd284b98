/** One line or several, and columns for long arrays (lib/internal/util/inspect.js, `reduceToSingleString` and `groupArrayElements`). */
import { push } from '../../lists.ts'
import {
  arrayJoin, bareArray, charCodeAt, mathFloor, mathMax, mathMin, mathRound, mathSqrt, regExpTest, stringCodePointAt, stringIncludes, stringIndexOf, stringNormalize, stringRepeat, substring, toNumber
} from '../../primordials.ts'
import type { Context } from './context.ts'

/** What `\x1b[…m` and links (`\x1b]8;…\x07`) are is left out. */
export function stripColors(text: string): string {
  let plain = ''
  let from = 0
  for (let at = stringIndexOf(text, '\x1b'); at >= 0; at = stringIndexOf(text, '\x1b', at + 1)) {
    const end = sequenceEnd(text, at)
    if (end < 0) continue
    plain += substring(text, from, at)
    from = end
    at = end - 1
  }
  return from === 0 ? text : plain + substring(text, from, text.length)
}

/** Where the sequence ends that begins here; -1 if it is none. */
function sequenceEnd(text: string, at: number): number {
  if (text[at + 1] === ']') {
    const end = text[at + 2] === '8' && text[at + 3] === ';' ? stringIndexOf(text, '\x07', at + 4) : -1
    return end < 0 ? -1 : end + 1
  }
  if (text[at + 1] !== '[') return -1
  let i = at + 2
  for (; i < text.length; i++) {
    const code = charCodeAt(text, i)
    if (!((code >= 0x30 && code <= 0x39) || code === 0x3b)) break
  }
  return i < text.length && regExpTest(LETTER, text[i]!) ? i + 1 : -1
}

const LETTER = /^[A-Za-z]/
const ASCII = /^[\x20-\x7e]*$/
const WIDE = /[\u1100-\u115f\u231a\u231b\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u
const NARROW = /[\p{Mn}\p{Me}\p{Cf}\p{Cc}]/u

/** Columns on a terminal: East Asian characters take two. */
export function width(text: string): number {
  if (regExpTest(ASCII, text)) return text.length
  const plain = stringNormalize(stripColors(text), 'NFC')
  let columns = 0
  for (let i = 0; i < plain.length; ) {
    const size = stringCodePointAt(plain, i)! > 0xffff ? 2 : 1
    const character = substring(plain, i, i + size)
    columns += regExpTest(WIDE, character) ? 2 : regExpTest(NARROW, character) ? 0 : 1
    i += size
  }
  return columns
}

export interface Block {
  output: string[]
  /** What stands before the braces: a function's or an error's text. */
  base: string
  braces: Braces
  isArray: boolean
  depth: number
  value: unknown
}

export interface Braces {
  open: string
  close: string
}

export function layOut(context: Context, block: Block): string {
  const { base, braces: { open, close } } = block
  const before = base === '' ? '' : `${base} `
  const indent = `\n${stringRepeat(' ', context.indentation)}`
  if (context.compact === true) {
    if (fits(context, block.output, 0, base)) return `${open}${base === '' ? '' : ` ${base}`} ${arrayJoin(block.output, ', ')} ${close}`
    const line = base === '' && open.length === 1 ? ' ' : `${base === '' ? '' : ` ${base}`}${indent}  `
    return `${open}${line}${arrayJoin(block.output, `,${indent}  `)} ${close}`
  }
  const compact = toNumber(context.compact)
  let { output } = block
  if (compact >= 1) {
    const entries = output.length
    if (block.isArray && entries > 6) output = inColumns(context, output, block.value)
    if (context.currentDepth - block.depth < compact && entries === output.length) {
      const start = output.length + context.indentation + open.length + base.length + 10
      const line = fits(context, output, start, base) ? arrayJoin(output, ', ') : '\n'
      if (!stringIncludes(line, '\n')) return `${before}${open} ${line} ${close}`
    }
  }
  return `${before}${open}${indent}  ${arrayJoin(output, `,${indent}  `)}${indent}${close}`
}

function fits(context: Context, output: string[], start: number, base: string): boolean {
  if (context.breakLength === Infinity) {
    for (let i = 0; i < output.length; i++) if (stringIncludes(output[i]!, '\n')) return false
    return !stringIncludes(base, '\n')
  }
  let total = output.length + start
  if (total + output.length > context.breakLength) return false
  for (let i = 0; i < output.length; i++) {
    total += context.colors ? stripColors(output[i]!).length : output[i]!.length
    if (total > context.breakLength) return false
  }
  return !stringIncludes(base, '\n')
}

function inColumns(context: Context, output: string[], value: unknown): string[] {
  const more = context.maxArrayLength < output.length
  const count = more ? output.length - 1 : output.length
  const widths = bareArray<number>()
  let total = 0
  let longest = 0
  for (let i = 0; i < count; i++) {
    push(widths, width(output[i]!))
    total += widths[i]! + 2
    longest = mathMax(longest, widths[i]!)
  }
  const most = longest + 2
  if (most * 3 + context.indentation >= context.breakLength || (total / most <= 5 && longest > 6)) return output
  const biased = mathMax(most - 3 - mathSqrt(most - total / output.length), 1)
  const columns = mathMin(mathRound(mathSqrt(2.5 * biased * count) / biased), mathFloor((context.breakLength - context.indentation) / most), toNumber(context.compact) * 4, 15)
  if (columns <= 1) return output
  const columnWidths = bareArray<number>()
  for (let column = 0; column < columns; column++) {
    let widest = -Infinity
    for (let i = column; i < count; i += columns) widest = mathMax(widest, widths[i]!)
    push(columnWidths, widest + 2)
  }
  const numbers = value !== undefined && areNumbers(output, value as unknown[])
  const lines = bareArray<string>()
  for (let start = 0; start < count; start += columns) {
    const end = mathMin(start + columns, count)
    let line = ''
    for (let i = start; i < end; i++) line += padded(output[i]!, columnWidths[i - start]! - widths[i]!, i === end - 1, numbers)
    push(lines, line)
  }
  if (more) push(lines, output[count]!)
  return lines
}

function areNumbers(output: string[], value: unknown[]): boolean {
  for (let i = 0; i < output.length; i++) if (typeof value[i] !== 'number' && typeof value[i] !== 'bigint') return false
  return true
}

function padded(cell: string, room: number, last: boolean, right: boolean): string {
  const comma = last ? '' : ', '
  const spaces = stringRepeat(' ', mathMax(0, room - 2))
  return right ? `${spaces}${cell}${comma}` : last ? cell : `${cell}${comma}${spaces}`
}
