import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { judge, type Judged, type Line, type Reach } from './row.ts'

/** What a run has found, as it is written to the JSON file. */
export interface Report {
  at: string
  machine: string
  node: string
  /** Of the minute before: what else was going on. */
  loadAverage: number
  quick: boolean
  rounds: number
  rows: RowReport[]
}

/** The medians of a line, and the values of each round. */
interface JudgedLine {
  line: Line
  medians: Judged
}

export interface RowReport {
  row: string
  lines: JudgedLine[]
  /** It could not be measured. */
  error?: string
}

const PAGE = new URL('../../docs/benchmarks.md', import.meta.url)
const [BEGIN, END] = ['<!-- The table is written by npm run bench. -->', '<!-- End of the table. -->']
const COLUMNS = ['measure', 'compared with', 'Socklet', 'result', 'reach', '']

export function machine(): string {
  const all = cpus()
  return `${all.length} cores (${all[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB of memory, ${process.platform} ${process.arch}`
}

export function rowReport(row: string, lines: Line[], quick: boolean): RowReport {
  return { row, lines: lines.map((line) => ({ line, medians: judge(line, quick) })) }
}

/** The table for people at a terminal. */
export function table(rows: RowReport[]): string {
  const cells = [COLUMNS, ...rows.flatMap(cellsOf)]
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  const rightAligned = new Set([1, 2, 3])
  return cells.map((row) => row.map((cell, column) => (rightAligned.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))).join('  ').trimEnd()).join('\n')
}

/** The page in docs/: what people wrote there stays, the table is new. */
export function writePage(report: Report): void {
  const page = readFileSync(PAGE, 'utf8')
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (before === -1 || after < before) throw new Error(`the page has no place for the table, between ${BEGIN} and ${END}`)
  const lines = report.rows.flatMap(cellsOf).map((row) => `| ${row.join(' | ')} |`)
  const intro = `Of ${report.at.slice(0, 10)}, Node ${report.node}, on ${report.machine}; medians of ${report.rounds} rounds. Load average before it: ${report.loadAverage.toFixed(1)}.`
  const text = [BEGIN, '', intro, '', `| ${COLUMNS.join(' | ')} |`, '|---|--:|--:|--:|---|---|', ...lines, '', ''].join('\n')
  writeFileSync(PAGE, page.slice(0, before) + text + page.slice(after))
}

function cellsOf({ row, lines, error }: RowReport): string[][] {
  const cells = lines.map(({ line, medians }) => {
    const { measure, unit, baseIs = 'ws', reach } = line
    const { base, socklet, score, scoreOf, ok } = medians
    const result = scoreOf === 'ratio' ? `${score.toFixed(2)} ×` : scoreOf === 'difference' ? `${score > 0 ? '+' : ''}${number(score)}` : ''
    return [measure, base === null ? '' : `${baseIs} ${number(base)}`, `${number(socklet)} ${unit}`, result, reach === null ? '' : bound(reach, baseIs, unit), reach === null ? '' : ok ? 'ok' : 'MISSED']
  })
  return error === undefined ? cells : [...cells, [row, '', '', '', firstLine(error), 'FAILED']]
}

function bound({ of, most, least }: Reach, baseIs: string, unit: string): string {
  const [sign, value] = most === undefined ? ['≥', least!] : ['≤', most]
  return of === 'ratio' ? `${sign} ${value} × ${baseIs}` : of === 'difference' ? `${sign} ${baseIs} + ${value} ${unit}` : `${sign} ${value} ${unit}`
}

function number(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!
}
