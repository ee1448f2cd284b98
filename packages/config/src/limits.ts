/**
 * The limits of an app: default, the operator's ceiling, and what they mean, in one place.
 * The admin REST validates against this list, and the docs table is made from it.
 */
interface LimitSpec {
  readonly default: number
  /** Smallest value that can be set. */
  readonly min: number
  /** Largest value that can be set. */
  readonly max: number
  readonly doc: string
}

const MiB = 1024 * 1024

export const LIMITS = {
  connections: { default: 10_000, min: 0, max: 1_000_000, doc: 'open connections, in each gateway; above it an upgrade gets 429' },
  messageBytes: { default: MiB, min: 1, max: 16 * MiB, doc: 'bytes of one message from a client; a larger one closes the connection with 1009. One of more than 16,384 fragments closes it with 1008 if they are below 32 bytes on average, or if there are more than messageBytes / 64 of them' },
  compressFromBytes: { default: 0, min: 0, max: 16 * MiB, doc: 'messages to clients from this size on are compressed (permessage-deflate) where the client offers it; 0: compression is off' },
  messagesPerSecond: { default: 1_000, min: 1, max: 1_000_000, doc: 'messages in a second from one connection, in bursts twice that; above it reading pauses, after 10 s of that the connection is closed with 1008. Pings and pongs count as well. Fragments below 1 KiB are read at 20,000 in a second, of all connections of the app together' },
  sendBufferBytes: { default: 16 * MiB, min: 1024, max: 256 * MiB, doc: 'bytes that wait for one slow client; above it the connection is closed with 1013' },
  sendBufferTotalBytes: { default: 128 * MiB, min: 1024, max: 4 * 1024 * MiB, doc: 'bytes that wait for all slow clients together, in each gateway, a message to many counted once; above it those that have most waiting are closed with 1013' },
  queueEvents: { default: 10_000, min: 1, max: 1_000_000, doc: 'events that wait for the app; above it its sockets are not read until it catches up' },
  queueBytes: { default: 16 * MiB, min: 1024, max: 256 * MiB, doc: 'bytes of events that wait for the app, as queueEvents' },
  turnCpuMs: { default: 1_000, min: 10, max: 60_000, doc: 'CPU milliseconds of one turn; above it the turn is ended and the isolate replaced (the first such turn of an app that was quick for long and is alone in its worker may take 5,000)' },
  minuteCpuMs: { default: 30_000, min: 100, max: 60_000, doc: 'CPU milliseconds in a minute; above it the app is slowed down' },
  handlerMs: { default: 60_000, min: 100, max: 3_600_000, doc: 'wall-clock milliseconds of one handler; above it its result is dropped' },
  heapMiB: { default: 64, min: 16, max: 1_024, doc: 'MiB of heap of the isolate; above it the isolate is replaced' },
  timers: { default: 10_000, min: 0, max: 1_000_000, doc: 'timers that are set at the same time; above it setTimeout throws a RangeError' },
  sharedBytes: { default: 16 * MiB, min: 1024, max: 48 * MiB, doc: 'bytes in cloud.shared, as they are stored; above it set throws a RangeError' },
  sharedKeys: { default: 10_000, min: 1, max: 1_000_000, doc: 'keys in cloud.shared; above it set throws a RangeError' },
  logLinesPerSecond: { default: 100, min: 1, max: 100_000, doc: 'log lines in a second; what is above is dropped and counted' },
  logLineBytes: { default: 8 * 1024, min: 80, max: MiB, doc: 'bytes of one log line; a longer one is cut' },
  sourceBytes: { default: MiB, min: 1, max: 16 * MiB, doc: "bytes of one function's source; above it publishing gives 413" },
  functions: { default: 200, min: 1, max: 10_000, doc: 'functions of the app; above it publishing gives 422' },
  fetches: { default: 64, min: 0, max: 10_000, doc: 'outgoing requests at a time' },
  fetchMs: { default: 30_000, min: 100, max: 600_000, doc: 'milliseconds of one outgoing request' },
  dedicatedWorker: { default: 0, min: 0, max: 1, doc: '1: the app has a worker process of its own, in which no other app ever runs (SECURITY.md says against what); it takes a worker’s memory, and the first event after a rest waits for a process to start' },
  idleMs: { default: 10_000, min: 100, max: 86_400_000, doc: 'milliseconds without events, timers, listeners or unsettled handlers before the isolate is put away; connections, data, rooms and shared values stay' }
} as const satisfies Record<string, LimitSpec>

export type LimitName = keyof typeof LIMITS
export type Limits = Record<LimitName, number>

export const LIMIT_NAMES = Object.keys(LIMITS) as LimitName[]

export const DEFAULT_LIMITS: Limits = Object.freeze(
  Object.fromEntries(LIMIT_NAMES.map((name) => [name, LIMITS[name].default]))
) as Limits

/** The limits in force for an app that has set some of its own. */
export function effectiveLimits(own: Partial<Limits>): Limits {
  return { ...DEFAULT_LIMITS, ...own }
}
