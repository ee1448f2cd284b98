import { waking } from '../load.ts'
import type { Line, Row } from '../row.ts'
import { addApp, pathOf, startSocklet, untilAsleep } from '../servers/server.ts'
import { ECHO } from '../servers/functions.ts'

const APPS = 1_000
const QUICK_APPS = 100
const MAKE_AT_A_TIME = 8
const ASLEEP_WITHIN_MS = 120_000

/** Many apps that sleep, each with a client, and all clients say something at the same moment. */
export const sleepers: Row = {
  name: 'sleepers',
  what: '1,000 hibernated apps with a connection each, a message to each at once',
  takesLong: true,
  run: async ({ quick, say }): Promise<Line[]> => {
    const count = quick ? QUICK_APPS : APPS
    const socklet = await startSocklet({})
    const appids = Array.from({ length: count }, (_, n) => `sleeper-${n}`)
    say(`making ${count} apps`)
    // The console stores one after the other; the next ones are compiled meanwhile.
    const rest = [...appids]
    await Promise.all(Array.from({ length: MAKE_AT_A_TIME }, async () => {
      for (let appid = rest.pop(); appid !== undefined; appid = rest.pop()) await addApp(socklet.platform, appid, { functions: { __websocket__: ECHO } })
    }))
    say('waiting until all sleep')
    const { seconds, serverCpuUs } = await waking({ ...socklet, paths: appids.map(pathOf) }, { kind: 'wake', bytes: 64 }, () => untilAsleep(socklet.platform, ASLEEP_WITHIN_MS))
    const measure = `${count.toLocaleString('en-US')} hibernated apps with a connection each, a message to each at once: until all are answered`
    return [
      { measure, unit: 's', socklet: [seconds], reach: { of: 'value', most: (15 * count) / APPS } },
      { measure: 'to wake one of them: CPU', unit: 'ms', socklet: [serverCpuUs / count / 1000], reach: null }
    ]
  }
}
