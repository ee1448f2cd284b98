import { Agent, type Dispatcher } from 'undici'
import { guardedConnector, type ConnectOptions } from './connect.ts'

/** An open connection that is not used is closed after this time, whatever its server says of it. */
const KEEP_ALIVE_MS = 4_000
/** An app with more open connections than this does not keep the ones that it opens: names and servers are cheap, descriptors are not. */
const MAX_KEPT = 64
/** Connections of an app that makes no requests are closed after this time. */
const KEEP_MS = 10_000
/** In bytes, all of them together. */
const MAX_ANSWER_HEADERS = 32 * 1024

/** What a request is sent with. */
export interface Way {
  agent: Dispatcher
  /** Whether the connection is to be closed after it. */
  readonly isCrowded: boolean
}

interface Kept extends Way {
  agent: Agent
  users: number
  timer: NodeJS.Timeout | null
}

/** One agent for each app: a connection that one tenant has used, and may have confused, is never used for another. */
export class Agents {
  readonly #options: ConnectOptions
  readonly #kept = new Map<number, Kept>()

  constructor(options: ConnectOptions) {
    this.#options = options
  }

  /** The app's agent, until `leave`. */
  enter(app: number): Way {
    const kept = this.#kept.get(app) ?? this.#make(app)
    if (kept.timer !== null) clearTimeout(kept.timer)
    kept.timer = null
    kept.users++
    return kept
  }

  leave(app: number): void {
    const kept = this.#kept.get(app)
    if (kept === undefined || --kept.users > 0) return
    kept.timer = setTimeout(() => {
      this.#kept.delete(app)
      void kept.agent.destroy()
    }, KEEP_MS)
  }

  async close(): Promise<void> {
    const all = [...this.#kept.values()]
    this.#kept.clear()
    for (const { timer } of all) if (timer !== null) clearTimeout(timer)
    await Promise.all(all.map(({ agent }) => agent.destroy()))
  }

  #make(app: number): Kept {
    let open = 0
    const connect = guardedConnector(this.#options, (socket) => {
      open++
      socket.once('close', () => open--)
    })
    const kept: Kept = {
      agent: new Agent({ connect, allowH2: false, pipelining: 1, maxHeaderSize: MAX_ANSWER_HEADERS, keepAliveTimeout: KEEP_ALIVE_MS, keepAliveMaxTimeout: KEEP_ALIVE_MS }),
      users: 0,
      timer: null,
      get isCrowded() {
        return open >= MAX_KEPT
      }
    }
    this.#kept.set(app, kept)
    return kept
  }
}
