import { setTimeout as sleep } from 'node:timers/promises'
import { load } from '../load.ts'
import { memoryOf } from '../proc.ts'
import type { Line, Row } from '../row.ts'
import { addApp, pathOf, startSocklet } from '../servers/server.ts'
import { largeEcho } from '../servers/functions.ts'

const APP_BYTES = 50_000
const ROUND = 20
/** V8 keeps what it has allocated for a while. */
const REST_MS = 500
/** With the first app comes a spare worker (pool/workers.ts), which is a cost of the platform and not of an app: it is to be there when counting begins. */
const SPARE_WORKER_MS = 2_500
/** Each finds the platform at rest, as in wake.ts. */
const PAUSE_MS = 60
const MiB = 1024 * 1024

/** From the first packet of a client to its echo, when the app's isolate is not there yet. */
export const first: Row = {
  name: 'first',
  what: 'first connect and echo to an app of 50 KB that is not loaded',
  run: async ({ rounds, say }): Promise<Line[]> => {
    const socklet = await startSocklet({ warm: { functions: { __websocket__: largeEcho(APP_BYTES, 'warm') } } })
    const names = Array.from({ length: rounds }, (_, round) => Array.from({ length: ROUND }, (__, n) => `cold-${round}-${n}`))
    say(`making ${rounds * ROUND} apps`)
    // Not idle for so long that it is put away meanwhile.
    for (const appid of names.flat()) await addApp(socklet.platform, appid, { functions: { __websocket__: largeEcho(APP_BYTES, appid) }, limits: { idleMs: 600_000 } })
    await load(socklet, { kind: 'first', bytes: 64 })
    await sleep(SPARE_WORKER_MS)
    const before = memoryOf(socklet.pid)
    const times: number[] = []
    for (const appids of names) times.push((await load({ ...socklet, paths: appids.map(pathOf) }, { kind: 'first', bytes: 64, pauseMs: PAUSE_MS })).latency.p50 / 1000)
    await sleep(REST_MS)
    const grown = memoryOf(socklet.pid) - before
    return [
      { measure: 'first connect and echo to an app of 50 KB that is not loaded: p50', unit: 'ms', socklet: times, reach: { of: 'value', most: 6 } },
      { measure: 'an idle loaded app of 50 KB: memory', unit: 'MiB', socklet: [grown / MiB / (rounds * ROUND)], reach: { of: 'value', most: 2.5 } }
    ]
  }
}
