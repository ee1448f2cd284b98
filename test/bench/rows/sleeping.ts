import { setTimeout as sleep } from 'node:timers/promises'
import { holding } from '../load.ts'
import { memoryOf } from '../proc.ts'
import type { Line, Row } from '../row.ts'
import { startSocklet, untilAsleep, type Socklet } from '../servers/server.ts'
import { ECHO } from '../servers/functions.ts'

const CONNECTIONS = 10_000
const QUICK_CONNECTIONS = 2_000
/** The first ones bring code and tables with them that all others share. */
const FEW = 100
const ASLEEP_WITHIN_MS = 30_000
/** Long enough that what is collected and given back now and then has been. */
const REST_MS = 3_000
const KiB = 1024

/** What a connection takes while nothing of its app is there. */
export const sleeping: Row = {
  name: 'sleeping',
  what: 'a connection of a hibernated app',
  takesLong: true,
  run: async ({ quick, say }): Promise<Line[]> => {
    const count = quick ? QUICK_CONNECTIONS : CONNECTIONS
    const socklet = await startSocklet({ bench: { functions: { __websocket__: ECHO }, limits: { idleMs: 1_000 } } })
    const few = await holding(socklet, FEW, () => rested(socklet))
    say(`${count} connections`)
    const many = await holding(socklet, count, () => rested(socklet))
    const measure = `a connection of a hibernated app, of ${count.toLocaleString('en-US')}: memory`
    return [{ measure, unit: 'KiB', socklet: [(many - few) / (count - FEW) / KiB], reach: { of: 'value', most: 8 } }]
  }
}

async function rested({ platform, pid }: Socklet): Promise<number> {
  await untilAsleep(platform, ASLEEP_WITHIN_MS)
  await sleep(REST_MS)
  return memoryOf(pid)
}
