import { interleaved, perSecond, UNHURRIED } from '../compare.ts'
import { load } from '../load.ts'
import type { Line, Row } from '../row.ts'
import { addApp, pathOf, startSocklet } from '../servers/server.ts'
import { ECHO } from '../servers/functions.ts'

const APPS = 500
const QUICK_APPS = 50

/** The same number of busy connections, spread over as many apps or all of one. */
export const apps: Row = {
  name: 'apps',
  what: '500 apps with a busy connection each, against one with 500',
  takesLong: true,
  run: async (plan): Promise<Line[]> => {
    const count = plan.quick ? QUICK_APPS : APPS
    const { warmupMs, windowMs } = plan
    const app = { functions: { __websocket__: ECHO }, limits: UNHURRIED }
    const socklet = await startSocklet({ one: app })
    const appids = Array.from({ length: count }, (_, n) => `app-${n}`)
    plan.say(`making ${count} apps`)
    for (const appid of appids) await addApp(socklet.platform, appid, app)
    const many = { ...socklet, paths: appids.map(pathOf) }
    // Starting them is another benchmark (first.ts).
    await load(many, { kind: 'first', bytes: 64 })
    const pair = await interleaved(plan, socklet, many, { kind: 'echo', connections: count, inFlight: 1, bytes: 64, warmupMs, windowMs })
    return [
      {
        measure: `${count} apps with a busy connection each: messages a second`,
        unit: '/s',
        base: pair.base.map(perSecond),
        baseIs: `one app with ${count}`,
        socklet: pair.socklet.map(perSecond),
        reach: { of: 'ratio', least: 0.5 }
      }
    ]
  }
}
