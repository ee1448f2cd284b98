import type { Latency } from './histogram.ts'

/** Where the load goes. Connections take the paths in turn. */
export interface Target {
  port: number
  paths: string[]
  /** The server's process: CPU is that of this one and all that it has started. */
  pid: number
  /** The address to connect from, 127.0.0.1 if nothing is said. */
  from?: string
}

interface Window {
  warmupMs: number
  windowMs: number
}

/** What the generator is to do; the kinds are described in kinds/*.ts. */
export type LoadSpec =
  | ({ kind: 'echo'; connections: number; inFlight: number; bytes: number } & Window)
  | ({ kind: 'rate'; connections: number; perSecond: number; bytes: number } & Window)
  | ({ kind: 'broadcast'; connections: number; inFlight: number; bytes: number } & Window)
  | ({ kind: 'churn'; atATime: number; bytes: number } & Window)
  | { kind: 'hold'; connections: number }
  | { kind: 'probe'; connections: number; bytes: number }
  | { kind: 'first'; bytes: number; pauseMs?: number }
  /** Without `pauseMs` all at once. */
  | { kind: 'wake'; bytes: number; pauseMs?: number }

export interface LoadResult {
  /** Messages that came back; in kind `broadcast` all that were delivered, in kind `churn` connections. */
  count: number
  seconds: number
  /** CPU of all processes of the server. */
  serverCpuUs: number
  /** CPU of the generator itself. */
  loadCpuUs: number
  latency: Latency
}

/** What kind `probe` is told to do, as a line of JSON. */
export interface Probe {
  /** Messages, on as many connections. */
  count: number
  perSecond: number
  /** The place of the app's path, if only connections of this one are used. */
  app?: number
}

/** A line that the generator prints. */
export type LoadLine = { holding: number } | { probed: Latency } | { result: LoadResult } | { error: string }
