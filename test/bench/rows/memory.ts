import { setTimeout as sleep } from 'node:timers/promises'
import { holding } from '../load.ts'
import { cpuUsOf, memoryOf } from '../proc.ts'
import type { Line, Row } from '../row.ts'
import { addApp, pathOf, startSocklet, startWs, type Server } from '../servers/server.ts'
import { ECHO } from '../servers/functions.ts'

const APP = 'bench'
const CONNECTIONS = 10_000
const QUICK_CONNECTIONS = 2_000
/** Long enough that what is collected and given back now and then has been. */
const REST_MS = 2_000
const QUICK_REST_MS = 500
/** CPU is told in steps of 10 ms. */
const IDLE_MS = 10_000
const KiB = 1024
const MiB = 1024 * KiB

/** What the whole platform takes when it does nothing, and what a silent connection adds to that. */
export const memory: Row = {
  name: 'memory',
  what: 'the idle platform, an idle connection',
  run: async ({ quick, say }): Promise<Line[]> => {
    const connections = quick ? QUICK_CONNECTIONS : CONNECTIONS
    const rest = quick ? QUICK_REST_MS : REST_MS
    const ws = await startWs()
    const idle = await startSocklet({})
    await sleep(REST_MS)
    say('the idle platform')
    const cpu = cpuUsOf(idle.pid)
    const start = performance.now()
    await sleep(IDLE_MS)
    const share = (cpuUsOf(idle.pid) - cpu) / 10 / (performance.now() - start)
    const idleBytes = memoryOf(idle.pid)
    await addApp(idle.platform, APP, { functions: { __websocket__: ECHO } })
    const socklet = { ...idle, paths: [pathOf(APP)] }
    say(`${connections} connections to each`)
    const base = await bytesEach(ws, connections, rest)
    const each = await bytesEach(socklet, connections, rest)
    const ofConnection = { unit: 'KiB', base: [base / KiB], socklet: [each / KiB] }
    const count = connections.toLocaleString('en-US')
    return [
      { measure: 'the whole platform, nothing running: memory', unit: 'MiB', socklet: [idleBytes / MiB], reach: { of: 'value', most: 300 } },
      { measure: 'the whole platform, nothing running: CPU', unit: '% of a core', socklet: [share], reach: { of: 'value', most: 0.5 } },
      { measure: `an idle connection, of ${count}`, ...ofConnection, reach: { of: 'ratio', most: 1.3 } },
      { measure: `an idle connection, of ${count}, in itself`, ...ofConnection, reach: { of: 'value', most: 10 } }
    ]
  }
}

async function bytesEach(server: Server, connections: number, restMs: number): Promise<number> {
  // The first ones bring code and tables with them that all others share.
  const before = await holding(server, 100, () => rested(server, restMs))
  const after = await holding(server, connections, () => rested(server, restMs))
  return (after - before) / (connections - 100)
}

async function rested(server: Server, restMs: number): Promise<number> {
  await sleep(restMs)
  return memoryOf(server.pid)
}
