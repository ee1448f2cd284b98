import {
  CallError, controlLink, Link, PROTOCOL_VERSION, type CallHandlers, type Control, type GatewayCalls, type PoolCallsOfGateway
} from '@socklet/protocol'
import { connect } from 'node:net'
import { report } from './report.ts'
import type { Times } from './settings.ts'

type PoolControl = Control<PoolCallsOfGateway, GatewayCalls>

export interface PoolLinkOptions {
  path: string
  gateway: number
  times: Times
  handlers: CallHandlers<GatewayCalls>
  /** The pool has answered the hello, now or again; what has to be asked before anybody else may ask. */
  onLinked: () => Promise<void>
  /** The pool can be asked. */
  onUp: () => void
  /** The link is lost. */
  onDown: () => void
}

/** The gateway's link to its pool, made again whenever it is lost. */
export class PoolLink {
  readonly #options: PoolLinkOptions
  #link: Link | null = null
  #control: PoolControl | null = null
  #delay: number
  #timer: NodeJS.Timeout | null = null
  #stopped = false
  readonly #waiting = new Set<() => void>()
  #greeted = false
  /** The pool can be asked, and what was asked of an earlier one holds again. */
  up = false

  constructor(options: PoolLinkOptions) {
    this.#options = options
    this.#delay = options.times.reconnectMin
  }

  start(): void {
    const socket = connect(this.#options.path)
    const onFailure = (): void => this.#retry()
    socket.once('error', onFailure)
    socket.once('connect', () => {
      socket.off('error', onFailure)
      const { link, control } = controlLink<PoolCallsOfGateway, GatewayCalls>((on) => new Link(socket, on), this.#options.handlers, {
        close: (error) => this.#onClose(error)
      })
      this.#link = link
      this.#control = control
      void this.#greet(link, control)
    })
  }

  /** @throws CallError when the pool refuses, does not answer in time, or is not there. */
  call<M extends keyof PoolCallsOfGateway>(method: M, params: PoolCallsOfGateway[M]['params'], timeoutMs?: number): Promise<PoolCallsOfGateway[M]['result']> {
    if (!this.#greeted) return Promise.reject(new CallError('link_closed', `there is no pool, cannot call ${method}`))
    return this.#control!.call(method, params, timeoutMs)
  }

  note<M extends keyof PoolCallsOfGateway>(method: M, params: PoolCallsOfGateway[M]['params']): void {
    if (this.#greeted) this.#control!.note(method, params)
  }

  /** Whether the pool is there now, or comes within this time, milliseconds. */
  upWithin(ms: number): Promise<boolean> {
    if (this.up || this.#stopped) return Promise.resolve(this.up)
    return new Promise((resolve) => {
      const answer = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(answer)
        resolve(this.up)
      }
      const timer = setTimeout(answer, ms)
      this.#waiting.add(answer)
    })
  }

  stop(): void {
    this.#stopped = true
    this.up = false
    this.#greeted = false
    if (this.#timer !== null) clearTimeout(this.#timer)
    for (const answer of this.#waiting) answer()
    this.#link?.end()
  }

  async #greet(link: Link, control: PoolControl): Promise<void> {
    try {
      await control.call('hello', { gateway: this.#options.gateway, version: PROTOCOL_VERSION, pid: process.pid })
      this.#greeted = !link.closed
      await this.#options.onLinked()
      if (link.closed || this.#stopped) return
      this.up = true
      this.#delay = this.#options.times.reconnectMin
      this.#options.onUp()
      for (const answer of this.#waiting) answer()
    } catch (error) {
      report('the pool does not take this gateway', error)
      link.destroy()
    }
  }

  #onClose(error: Error | undefined): void {
    const { up } = this
    this.up = false
    this.#greeted = false
    this.#link = null
    this.#control = null
    this.#options.onDown()
    if (up && !this.#stopped) report('the link to the pool is lost', error?.message ?? 'closed')
    this.#retry()
  }

  #retry(): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => this.start(), this.#delay)
    this.#delay = Math.min(this.#delay * 2, this.#options.times.reconnectMax)
  }
}
