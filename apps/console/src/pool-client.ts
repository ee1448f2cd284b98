import { connect } from 'node:net'
import { CallError, Link, PROTOCOL_VERSION, controlLink } from '@socklet/protocol'
import type { ConsoleCallsOfPool, Control, LogEntry, PoolCallsOfConsole } from '@socklet/protocol'
import { PlatformFault, asFault } from './errors.ts'
import { log } from './log.ts'

const FIRST_DELAY_MS = 50
/** It is a Unix socket: asking often costs nothing, and a restarted pool is missed no longer than need be. */
const MAX_DELAY_MS = 200
const PATIENCE_MS = 10_000

export interface PoolClientOptions {
  /** Path of the pool's Unix socket. */
  path: string
  onLogged: (appid: string, entries: LogEntry[]) => void
  /** How long a call waits for the link, milliseconds. */
  patienceMs?: number
  /** After each time that the link was made, anew or not. */
  onConnected?: () => void
}

/** The console's end of its link to the pool. It comes back by itself when the pool was restarted. */
export class PoolClient {
  readonly #options: PoolClientOptions
  /** Apps whose change the pool has not confirmed. They are told again when it is back. */
  readonly #unconfirmed = new Set<string>()
  #control: Control<PoolCallsOfConsole, ConsoleCallsOfPool> | null = null
  #link: Link | null = null
  #timer: NodeJS.Timeout | undefined
  #delay = FIRST_DELAY_MS
  #stopped = false
  #waiting: (() => void)[] = []

  constructor(options: PoolClientOptions) {
    this.#options = options
  }

  get connected(): boolean {
    return this.#control !== null
  }

  start(): void {
    this.#connect()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#link?.end()
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** @throws PlatformFault `unavailable` when there is no pool or it does not answer; UserFault when it refuses. */
  async call<M extends keyof PoolCallsOfConsole & string>(method: M, params: PoolCallsOfConsole[M]['params'], timeoutMs?: number): Promise<PoolCallsOfConsole[M]['result']> {
    const control = this.#control ?? (await this.#controlSoon())
    if (control === null) throw new PlatformFault('unavailable', 'the runtime is not reachable now')
    try {
      return await control.call(method, params, timeoutMs)
    } catch (error) {
      const fault = asFault(error)
      if (fault instanceof PlatformFault) log(`the pool did not answer ${method}: ${(error as Error).message}`)
      throw fault
    }
  }

  /** Puts in force what the catalog has now for this app; if that fails, again as soon as the pool is back. */
  async appChanged(appid: string): Promise<void> {
    this.#unconfirmed.delete(appid)
    try {
      await this.call('appChanged', { appid })
    } catch (error) {
      this.#unconfirmed.add(appid)
      throw error
    }
  }

  /** A pool that was restarted is back within moments: whoever asks meanwhile waits for it rather than being refused. */
  #controlSoon(): Promise<Control<PoolCallsOfConsole, ConsoleCallsOfPool> | null> {
    if (this.#stopped) return Promise.resolve(null)
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        resolve(this.#control)
      }
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((one) => one !== done)
        resolve(this.#control)
      }, this.#options.patienceMs ?? PATIENCE_MS)
      this.#waiting.push(done)
    })
  }

  #connect(): void {
    const socket = connect(this.#options.path)
    const { link, control } = controlLink<PoolCallsOfConsole, ConsoleCallsOfPool>(
      (on) => new Link(socket, on),
      {
        logged: ({ appid, entries }) => {
          this.#options.onLogged(appid, entries)
          return null
        }
      },
      { close: () => this.#onClose() }
    )
    this.#link = link
    // Sent before the socket is connected: what is written waits for that, and fails with it.
    control.call('hello', { version: PROTOCOL_VERSION, pid: process.pid }).then(
      () => this.#onHello(control),
      (error: CallError) => {
        if (error.code !== 'link_closed') log('the pool refuses the console', error)
        link.destroy()
      }
    )
  }

  #onHello(control: Control<PoolCallsOfConsole, ConsoleCallsOfPool>): void {
    this.#control = control
    this.#delay = FIRST_DELAY_MS
    // A failure was logged, and the app stays among the unconfirmed ones.
    for (const appid of this.#unconfirmed) this.appChanged(appid).catch(() => {})
    this.#options.onConnected?.()
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #onClose(): void {
    this.#control = null
    if (this.#stopped) return
    this.#timer = setTimeout(() => this.#connect(), this.#delay)
    this.#delay = Math.min(this.#delay * 2, MAX_DELAY_MS)
  }
}
