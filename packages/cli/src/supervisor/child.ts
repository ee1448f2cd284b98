import { spawn, type ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { controlLink, Link, SUPERVISOR_FD, type ChildCalls, type Control, type PlatformState, type SupervisorCalls } from '@socklet/protocol'

/** Lines of stderr that are kept to be shown when the process fails. */
const KEPT_LINES = 20
/** How long a process that was told to stop may take beyond its grace time. */
const KILL_AFTER_MS = 2_000
/** How long the last output of a process that is gone is waited for: something that it started may hold the pipe. */
const LAST_OUTPUT_MS = 500

export type ChildKind = 'pool' | 'gateway' | 'console'

/** A signal opens no inspector: whoever can send one to a process of the same user could take it over. */
const FLAGS = ['--disable-sigusr1']

/** One process of the platform, as it is started each time. */
export interface ChildSpec {
  kind: ChildKind
  /** What its lines of output begin with. */
  name: string
  /** Path of its main module. */
  script: string
  /** Options of Node's for it. */
  flags?: string[]
  /** All of its environment but the port. */
  env: Record<string, string>
  /** The variable that names its port. All of one kind share a port: the one that the first of them got. */
  portVariable?: string
}

/**
 * A running process of the platform. Only here are processes of the supervisor's killed; workers are the pool's.
 * `ready` and `gone` are promises that are never rejected.
 */
export class Child {
  /** Settles when the process says that it does its work, with the port if it listens. */
  readonly ready: Promise<number | undefined>
  /** Settles when the process has ended, with how, as the end of a sentence about it. */
  readonly gone: Promise<string>
  /** Its last lines on stderr. */
  readonly lastLines: string[] = []
  readonly #process: ChildProcess
  readonly #control: Control<ChildCalls, SupervisorCalls>

  /** @throws Error if the system cannot start another process. */
  constructor(spec: ChildSpec, port: number | undefined, onLine: (line: string) => void) {
    const env = spec.portVariable === undefined || port === undefined ? spec.env : { ...spec.env, [spec.portVariable]: String(port) }
    this.#process = spawn(process.execPath, [...FLAGS, ...(spec.flags ?? []), spec.script], { env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
    const ready = Promise.withResolvers<number | undefined>()
    this.ready = ready.promise
    this.gone = goneOf(this.#process)
    // If there are no descriptors left there are no streams, either; `gone` tells of it.
    const socket = this.#process.stdio?.[SUPERVISOR_FD] as Socket | undefined
    if (socket === undefined) throw new Error('there are no file descriptors left')
    this.#control = controlLink<ChildCalls, SupervisorCalls>((on) => new Link(socket, on), {
      ready: ({ port: own }) => {
        ready.resolve(own)
        return null
      }
    }).control
    eachLine(this.#process.stdout!, onLine)
    eachLine(this.#process.stderr!, (line) => {
      this.lastLines.push(line)
      if (this.lastLines.length > KEPT_LINES) this.lastLines.shift()
      onLine(line)
    })
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Tells it whether the platform works. false if it did not answer in time: it is gone then, or will be. */
  async tellPlatform(state: PlatformState, timeoutMs: number): Promise<boolean> {
    try {
      await this.#control.call('platform', state, timeoutMs)
      return true
    } catch {
      return false
    }
  }

  /** Ends it in order, and by force when it takes too long. Settles when it has ended: true if in order. */
  async stop(graceMs: number): Promise<boolean> {
    let forced = false
    const timer = setTimeout(() => {
      forced = true
      this.kill()
    }, graceMs + KILL_AFTER_MS)
    // The answer says nothing that its end does not say.
    this.#control.note('stop', { graceMs })
    await this.gone
    clearTimeout(timer)
    return !forced
  }

  /** Ends it at once. */
  kill(): void {
    this.#process.kill('SIGKILL')
  }
}

function goneOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) => {
      const how = signal === null ? `exited with code ${code}` : `was killed by ${signal}`
      child.once('close', () => resolve(how))
      setTimeout(() => resolve(how), LAST_OUTPUT_MS).unref()
    })
  })
}

function eachLine(stream: Readable, onLine: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => onLine(printable(line)))
}

/** What a tenant wrote may be part of a line: it gets no power over the operator's terminal. */
function printable(line: string): string {
  return line.replace(/[^\P{Cc}\t]/gu, '\ufffd')
}
