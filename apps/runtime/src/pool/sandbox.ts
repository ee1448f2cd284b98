import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { constants as system } from 'node:os'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { finished } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
/** All that a worker reads, since its program comes to it through a pipe: isolated-vm, and what that finds its binary with. */
export const ADDON = ['isolated-vm', 'node-gyp-build'].map((name) => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)))

const CHECK_MS = 10_000
const LAST_OUTPUT_MS = 500
/** What a shell, and bwrap, add to the number of the signal that ended a process. */
const SIGNAL_BASE = 128

/**
 * What a worker runs inside of, whatever it may break out of within its own process: namespaces with no network and no other
 * process, and a file system that has Node and isolated-vm, to read. No /proc and no /dev: nothing of ours needs them.
 */
export interface Sandbox {
  readonly kind: 'bwrap' | 'none'
  /** bwrap and its arguments, up to the program; empty for `none`. */
  readonly command: readonly string[]
}

export const NO_SANDBOX: Sandbox = { kind: 'none', command: [] }

/** bwrap could not start what it was asked to. The message says why. */
export class SandboxError extends Error {
  override readonly name = 'SandboxError'
}

/** bwrap as workers are run under it, untried. @throws SandboxError if it is not installed */
function bwrapSandbox(): Sandbox {
  const bwrap = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'bwrap')).find(isExecutable)
  if (bwrap === undefined) throw new SandboxError('bwrap (bubblewrap) is not installed')
  const readable = [...sharedLibraries(), process.execPath, ...ADDON].map((path) => ['--ro-bind', path, path])
  const args = [
    // A user namespace also where root runs this: in it there is no capability, not even to be gained, and no further namespace.
    ['--unshare-user', '--disable-userns', '--cap-drop', 'ALL', '--uid', '65534', '--gid', '65534'],
    ['--unshare-net', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--hostname', 'worker', '--unshare-cgroup-try'],
    ['--die-with-parent', '--new-session', '--clearenv'],
    ...readable,
    // For libraries that are elsewhere than the loader looks by itself.
    ['--ro-bind-try', '/etc/ld.so.cache', '/etc/ld.so.cache'],
    ['--remount-ro', '/', '--chdir', '/']
  ]
  return { kind: 'bwrap', command: [bwrap, ...args.flat()] }
}

/**
 * What workers run inside of on this machine: with `auto`, bwrap if a trial start of it works.
 * @throws SandboxError if `wanted` is bwrap and it does not work
 */
export async function chooseSandbox(wanted: string, report: (message: string) => void): Promise<Sandbox> {
  if (wanted === 'none') return NO_SANDBOX
  try {
    const sandbox = bwrapSandbox()
    await check(sandbox)
    return sandbox
  } catch (error) {
    if (wanted === 'bwrap') throw new SandboxError(`workers cannot be run under bwrap: ${(error as Error).message}`)
    report(`workers run without bwrap, behind Node's permission model alone: ${(error as Error).message}`)
    return NO_SANDBOX
  }
}

/** Runs Node in it, which says its version: that takes all that bwrap does, and a few milliseconds. @throws SandboxError */
async function check(sandbox: Sandbox): Promise<void> {
  if (!existsSync(childrenFile(process.pid))) throw new SandboxError(`this system does not list the children of processes (${childrenFile(process.pid)})`)
  const { child, exited, kill } = spawnIn(sandbox, ['--version'], [])
  let text = ''
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-1_000)
  })
  const timer = setTimeout(kill, CHECK_MS)
  const { reason, ok } = await exited
  clearTimeout(timer)
  if (ok) return
  // What it wrote last may come after its end.
  await finished(child.stderr!, { signal: AbortSignal.timeout(LAST_OUTPUT_MS) }).catch(() => {})
  throw new SandboxError(`${reason} ${text}`.trim())
}

/** How a process ended. */
export interface Exit {
  /** In words: a signal's name, or `exit code N`. */
  reason: string
  signal: string | null
  ok: boolean
}

/** A process that Node's program was started in, sandboxed or not. */
export interface Spawned {
  /** bwrap's, where that is around it. */
  readonly child: ChildProcess
  /** Never rejects. */
  readonly exited: Promise<Exit>
  /** Of Node itself, in the numbers of this process. @throws Error if it has ended, or has not begun yet */
  pid(): number
  /** SIGKILL to all that was started. */
  kill(): void
}

