/** The benchmarks: `npm run bench -- --help`. The table goes to the standard output, all else to standard error. */
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { endAll, endForGood } from './owned.ts'
import { machine, rowReport, table, writePage, type Report, type RowReport } from './report.ts'
import type { Plan, Row } from './row.ts'
import { parts, rows } from './rows/index.ts'
import { forgetPair } from './servers/pair.ts'

/** Medians of at least five. */
const FULL = { quick: false, rounds: 5, warmupMs: 1000, windowMs: 2000 }
const QUICK = { quick: true, rounds: 2, warmupMs: 200, windowMs: 500 }
/** In the quick form windows are short, and whatever else the machine does shows: what is lost must be lost so often. */
const QUICK_TRIES = 4
/** A benchmark that takes longer hangs. */
const ROW_TIMEOUT_MS = 600_000
/** A load average at which others take part of what is measured. */
const BUSY = 0.7
const MISUSE = 2
const JSON_FILE = 'bench.json'
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const

const HELP = `npm run bench -- [OPTION]… [ROW]…

Measures the platform against a bare ws server, and says what was reached. Without a ROW all are measured (with --quick,
all that take seconds).

  --quick      under two minutes; fails only on gross loss, twice what is to be reached
  --json FILE  where what was measured is written as JSON (default ${JSON_FILE})
  --rounds N   how often each server is measured (default ${FULL.rounds}, with --quick ${QUICK.rounds})
  --docs       writes the table to docs/benchmarks.md even if this is not a full run of all rows
  --help

Rows:
${rows.map(({ name, what }) => `  ${name.padEnd(28)} ${what}`).join('\n')}
and parts of them:
${parts.map(({ name, what }) => `  ${name.padEnd(28)} ${what}`).join('\n')}
`

for (const [signal, code] of Object.entries(SIGNALS)) process.on(signal, () => void interrupted(signal, code))
/** What is printed if a signal ends the rest. */
const measured: RowReport[] = []
let interrupts = 0
process.exit(await main())

async function main(): Promise<number> {
  const options = readOptions()
  if (typeof options === 'string') {
    say(`${options}; --help says more`)
    return MISUSE
  }
  if (options.help) {
    process.stdout.write(HELP)
    return 0
  }
  if (process.platform !== 'linux') {
    say('the benchmarks read /proc: they need Linux')
    return MISUSE
  }
  const report: Report = { at: new Date().toISOString(), machine: machine(), node: process.versions.node, loadAverage: loadavg()[0]!, quick: options.plan.quick, rounds: options.plan.rounds, rows: measured }
  if (report.loadAverage > BUSY) say(`the machine is busy, its load average is ${report.loadAverage.toFixed(1)}: the numbers will be of little worth`)
  for (const row of options.rows) measured.push(await tryRow(row, options.plan))
  await endAllServers()
  process.stdout.write(`${table(report.rows)}\n`)
  writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
  if (options.docs || (!options.plan.quick && options.rows === rows)) writePage(report)
  return report.rows.every(isReached) ? 0 : 1
}

interface Options {
  help: boolean
  docs: boolean
  json: string
  plan: Omit<Plan, 'say'>
  rows: Row[]
}

/** The options, or what is wrong with them. */
function readOptions(): Options | string {
  try {
    const { values, positionals } = parseArgs({
      options: { quick: { type: 'boolean' }, docs: { type: 'boolean' }, help: { type: 'boolean', short: 'h' }, json: { type: 'string', default: JSON_FILE }, rounds: { type: 'string' } },
      allowPositionals: true
    })
    const plan = values.quick === true ? QUICK : FULL
    const rounds = Number(values.rounds ?? plan.rounds)
    if (!Number.isInteger(rounds) || rounds < 1) return `--rounds takes a whole number from 1, not ${values.rounds}`
    const unknown = positionals.find((name) => find(name) === undefined)
    if (unknown !== undefined) return `there is no row ${unknown}`
    return { help: values.help ?? false, docs: values.docs ?? false, json: values.json, plan: { ...plan, rounds }, rows: positionals.length > 0 ? positionals.map((name) => find(name)!) : plan.quick ? rows.filter(({ takesLong }) => takesLong !== true) : rows }
  } catch (error) {
    return (error as Error).message
  }
}

function find(wanted: string): Row | undefined {
  return [...rows, ...parts].find(({ name }) => name === wanted)
}

async function tryRow(row: Row, plan: Omit<Plan, 'say'>): Promise<RowReport> {
  for (let left = plan.quick ? QUICK_TRIES : 1; ; ) {
    const result = await runRow(row, plan)
    if (--left === 0 || isReached(result)) return result
    say(`${row.name}: missed, once more`)
  }
}

function isReached({ error, lines }: RowReport): boolean {
  return error === undefined && lines.every(({ medians }) => medians.ok)
}

async function runRow(row: Row, plan: Omit<Plan, 'say'>): Promise<RowReport> {
  say(`${row.name}: ${row.what}`)
  const start = performance.now()
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`not done within ${ROW_TIMEOUT_MS / 1000} s`)), ROW_TIMEOUT_MS)
  let isShared = plan.quick && row.sharesServers === true
  try {
    const lines = await Promise.race([row.run({ ...plan, say: (text) => say(`${row.name}: ${text}`) }), late.promise])
    return rowReport(row.name, lines, plan.quick)
  } catch (error) {
    // Of course it failed: what it had started was ended. Who did that ends this process too.
    if (interrupts > 0) await new Promise(() => {})
    isShared = false
    say(`${row.name}: FAILED: ${(error as Error).stack}`)
    return { row: row.name, lines: [], error: (error as Error).message }
  } finally {
    clearTimeout(timer)
    if (!isShared) await endAllServers()
    say(`${row.name}: ${((performance.now() - start) / 1000).toFixed(1)} s`)
  }
}

function endAllServers(): Promise<void> {
  forgetPair()
  return endAll()
}

/** The first signal ends everything in order. The second one ends at once: what was started goes with this process. */
async function interrupted(signal: string, code: number): Promise<void> {
  if (interrupts++ > 0) process.exit(code)
  say(`${signal}: ending what was started`)
  await endForGood()
  if (measured.length > 0) process.stdout.write(`${table(measured)}\n`)
  process.exit(code)
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`)
}
