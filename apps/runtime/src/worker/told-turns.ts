import { Flag } from '@socklet/protocol'
import type { Reports } from './reports.ts'

/** For a while the pool is told when a turn of the app begins and ends: if the process dies meanwhile, it is known whose turn ran. */
export class ToldTurns {
  readonly #reports: Reports
  #until: number
  #inTurn = false
  /** The pool has been told of the turn. */
  #isTold = false

  /** `ms`: for so long from now on. */
  constructor(reports: Reports, ms: number) {
    this.#reports = reports
    this.#until = performance.now() + ms
  }

  /** For so many milliseconds more, and of the turn that runs as well. */
  watch(ms: number): void {
    this.#until = Math.max(this.#until, performance.now() + ms)
    if (this.#inTurn && !this.#isTold) this.begin()
  }

  begin(): void {
    this.#inTurn = true
    this.#isTold = performance.now() <= this.#until
    if (this.#isTold) this.#reports.turn(0)
  }

  end(): void {
    if (this.#isTold) this.#reports.turn(Flag.END)
    this.#inTurn = this.#isTold = false
  }
}