/**
 * Starts Node with these arguments. `links` are its descriptors from 3 on; its standard error is a pipe, its standard input has the
 * program, if there is one for it, and its output is nothing.
 */
export function spawnIn(sandbox: Sandbox, args: string[], links: StdioOptions & unknown[], program?: string): Spawned {
  const spawned = spawnWith(sandbox, args, [program === undefined ? 'ignore' : 'pipe', 'ignore', 'pipe', ...links])
  // That it ends before it has read it, its end tells.
  spawned.child.stdin?.on('error', () => {}).end(program)
  return spawned
}

function spawnWith(sandbox: Sandbox, args: string[], stdio: (StdioOptions & unknown[])[number][]): Spawned {
  const [bwrap, ...bwrapArgs] = sandbox.command
  if (bwrap === undefined) {
    const child = spawn(process.execPath, args, { env: {}, stdio: stdio as StdioOptions })
    return { child, exited: exitOf(child), pid: () => child.pid ?? 0, kill: () => void child.kill('SIGKILL') }
  }
  // bwrap closes it before Node begins: what is behind it is bwrap's word, not the worker's.
  const statusFd = stdio.length
  const child = spawn(bwrap, [...bwrapArgs, '--json-status-fd', String(statusFd), '--', process.execPath, ...args], { env: {}, stdio: [...stdio, 'pipe'] as StdioOptions })
  let status = ''
  const onStatus = (child.stdio[statusFd] as NodeJS.ReadableStream | undefined)?.setEncoding('utf8')
  onStatus?.on('data', (text: string) => (status += text)).on('error', () => {})
  const init = (): number => Number(/"child-pid": (\d+)/.exec(status)?.[1])
  return { child, exited: exitOf(child), pid: () => onlyChildOf(init()), kill: () => killNamespace(child, init()) }
}

/**
 * bwrap's process 1 of the namespace: with it all in there end, and bwrap, which waits for it, ends behind them. That is its
 * parent, so while bwrap runs the number is nobody else's.
 */
function killNamespace(child: ChildProcess, init: number): void {
  if (child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(init, 'SIGKILL')
  } catch {
    killBeginning(child)
  }
}

/**
 * Process 1 is not known yet, or has just ended. If it is there, it may be waiting for bwrap's word to begin, and would do so for ever: only later does it
 * end with its parent. While that is stopped it starts none, and the numbers of its children are nobody else's.
 */
function killBeginning(bwrap: ChildProcess): void {
  bwrap.kill('SIGSTOP')
  try {
    for (const pid of childrenOf(bwrap.pid!)) process.kill(pid, 'SIGKILL')
  } catch {
    // There is nothing to be seen of it, or nothing of it left.
  }
  bwrap.kill('SIGKILL')
}

/** Process 1 has started Node and nothing else; before Node has run a tenant's code there is no other. @throws Error */
function onlyChildOf(init: number): number {
  const [child, ...more] = childrenOf(init)
  if (child === undefined || more.length > 0) throw new Error('bwrap has not one child')
  return child
}

/** @throws Error */
function childrenOf(pid: number): number[] {
  return readFileSync(childrenFile(pid), 'utf8').split(' ').filter((text) => /^\d+$/.test(text)).map(Number)
}

/** proc(5): the children of the main thread, if the kernel was built to tell. */
function childrenFile(pid: number): string {
  return `/proc/${pid}/task/${pid}/children`
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ reason: error.message, signal: null, ok: false }))
    child.once('exit', (code, signal) => {
      // From bwrap it is a code.
      const name = signal ?? signalOf(code ?? 0)
      resolve({ reason: name ?? `exit code ${code}`, signal: name, ok: code === 0 })
    })
  })
}

function signalOf(code: number): string | null {
  return Object.entries(system.signals).find(([, number]) => code === SIGNAL_BASE + number)?.[0] ?? null
}

/** The libraries that this very process has loaded: the worker is the same Node. */
function sharedLibraries(): string[] {
  // Else it looks the names of network interfaces up. The types do not know of it.
  const report = process.report as typeof process.report & { excludeNetwork: boolean }
  report.excludeNetwork = true
  const { sharedObjects } = report.getReport() as unknown as { sharedObjects: string[] }
  return sharedObjects.filter((path) => path.startsWith('/') && !path.startsWith(ROOT))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return path.startsWith('/')
  } catch {
    return false
  }
}
