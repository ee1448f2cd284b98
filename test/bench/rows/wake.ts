import { waking } from '../load.ts'
import type { LoadResult } from '../load/spec.ts'
import type { Line, Row } from '../row.ts'
import { addApp, pathOf, startSocklet, untilAsleep } from '../servers/server.ts'
import { largeEcho } from '../servers/functions.ts'

const APP_BYTES = 50_000
const APPS = 50
const QUICK_APPS = 10
/** Long enough that no app goes to sleep again while others still wake. */
const IDLE_MS = 5_000
const ASLEEP_WITHIN_MS = 60_000
/** Each finds the platform at rest. */
const PAUSE_MS = 60

/** From a message to its echo when the app has been put away. */
export const wake: Row = {
  name: 'wake',
  what: 'a message to a hibernated app of 50 KB',
  takesLong: true,
  run: async ({ quick, rounds, say }): Promise<Line[]> => {
    const socklet = await startSocklet({})
    const appids = Array.from({ length: quick ? QUICK_APPS : APPS }, (_, n) => `sleeper-${n}`)
    say(`making ${appids.length} apps`)
    for (const appid of appids) await addApp(socklet.platform, appid, { functions: { __websocket__: largeEcho(APP_BYTES, appid) }, limits: { idleMs: IDLE_MS } })
    const results: LoadResult[] = []
    for (let round = 0; round < rounds; round++) {
      say(`round ${round + 1} of ${rounds}`)
      results.push(await waking({ ...socklet, paths: appids.map(pathOf) }, { kind: 'wake', bytes: 64, pauseMs: PAUSE_MS }, () => untilAsleep(socklet.platform, ASLEEP_WITHIN_MS)))
    }
    const line = (share: 'p50' | 'p99', most: number): Line => ({
      measure: `a message to a hibernated app of 50 KB: ${share} of the time to its echo`,
      unit: 'ms',
      socklet: results.map(({ latency }) => latency[share] / 1000),
      reach: { of: 'value', most }
    })
    return [line('p50', 6), line('p99', 25)]
  }
}
