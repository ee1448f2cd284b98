import type { App } from './app.ts'
import { afterFreed, bytesFit } from './flow.ts'
import { reached } from './reached.ts'
import { Refusal } from './refuse.ts'
import { report } from './report.ts'

const MiB = 1024 * 1024

/** What a request takes beside its body, roughly. */
const REQUEST_BYTES = 128

/**
 * One request on its way. Until it is an event, what has come of it counts against what its app may have waiting, and against what all may have.
 * What is announced is not counted: it may never come.
 */
export class ArrivingRequest {
  readonly #app: App
  #bytes = 0

  constructor(app: App) {
    this.#app = app
    this.#add(REQUEST_BYTES)
  }

  /** @throws Refusal if as much more would not fit now. */
  check(bytes: number): void {
    const { waiting, gateway, limits } = this.#app
    if (!bytesFit(this.#app, bytes)) {
      reached(this.#app, 'queueBytes', `a request was refused with 503: more than ${limits.queueBytes} bytes of events and bodies would be waiting`)
      throw new Refusal('queue_full')
    }
    if (gateway.waiting.fit(waiting, bytes)) return
    report('refusing requests', `more than ${gateway.waiting.most / MiB} MiB would be waiting for all apps`)
    throw new Refusal('unavailable', 'too much is waiting on the platform')
  }

  /** @throws Refusal if what has come does not fit. */
  take(bytes: number): void {
    this.check(bytes)
    this.#add(bytes)
    this.#app.counters.bytesIn += bytes
  }

  /** It has become an event, or nothing. */
  end(): void {
    this.#add(-this.#bytes)
    afterFreed(this.#app.gateway)
  }

  #add(bytes: number): void {
    this.#bytes += bytes
    this.#app.arriving += bytes
    this.#app.gateway.waiting.bytes += bytes
  }
}
