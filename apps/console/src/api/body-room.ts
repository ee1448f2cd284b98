import type { Caller } from '../auth.ts'
import { UserFault } from '../errors.ts'

const MiB = 1024 * 1024
/** A body has room up to here whatever else is being sent. */
const SMALL_BYTES = 64 * 1024
/** Of all bodies that are being read or worked on, so that many large ones at a time cannot fill the memory. */
const ALL_BYTES = 256 * MiB
/** Of those for one app, so that it cannot take all: as much as the largest body that there is. */
const APP_BYTES = 64 * MiB
/** More for small bodies, which come in when large ones have taken the rest. */
const APP_SMALL_BYTES = 16 * MiB

/**
 * Room for the bodies of requests. What counts is what has arrived and not what is announced, which costs its sender
 * nothing. The operator always has room: no tenant may keep him from ending what the tenant does.
 */
export class BodyRoom {
  readonly #byApp = new Map<string, number>()
  #all = 0

  /**
   * Runs work that reads a body of this caller's. The work tells what arrives before it keeps it; all of it counts
   * until the work has settled. Telling throws UserFault `busy` if there is no room for so many bytes more.
   */
  async run<T>(caller: Caller, work: (arrived: (bytes: number) => void) => Promise<T>): Promise<T> {
    const appid = caller.kind === 'app' ? caller.appid : null
    let held = 0
    try {
      return await work((bytes) => {
        if (appid !== null) this.#check(appid, bytes, held + bytes <= SMALL_BYTES)
        held += bytes
        this.#add(appid, bytes)
      })
    } finally {
      this.#add(appid, -held)
    }
  }

  #check(appid: string, bytes: number, small: boolean): void {
    const ofApp = (this.#byApp.get(appid) ?? 0) + bytes
    if (ofApp > APP_BYTES + (small ? APP_SMALL_BYTES : 0)) throw new UserFault('busy', `too many large bodies are being sent for ${appid} at the moment`)
    if (!small && this.#all + bytes > ALL_BYTES) throw new UserFault('busy', 'too many large bodies are being sent at the moment')
  }

  #add(appid: string | null, bytes: number): void {
    this.#all += bytes
    if (appid === null) return
    const ofApp = (this.#byApp.get(appid) ?? 0) + bytes
    if (ofApp === 0) this.#byApp.delete(appid)
    else this.#byApp.set(appid, ofApp)
  }
}
