/**
 * What the trusted processes and the workers ask of each other, now and then. One type a direction:
 * `GatewayCalls` are the calls that a gateway answers, and so on.
 */
import type { Limits } from '@socklet/config'
import type { AppCounts } from './counts.ts'
import type { LogLevel, LogLine } from './log.ts'

/** What a gateway has to know of an app. */
export interface AppRoute {
  appid: string
  /** Another app that gets the appid later has another. */
  instance: string
  /** Its number on links. A number is never given to another app while the pool lives. */
  app: number
  state: 'running' | 'suspended'
  limits: Limits
  /** Functions by name, with the HTTP methods they list; an empty list means all. */
  functions: Record<string, string[]>
  /** `__websocket__` may have an `upgrade(ctx)`: clients are accepted when it has been asked. */
  upgrade: boolean
}

/** Which worker holds an app. Events go there with this generation; frames of any other are dropped. */
export interface Placement {
  app: number
  worker: number
  generation: number
}

/**
 * How an app lost its last isolate: it had none; it was put away because it was idle (so what it was sent meanwhile it has not seen), or in the midst of its work; by what may have been its own
 * doing; or because somebody from outside killed the process, which says nothing against the events that it had.
 */
export type Loss = 'none' | 'idle' | 'putAway' | 'crashed' | 'killed'

// --- pool, asked by a gateway -----------------------------------------------------------------

export type PoolCallsOfGateway = {
  /** First call on the link. */
  hello: { params: { gateway: number; version: number; pid?: number }; result: null }
  /** null if there is no such app. `soon`: a client waits for a WebSocket. If the app can serve one it is placed first, so that `placed` comes before the answer. */
  locate: { params: { appid: string; soon?: boolean }; result: AppRoute | null }
  /** A worker for the app, starting its isolate if need be. Refused with code `unavailable` if it cannot run. */
  place: { params: { app: number }; result: Placement }
  /**
   * This gateway has let go of its clients, and stops. Answered when all gateways have said so and what the apps have
   * changed is stored, since their workers end with the first link that closes.
   */
  stopping: { params: null; result: null }
  /** Something about an app that belongs into its log. */
  log: { params: { app: number; line: LogLine }; result: null }
}

// --- gateway, asked by the pool ---------------------------------------------------------------

export interface ConnectionInfo {
  id: string
  /** ISO time of the upgrade. */
  since: string
  address: string
  url: string
  protocol: string
  messagesIn: number
  messagesOut: number
  bytesIn: number
  bytesOut: number
  /** Bytes that wait for the client to read them. */
  buffered: number
  rooms: string[]
}

export interface AppTraffic {
  connections: number
  connectionsOpened: number
  events: { connection: number; message: number; close: number; error: number; request: number }
  messagesOut: number
  bytesIn: number
  bytesOut: number
  /** Events that are not settled. */
  queueEvents: number
  queueBytes: number
  /** Refused upgrades and requests, by HTTP status. */
  refused: Record<string, number>
  /** How often a limit was reached, by its key. */
  limits: Record<string, number>
}

export type GatewayCalls = {
  /** The app is new, changed, or gone (route null: its connections are closed with 1001). Answered when it is in force. */
  route: { params: { appid: string; route: AppRoute | null }; result: null }
  /** The app is at another place from now on: attach its connections there and send again what is not settled. null: it is put away. */
  placed: { params: { app: number; placement: Placement | null; loss: Loss }; result: null }
  /** The app cannot run: its connections are closed with 1011. */
  failed: { params: { app: number }; result: null }
  /** In the order of their numbers, from `after` on; `next` is set if there are more, also with a limit of 0. A page may be shorter where they are in many rooms. */
  connections: { params: { app: number; limit: number; after: number; room?: string }; result: { items: ConnectionInfo[]; next?: number } }
  connection: { params: { app: number; id: string }; result: ConnectionInfo | null }
  /** false if there is no such connection. */
  closeConnection: { params: { app: number; id: string; code: number; reason: string }; result: boolean }
  /** false if there is no such connection. `data` is base64 if `binary`: an operator's single message, not the message path. */
  sendTo: { params: { app: number; id: string; data: string; binary: boolean }; result: boolean }
  traffic: { params: { app?: number }; result: Record<number, AppTraffic> }
}

