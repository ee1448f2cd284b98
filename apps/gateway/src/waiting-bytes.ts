import type { App } from './app.ts'

/** Up to here an app has its part whatever waits for others: few apps cannot keep all others out. */
const LITTLE_BYTES = 64 * 1024
/** What such requests may take beyond the bound, of it: clients can begin very many, for all apps. */
const SPARE = 1 / 4
/** Below so much of the bound those go on who had to wait for the others. Less than all of it, or they would stop and go with each event. */
const ROOM_BELOW = 7 / 8

/**
 * What waits in a gateway for all apps together: events, and requests that are still arriving. What may wait for one is in its limits,
 * but there are many apps.
 */
export class WaitingBytes {
  readonly most: number
  bytes = 0
  /** Apps whose sockets are not read for what waits for all. */
  readonly held = new Set<App>()

  constructor(most: number) {
    this.most = most
  }

  /** `bytes` more of a request fit in, for an app with `ofApp` waiting already. */
  fit(ofApp: number, bytes: number): boolean {
    return this.bytes + bytes <= (ofApp + bytes <= LITTLE_BYTES ? this.most * (1 + SPARE) : this.most)
  }

  /** Too much for all, and not little for the app for which so much waits. */
  isTooMuch(ofApp: number): boolean {
    return this.bytes > this.most && ofApp > LITTLE_BYTES
  }

  /** An app for which so much waits can go on. */
  hasRoom(ofApp: number): boolean {
    return this.bytes <= this.most * ROOM_BELOW || ofApp <= LITTLE_BYTES / 2
  }
}
