import type { LogEntry } from '@socklet/protocol'
import { UserFault } from './errors.ts'
import type { PoolClient } from './pool-client.ts'
import { mayHaveStack } from './stacks/frames.ts'
import type { LogStacks } from './stacks/log-stacks.ts'

/** Somebody who follows an app's log. */
export interface Follower {
  onEntries: (entries: LogEntry[]) => void
  /** The app is gone, or the console stops. */
  onEnd: () => void
}

const MAX_PER_APP = 32
const MAX_FOLLOWERS = 1_000
/** What the places of stacks in sources are waited for: a live log is live. */
const STACKS_PATIENCE_MS = 500
/** With more at once nobody reads them as they come. */
const MAX_READABLE = 1_000

/** Live logs: however many follow an app, the pool is asked for it once. */
export class Tails {
  readonly #pool: () => PoolClient
  readonly #stacks: LogStacks
  readonly #followers = new Map<string, Set<Follower>>()
  /** What was logged while the stacks of what was before it are made readable, by app. */
  readonly #waiting = new Map<string, LogEntry[]>()
  #count = 0

  /** The pool's client is given as a function, because it needs `onLogged` of this object. */
  constructor(pool: () => PoolClient, stacks: LogStacks) {
    this.#pool = pool
    this.#stacks = stacks
  }

  /**
   * Gives the follower what is logged from now on, until the function that it returns is called.
   * @throws UserFault `busy`, PlatformFault `unavailable`
   */
  async follow(appid: string, follower: Follower): Promise<() => void> {
    const followers = this.#followers.get(appid) ?? new Set()
    if (followers.size >= MAX_PER_APP || this.#count >= MAX_FOLLOWERS) throw new UserFault('busy', `too many follow the log of ${appid} already`)
    this.#followers.set(appid, followers.add(follower))
    this.#count += 1
    const stop = (): void => this.#drop(appid, follower)
    try {
      // Asked for by each follower: none of them may wait for another's call that has failed.
      await this.#pool().call('tail', { appid })
    } catch (error) {
      stop()
      throw error
    }
    return stop
  }

  onLogged(appid: string, entries: LogEntry[]): void {
    const waiting = this.#waiting.get(appid)
    if (waiting !== undefined) waiting.push(...entries)
    else if (entries.some(({ message }) => mayHaveStack(message))) void this.#giveReadable(appid, entries)
    else this.#give(appid, entries)
  }

  #give(appid: string, entries: LogEntry[]): void {
    for (const follower of this.#followers.get(appid) ?? []) follower.onEntries(entries)
  }

  async #giveReadable(appid: string, first: LogEntry[]): Promise<void> {
    const waiting: LogEntry[] = []
    this.#waiting.set(appid, waiting)
    for (let entries = first; entries.length > 0; entries = waiting.splice(0)) {
      this.#give(appid, entries.length > MAX_READABLE ? entries : await this.#stacks.readable(appid, entries, STACKS_PATIENCE_MS))
    }
    this.#waiting.delete(appid)
  }

  /** A pool that was restarted knows nothing of what we follow. */
  onConnected(): void {
    for (const appid of this.#followers.keys()) this.#tell(appid, false)
  }

  /** Ends all that follow this app, or all. */
  end(appid?: string): void {
    const ended = appid === undefined ? [...this.#followers.values()] : [this.#followers.get(appid) ?? new Set<Follower>()]
    for (const follower of ended.flatMap((followers) => [...followers])) follower.onEnd()
  }

  #drop(appid: string, follower: Follower): void {
    const followers = this.#followers.get(appid)
    if (followers === undefined || !followers.delete(follower)) return
    this.#count -= 1
    if (followers.size > 0) return
    this.#followers.delete(appid)
    this.#tell(appid, true)
  }

  #tell(appid: string, off: boolean): void {
    if (!this.#pool().connected) return
    this.#pool()
      .call('tail', off ? { appid, off } : { appid })
      // The client has logged it; when the link comes back, it all begins anew.
      .catch(() => {})
  }
}
