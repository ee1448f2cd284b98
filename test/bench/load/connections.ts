import { LoadClient, type ClientEvents } from './client.ts'
import type { Target } from './spec.ts'

/** So many handshakes at a time: a server's queue of new connections is not what is measured. */
const AT_A_TIME = 64
const CLOSE_TIMEOUT_MS = 3_000

export interface Connections {
  readonly clients: LoadClient[]
  /** Closes all in order, and waits for that. */
  close(): Promise<void>
}


/** Opens all connections, and fails if one is refused. `fail` is told of one that is lost later. */
export function openAll(target: Target, count: number, onMessages: ClientEvents['messages'], fail: (why: string) => void): Promise<Connections> {
  const { promise, resolve, reject } = Promise.withResolvers<Connections>()
  const clients: LoadClient[] = []
  let open = 0
  let gone = 0
  let onAllGone: (() => void) | null = null
  const next = (): void => {
    if (clients.length < count) clients.push(new LoadClient(target.port, target.paths[clients.length % target.paths.length]!, clients.length, events, target.from))
  }
  const events: ClientEvents = {
    open: () => {
      open++
      if (open === count) resolve({ clients, close })
      else next()
    },
    messages: onMessages,
    gone: (client, why) => {
      gone++
      if (gone === clients.length) onAllGone?.()
      if (why === '') return
      const message = `connection ${client.index} of ${count}: ${why}`
      reject(new Error(message))
      fail(message)
    }
  }
  const close = async (): Promise<void> => {
    const allGone = new Promise<void>((done) => {
      onAllGone = done
    })
    const timer = setTimeout(() => clients.forEach((client) => client.destroy()), CLOSE_TIMEOUT_MS)
    for (const client of clients) client.close()
    await allGone
    clearTimeout(timer)
  }
  for (let i = 0; i < Math.min(AT_A_TIME, count); i++) next()
  return promise
}