// --- worker, asked by the pool ----------------------------------------------------------------

/** A compiled function, as the isolate loads it. */
export interface FunctionSource {
  name: string
  version: number
  /** CommonJS made by the compiler. */
  code: string
}

/** A module of the platform that only few apps need: its code comes with the release of those. CommonJS. */
export interface ModuleSource {
  name: string
  code: string
}

/** All that an isolate needs of its app. */
export interface AppRelease {
  appid: string
  functions: FunctionSource[]
  modules: ModuleSource[]
  env: Record<string, string>
  /** What its tokens are signed with, as text. */
  secret: string
  limits: Limits
}

/** Why a function cannot be loaded. */
export interface LoadProblem {
  function: string
  /** Such as `TypeError: x is not a function`. */
  message: string
  /** Of what it threw. Lines and columns are those of the compiled code; the console makes them those of the source. */
  stack?: string
}

/** A change of an app that is not stored yet. */
export interface TrialChange {
  appid: string
  /** Functions that are new or changed. */
  put: Omit<FunctionSource, 'version'>[]
  remove: string[]
  /** All that are not in `put` are removed. */
  prune: boolean
  /** Functions that are none of the change's, but import one of it. */
  dependents: string[]
  /** The environment after the change, if that changes: then all functions are loaded anew. */
  env?: Record<string, string>
}

/** Of the isolate that the app has now. */
export interface IsolateStats {
  turns: number
  events: number
  heapBytes: number
  /** Events in the mailbox, and whether a turn runs. */
  waiting: number
  running: boolean
}

export type WorkerCalls = {
  /** First call on the link, after the blob `snapshot`. Answered when the worker takes apps. */
  hello: { params: { version: number; turns: number }; result: null }
  /** Take the app. Answered when events may come; the isolate may still be starting. */
  hold: { params: { app: number; generation: number; release: AppRelease; /** Its turns are told for so many milliseconds, see FrameType.TURN. */ watchMs?: number }; result: null }
  /**
   * Put the app's isolate away, once what it has changed is stored. Answered when it is gone; with false, if it was to go
   * only `ifIdle` and has something to do. `discard`: at once, nothing of it is wanted any more.
   */
  putAway: { params: { app: number; ifIdle?: boolean; discard?: boolean }; result: boolean }
  /** Functions, env or limits have changed: load them beside the old ones and switch between turns. Answered when the next event runs the new code. */
  update: { params: { app: number; generation: number; release: AppRelease }; result: null }
  /** Remove a key of `cloud.shared`; base64 of its bytes. Answered when that is stored. */
  forget: { params: { app: number; generation: number; key: string }; result: null }
  stats: { params: { app?: number }; result: Record<number, IsolateStats> }
  /**
   * Load these functions of the release, each as its first event would, in an isolate that is thrown away; a copy of the
   * app's shared values came before under `number`. `lost`: a thread does not end, and this process has to be replaced.
   */
  trial: { params: { number: number; release: AppRelease; names: string[] }; result: { problems: LoadProblem[]; lost: boolean } }
  /** Answered at once by a worker that is alive. */
  ping: { params: null; result: null }
  /** For so long, the pool is told of all apps when a turn begins and ends. Milliseconds. */
  watch: { params: { ms: number }; result: null }
}

// --- pool, told by a worker -------------------------------------------------------------------

export type PoolCallsOfWorker = {
  /** The app's isolate is gone, not on the pool's word. */
  down: { params: { app: number; generation: number; reason: string; fault: 'tenant' | 'platform' }; result: null }
  /** The app has had nothing to do for as long as its limit `idleMs` says. */
  idle: { params: { app: number; generation: number }; result: null }
  /** A thread is lost: this process has to be replaced and killed. */
  tainted: { params: { reason: string }; result: null }
}

// --- pool, asked by the console ---------------------------------------------------------------

export interface LogEntry extends LogLine {
  /** Grows with time; the place to go on reading. */
  id: number
}

