import type { Placement } from '@socklet/protocol'
import type { Apps } from './apps.ts'
import type { Connection } from './connection.ts'
import type { Heartbeat } from './heartbeat.ts'
import type { Numbers } from './numbers.ts'
import type { PoolLink } from './pool-link.ts'
import type { RateLimiter } from './rate.ts'
import type { ReadingTurns } from './reading-share.ts'
import type { SendMemory } from './send-memory.ts'
import type { Settings, Times } from './settings.ts'
import type { WaitingBytes } from './waiting-bytes.ts'
import type { WebSocketAcceptor } from './websocket-server.ts'
import type { WorkerLinks } from './worker-links.ts'
import type { WritingTurns } from './writing-share.ts'

/** What the parts of one gateway share. */
export interface Gateway {
  readonly settings: Settings
  readonly times: Times
  /** Begins the id of every connection; no other life of any gateway has it. */
  readonly bootId: string
  readonly numbers: Numbers
  readonly apps: Apps
  readonly pool: PoolLink
  readonly links: WorkerLinks
  /** Where apps are that nobody here has asked for, until the link to their worker is there. */
  readonly strangers: Map<number, Placement>
  readonly sockets: WebSocketAcceptor
  readonly heartbeat: Heartbeat
  readonly rates: RateLimiter
  /** Divides its time between the clients of different apps. */
  readonly readingTurns: ReadingTurns
  /** The same for what apps send. */
  readonly writingTurns: WritingTurns
  /** What waits for all apps. */
  readonly waiting: WaitingBytes
  /** What waits for slow clients of all apps. */
  readonly sendMemory: SendMemory
  /** Connections that were sent something since the last flush. */
  readonly touched: Connection[]
  /** Connections opened in this life, the other half of their ids. */
  opened: number
  /** No new connections and requests. */
  stopping: boolean
  /** What the supervisor said last; null if there is none. */
  platformReady: boolean | null
}
