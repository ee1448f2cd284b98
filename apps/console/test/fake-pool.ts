import { createServer, type Server } from 'node:net'
import { CallError, LOG_PAGE_CHARACTERS, Link, controlLink, takePage, type AppStats, type CallHandlers, type ConnectionInfo, type ConsoleCallsOfPool, type Control, type LogEntry, type PoolCallsOfConsole, type ProcessInfo } from '@socklet/protocol'

type Handlers = CallHandlers<PoolCallsOfConsole>

/**
 * The pool's end of the link, played on a real Unix socket with the real protocol. The real pool is tested
 * end to end elsewhere; here it is what the console asks of it that matters.
 */
export class FakePool {
  readonly path: string
  /** All calls, in order. */
  readonly calls: { method: string; params: unknown }[] = []
  connections: ConnectionInfo[] = []
  entries: LogEntry[] = []
  isReady = true
  /** Stands in for a handler, for one test. */
  override: Partial<Handlers> = {}
  #server: Server | undefined
  #links = new Set<{ link: Link; control: Control<ConsoleCallsOfPool, PoolCallsOfConsole> }>()

  constructor(path: string) {
    this.path = path
  }

  async start(): Promise<void> {
    this.#server = createServer((socket) => {
      const made = controlLink<ConsoleCallsOfPool, PoolCallsOfConsole>((on) => new Link(socket, on), this.#recording(), { close: () => this.#links.delete(made) })
      this.#links.add(made)
    })
    await new Promise<void>((resolve) => this.#server!.listen(this.path, resolve))
  }

  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    for (const { link } of this.#links) link.destroy()
    await new Promise((resolve) => server.close(resolve))
  }

  logged(appid: string, entries: LogEntry[]): void {
    for (const { control } of this.#links) control.note('logged', { appid, entries })
  }

  /** Settles when the console has dealt with all that was logged so far: a link keeps the order. */
  async flushed(): Promise<void> {
    await Promise.all([...this.#links].map(({ control }) => control.call('logged', { appid: 'nobody', entries: [] })))
  }

  called(method: string): unknown[] {
    return this.calls.filter((call) => call.method === method).map(({ params }) => params)
  }

  #recording(): Handlers {
    const own = this.#handlers()
    const record = ([method, handler]: [string, unknown]): [string, unknown] => [
      method,
      (params: never) => {
        this.calls.push({ method, params })
        return ((this.override[method as keyof Handlers] ?? handler) as (params: never) => unknown)(params)
      }
    ]
    return Object.fromEntries(Object.entries(own).map(record)) as Handlers
  }

  #handlers(): Handlers {
    const find = (id: string): ConnectionInfo | undefined => this.connections.find((one) => one.id === id)
    return {
      hello: () => null,
      appChanged: () => null,
      restart: () => null,
      trial: () => [],
      stats: () => STATS,
      allStats: () => ({ chat: STATS, 'nasty"\n': { ...STATS, isolate: null, hibernated: true } }),
      logs: ({ limit, before }) => {
        const rest = this.entries.filter(({ id }) => before === undefined || id < before).toSorted((a, b) => b.id - a.id)
        const { items, more } = takePage(rest, { items: limit, characters: LOG_PAGE_CHARACTERS })
        return more ? { items, next: items.at(-1)!.id } : { items }
      },
      tail: () => null,
      connections: ({ limit, cursor, room }) => {
        if (cursor !== undefined && !/^\d+$/.test(cursor)) throw new CallError('invalid_cursor', 'the cursor is none of ours')
        const start = Number(cursor ?? 0)
        const all = this.connections.filter(({ rooms }) => room === undefined || rooms.includes(room))
        const next = start + limit < all.length ? { nextCursor: String(start + limit) } : {}
        return { items: all.slice(start, start + limit), ...next }
      },
      connection: ({ id }) => find(id) ?? null,
      closeConnection: ({ id }) => find(id) !== undefined,
      sendTo: ({ id }) => find(id) !== undefined,
      sharedDelete: () => true,
      processes: () => PROCESSES,
      runtime: () => ({ sandbox: 'bwrap', workerRestarts: 1 }),
      ready: () => this.isReady
    }
  }
}

export const STATS: AppStats = {
  connections: 3,
  traffic: {
    connections: 3,
    connectionsOpened: 5,
    events: { connection: 5, message: 40, close: 2, error: 0, request: 7 },
    messagesOut: 80,
    bytesIn: 1_000,
    bytesOut: 2_000,
    queueEvents: 1,
    queueBytes: 10,
    refused: { 429: 2 },
    limits: { connections: 2 }
  },
  counts: { turns: 30, errors: 1, cpuMs: 12.5, logLinesDropped: 0 },
  isolate: { turns: 30, events: 54, heapBytes: 2_000_000, waiting: 1, running: false },
  restarts: 0,
  limits: { connections: 2, timers: 1 },
  workerMemoryKills: 0,
  hibernated: false,
  worker: 0,
  generation: 1
}

const PROCESSES: ProcessInfo[] = [
  { kind: 'pool', index: 0, pid: 10, rssBytes: 1_000, uptimeSeconds: 5 },
  { kind: 'gateway', index: 0, pid: 11, rssBytes: 1_000, uptimeSeconds: 5, restarts: 0 },
  { kind: 'worker', index: 0, pid: 12, rssBytes: 1_000, uptimeSeconds: 5, apps: ['chat'], restarts: 1 }
]

export function connection(id: string, rooms: string[] = []): ConnectionInfo {
  return { id, since: '2026-01-01T00:00:00.000Z', address: '192.0.2.1', url: '/__websocket__', protocol: '', messagesIn: 1, messagesOut: 2, bytesIn: 3, bytesOut: 4, buffered: 0, rooms }
}

export function entry(id: number, more: Partial<LogEntry> = {}): LogEntry {
  return { id, time: 1_767_225_600_000 + id, level: 'info', function: '__websocket__', requestId: `r${id}`, connection: '', version: 1, message: `line ${id}`, ...more }
}
