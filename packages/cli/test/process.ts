import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChildKind, ChildSpec, Timing } from '../src/index.ts'
import { TIMING } from '../src/supervisor/slot.ts'

const MAIN = join(import.meta.dirname, '../src/main.ts')
const PLATFORM = join(import.meta.dirname, 'fixtures/platform.ts')
const CHILD = join(import.meta.dirname, 'fixtures/child.ts')
const PATIENCE_MS = 20_000

export async function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'socklet-cli-'))
}

/** A process that was started, with what it has printed until now. */
export class Program {
  readonly out: string[] = []
  readonly err: string[] = []
  readonly exit: Promise<number | string>
  readonly #process: ChildProcess

  constructor(script: string, args: string[], env: Record<string, string>, cwd?: string) {
    this.#process = spawn(process.execPath, [script, ...args], { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    createInterface({ input: this.#process.stdout! }).on('line', (line) => this.out.push(line))
    createInterface({ input: this.#process.stderr! }).on('line', (line) => this.err.push(line))
    this.exit = new Promise((resolve) => this.#process.once('close', (code, signal) => resolve(code ?? signal ?? '')))
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** As if whoever reads it had died. */
  closeOutput(): void {
    this.#process.stdout!.destroy()
    this.#process.stderr!.destroy()
  }

  /** Waits for a line on stderr, in the `count`th place of those that match. */
  async line(pattern: RegExp, count = 1): Promise<string> {
    return until(() => this.err.filter((line) => pattern.test(line))[count - 1], () => `${pattern} (${count}) in:\n${this.err.join('\n')}`)
  }

  /** Waits for the start-up text. */
  async ready(): Promise<void> {
    await until(() => this.out.at(-1) === 'ready' || undefined, () => `ready in:\n${[...this.out, ...this.err].join('\n')}`)
  }

  /** Process ids that its children have told. */
  pids(name: string): number[] {
    return this.err.filter((line) => line.startsWith(`${name} | pid `)).map((line) => Number(line.split(' ').at(-1)))
  }

  get allPids(): number[] {
    return this.err.flatMap((line) => /\| pid (\d+)$/.exec(line)?.[1] ?? []).map(Number)
  }
}

export async function until<T>(probe: () => T | undefined, what: () => string): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const value = probe()
    if (value !== undefined) return value
    if (Date.now() > deadline) throw new Error(`there was no ${what()}`)
    await sleep(10)
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // What nobody has waited for is dead all the same.
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Runs `socklet` to its end. */
export async function socklet(args: string[], env: Record<string, string> = {}, cwd?: string): Promise<{ code: number | string; out: string; err: string }> {
  const program = new Program(MAIN, args, { PATH: process.env['PATH']!, ...env }, cwd)
  const code = await program.exit
  return { code, out: program.out.join('\n'), err: program.err.join('\n') }
}

export function fixture(kind: ChildKind, name: string = kind, env: Record<string, string> = {}): ChildSpec {
  return { kind, name, script: CHILD, env: { ...env, SOCKLET_SUPERVISED: '1' }, portVariable: 'FIXTURE_PORT' }
}

export interface PlatformSetup {
  children?: ChildSpec[]
  timing?: Partial<Timing>
  args?: string[]
  env?: Record<string, string>
}

/** Platforms with fixtures in them, and folders, that are ended and removed by `cleanUp`. */
export class Bench {
  readonly #programs: Program[] = []
  readonly #folders: string[] = []

  async folder(): Promise<string> {
    const folder = await newFolder()
    this.#folders.push(folder)
    return folder
  }

  /** Starts a platform; `folder` is its data folder. */
  platform(folder: string, setup: PlatformSetup = {}): Program {
    const children = setup.children ?? [fixture('pool'), fixture('gateway', 'gateway-0', { FIXTURE_PORT: '0' }), fixture('console', 'console', { FIXTURE_PORT: '0' })]
    const env = {
      PATH: process.env['PATH']!,
      FIXTURE_CHILDREN: JSON.stringify(children),
      FIXTURE_TIMING: JSON.stringify({ ...TIMING, graceMs: 1000, ...setup.timing }),
      ...setup.env
    }
    const program = new Program(PLATFORM, ['--data', folder, '--port', '0', '--console-port', '0', ...(setup.args ?? [])], env)
    this.#programs.push(program)
    return program
  }

  /** @throws Error if a process was left behind. */
  async cleanUp(): Promise<void> {
    const programs = this.#programs.splice(0)
    for (const program of programs) program.kill('SIGKILL')
    await Promise.all(programs.map((program) => program.exit))
    const pids = programs.flatMap((program) => program.allPids)
    await until(() => pids.every((pid) => !isAlive(pid)) || undefined, () => `end of the processes ${pids.filter(isAlive).join(', ')}`)
    for (const folder of this.#folders.splice(0)) await rm(folder, { recursive: true })
  }
}
