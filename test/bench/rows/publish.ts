import { setTimeout as sleep } from 'node:timers/promises'
import { UNHURRIED } from '../compare.ts'
import { under } from '../load.ts'
import { median, type Line, type Row } from '../row.ts'
import { addApp, pathOf, startSocklet, type Socklet } from '../servers/server.ts'

const APP = 'published'
const CONNECTIONS = 200
const PUBLISHES = 50
const QUICK_PUBLISHES = 10
/** Longer than the publishes take. */
const LOAD_MS = 300_000

const version = (n: number): string => `export function main(ctx) { if (ctx.method === 'WebSocket:message') ctx.socket.send('${n}' + ctx.params.data.toString()) }`

/** From the request to the answer, which comes when the next event runs the new code. */
export const publish: Row = {
  name: 'publish',
  what: 'publishing a function, alone and under 200 clients that send without pause',
  takesLong: true,
  run: async ({ quick, rounds, warmupMs, say }): Promise<Line[]> => {
    const socklet = await startSocklet({})
    await addApp(socklet.platform, APP, { functions: { __websocket__: version(0) }, limits: UNHURRIED })
    const count = quick ? QUICK_PUBLISHES : PUBLISHES
    const times: Record<'alone' | 'loaded', number[]> = { alone: [], loaded: [] }
    for (let round = 0; round < rounds; round++) {
      say(`round ${round + 1} of ${rounds}`)
      times.alone.push(await publishing(socklet, count))
      times.loaded.push(await underLoad(socklet, warmupMs, () => publishing(socklet, count)))
    }
    return [
      { measure: 'publishing, nothing else going on: p50', unit: 'ms', socklet: times.alone, reach: { of: 'value', most: 50 } },
      { measure: `publishing under ${CONNECTIONS} clients without pause: p50`, unit: 'ms', socklet: times.loaded, reach: { of: 'value', most: 50 } }
    ]
  }
}

/** The median of so many in a row, in milliseconds. @throws Error if one is refused */
async function publishing({ platform }: Socklet, count: number): Promise<number> {
  const times: number[] = []
  for (let n = 1; n <= count; n++) {
    const start = performance.now()
    const { status, text } = await platform.admin('PUT', `/apps/${APP}/functions/__websocket__`, version(n))
    times.push(performance.now() - start)
    if (status !== 200) throw new Error(`publish ${n} was answered with ${status}: ${text}`)
  }
  return median(times)
}

function underLoad<T>(socklet: Socklet, warmupMs: number, run: () => Promise<T>): Promise<T> {
  const spec = { kind: 'echo', connections: CONNECTIONS, inFlight: 1, bytes: 64, warmupMs, windowMs: LOAD_MS } as const
  return under({ ...socklet, paths: [pathOf(APP)] }, spec, async () => {
    await sleep(warmupMs * 2)
    return run()
  })
}
