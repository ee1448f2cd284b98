import type { App } from './app.ts'
import { bytesFit } from './flow.ts'
import { reached } from './reached.ts'
import { Refusal } from './refuse.ts'
import { report } from './report.ts'

const MiB = 1024 * 1024

/** What may be on its way to all apps together: what may be for one is in its queueBytes, but there are many apps. */
const ALL_BYTES = 256 * MiB
/** Beyond that, apps for which there is no more than LITTLE_BYTES still get theirs: few apps cannot keep the small requests of all others out. */
const SPARE_BYTES = 64 * MiB
const LITTLE_BYTES = 64 * 1024
/** What a request takes beside its body, roughly. */
const REQUEST_BYTES = 128

/** Bytes of requests that are on their way to all apps of a gateway, and no events yet. */
export class ArrivingBytes {
  #bytes = 0

  /** `bytes` more fit in, for an app with `ofApp` on their way already. */
  fit(ofApp: number, bytes: number): boolean {
    return this.#bytes + bytes <= (ofApp + bytes <= LITTLE_BYTES ? ALL_BYTES + SPARE_BYTES : ALL_BYTES)
  }

  add(bytes: number): void {
    this.#bytes += bytes
  }
}

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
    const { arriving, gateway, limits } = this.#app
    if (!bytesFit(this.#app, bytes)) {
      reached(this.#app, 'queueBytes', `a request was refused with 503: more than ${limits.queueBytes} bytes of events and bodies would be waiting`)
      throw new Refusal('queue_full')
    }
    if (gateway.apps.arriving.fit(arriving, bytes)) return
    report('refusing requests', `more than ${ALL_BYTES / MiB} MiB of bodies would be on their way`)
    throw new Refusal('unavailable', 'too many bodies of requests are on their way to the platform')
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
  }

  #add(bytes: number): void {
    this.#bytes += bytes
    this.#app.arriving += bytes
    this.#app.gateway.apps.arriving.add(bytes)
  }
}