export interface LogQuery {
  appid: string
  limit: number
  /** Entries older than this id only. */
  before?: number
  /** This level and the graver ones. */
  level?: LogLevel
  function?: string
  requestId?: string
  connection?: string
}

export interface LogPage {
  /** Newest first. May be fewer than were asked for, where they are long. */
  items: LogEntry[]
  /** `before` of the next page; absent at the end. */
  next?: number
}

export interface AppStats {
  connections: number
  traffic: AppTraffic
  /** Since the pool started. */
  counts: AppCounts
  isolate: IsolateStats | null
  /** Isolates that were started anew after one was lost. */
  restarts: number
  /** Times that its worker was ended because of its memory, while this app was in a turn or alone in it. */
  workerMemoryKills: number
  /** How often limits were reached, by key: those of `traffic` among them. */
  limits: Record<string, number>
  hibernated: boolean
  worker: number | null
  generation: number
}

/** What workers run inside of. */
export type SandboxKind = 'bwrap' | 'none'

export interface ProcessInfo {
  /** `spare`: a worker that takes the place of one that dies; `trial`: one in which functions are tried before they are stored. */
  kind: 'gateway' | 'pool' | 'console' | 'worker' | 'spare' | 'trial'
  index: number
  pid: number
  rssBytes: number
  uptimeSeconds: number
  /** Apps that a worker holds. */
  apps?: string[]
  restarts?: number
}

export type PoolCallsOfConsole = {
  hello: { params: { version: number; pid?: number }; result: null }
  /** The catalog has changed for this app: put it in force everywhere. Answered when it is. */
  appChanged: { params: { appid: string }; result: null }
  restart: { params: { appid: string }; result: null }
  /**
   * Loads what a change would load, where it can hurt nothing, before it is stored. The result is what keeps it from
   * being: what a function of the change threw, or another one that can be loaded as things are now.
   */
  trial: { params: TrialChange; result: LoadProblem[] }
  stats: { params: { appid: string }; result: AppStats }
  /** Stats of all apps that are or were running, for /metrics. */
  allStats: { params: null; result: Record<string, AppStats> }
  logs: { params: LogQuery; result: LogPage }
  /** From now on, notes `logged` bring the app's new entries; `off` ends it. */
  tail: { params: { appid: string; off?: boolean }; result: null }
  connections: { params: { appid: string; limit: number; cursor?: string; room?: string }; result: { items: ConnectionInfo[]; nextCursor?: string } }
  connection: { params: { appid: string; id: string }; result: ConnectionInfo | null }
  closeConnection: { params: { appid: string; id: string; code: number; reason: string }; result: boolean }
  sendTo: { params: { appid: string; id: string; data: string; binary: boolean }; result: boolean }
  /** Removes a key of `cloud.shared`; base64 of its bytes. false if there is none. */
  sharedDelete: { params: { appid: string; key: string }; result: boolean }
  processes: { params: null; result: ProcessInfo[] }
  /** `workerRestarts`: workers that have ended and were replaced. */
  runtime: { params: null; result: { sandbox: SandboxKind; workerRestarts: number } }
  /** true once there are workers and gateways. */
  ready: { params: null; result: boolean }
}

// --- console, told by the pool ----------------------------------------------------------------

export type ConsoleCallsOfPool = {
  logged: { params: { appid: string; entries: LogEntry[] }; result: null }
}

// --- gateway, pool and console, asked by the supervisor ---------------------------------------

/** What the supervisor knows of the platform. */
export interface PlatformState {
  /** All processes do their work. */
  ready: boolean
  /** When it was started. Epoch milliseconds. */
  since: number
  /** How often each process was started anew, by its name: `pool`, `gateway-0`, `console`. */
  restarts: Record<string, number>
}

export type ChildCalls = {
  /** Ends the process in order, within `graceMs`. */
  stop: { params: { graceMs: number }; result: null }
  /** The platform as a whole is ready, or is not any more: what /readyz says. */
  platform: { params: PlatformState; result: null }
}

// --- supervisor, told by its children ---------------------------------------------------------

export type SupervisorCalls = {
  /** Once, when the child does its work. `port` is where it listens, if it does. */
  ready: { params: { port?: number }; result: null }
}
