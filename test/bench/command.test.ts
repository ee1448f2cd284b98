import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../support/until.ts'
import { pidsOf } from './proc.ts'
import { rows } from './rows/index.ts'

/** Two servers start, on a machine that may have much else to do. */
const TIMEOUT_MS = 180_000
const MAIN = new URL('main.ts', import.meta.url).pathname

let folder: string
let child: ChildProcess | null = null
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-test-'))
})
afterEach(async () => {
  child?.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

interface Run {
  pid: number
  code: Promise<number | null>
  out(): string
  errors(): string
  kill(signal: NodeJS.Signals): void
}

function bench(...args: string[]): Run {
  const started = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, TMPDIR: folder }, stdio: ['ignore', 'pipe', 'pipe'] })
  child = started
  let [out, errors] = ['', '']
  started.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  started.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const code = new Promise<number | null>((resolve) => started.once('close', resolve))
  return { pid: started.pid!, code, out: () => out, errors: () => errors, kill: (signal) => started.kill(signal) }
}

const isAlive = (pid: number): boolean => pidsOf(pid).length > 0

describe.runIf(process.platform === 'linux')('npm run bench', () => {
  it('--help names every row', async () => {
    const run = bench('--help')
    expect(await run.code).toBe(0)
    for (const { name, what } of rows) expect(run.out()).toMatch(new RegExp(`^ {2}${name} +${what}$`, 'm'))
  })

  it.each([[['nonsense'], 'there is no row nonsense'], [['--rounds', '0'], '--rounds takes a whole number from 1, not 0'], [['--fast'], "Unknown option '--fast'"]])('%j is refused', async (args, message) => {
    const run = bench(...args)
    expect(await run.code).toBe(2)
    expect(run.errors()).toContain(message)
  })

  it('measures a row, writes it as JSON, and leaves neither process nor file', async () => {
    const json = join(folder, 'report.json')
    const run = bench('--quick', '--rounds', '1', '--json', json, 'echo')
    const seen = new Set<number>()
    const watch = setInterval(() => pidsOf(run.pid).forEach((pid) => seen.add(pid)), 100)
    await run.code
    clearInterval(watch)
    const { default: report } = await import(json, { with: { type: 'json' } })
    expect(run.out()).toMatch(/^echo, 64 connections, 64 B: CPU for each message .* × /m)
    expect(report).toMatchObject({ quick: true, rounds: 1, rows: [{ row: 'echo', lines: [{ line: { unit: 'µs' } }, {}, {}] }] })
    for (const { line } of report.rows[0].lines) for (const value of [...line.base, ...line.socklet]) expect(value).toBeGreaterThan(0)
    // The supervisor, gateway, pool, console, worker, ws and generator at least.
    expect(seen.size).toBeGreaterThan(6)
    await until('all have ended', () => ![...seen].some(isAlive))
    expect(await readdir(folder)).toEqual(['report.json'])
  }, TIMEOUT_MS)

  it('Ctrl-C ends all that it has started', async () => {
    const run = bench('--quick', 'echo')
    await until('it measures', () => /round 1/.test(run.errors()), TIMEOUT_MS)
    const pids = await until('all are there', () => (pidsOf(run.pid).length > 6 ? pidsOf(run.pid) : null), TIMEOUT_MS)
    run.kill('SIGINT')
    expect(await run.code).toBe(130)
    await until('all have ended', () => !pids.some(isAlive))
    expect(await readdir(folder)).toEqual([])
  }, TIMEOUT_MS)
})
