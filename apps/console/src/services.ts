import type { Catalog } from '@socklet/catalog'
import type { PlatformState } from '@socklet/protocol'
import type { Auth } from './auth.ts'
import type { Metrics } from './metrics.ts'
import type { PoolClient } from './pool-client.ts'
import type { Publisher } from './publish/publisher.ts'
import type { LogStacks } from './stacks/log-stacks.ts'
import type { SharedReader } from './shared-reader.ts'
import type { Tails } from './tails.ts'

/** All that a route works with. */
export interface Services {
  catalog: Catalog
  pool: PoolClient
  shared: SharedReader
  publisher: Publisher
  auth: Auth
  tails: Tails
  stacks: LogStacks
  metrics: Metrics
  version: string
  /** Where clients reach the app; undefined while the gateway's port is not known. */
  appUrl: (appid: string) => string | undefined
  /** Client traffic and publishing both work. */
  isReady: () => Promise<boolean>
  /** What the supervisor said last; null without one. */
  platform: () => PlatformState | null
  heartbeatMs: number
  /** How long a body may stop coming. */
  bodySilenceMs: number
}
