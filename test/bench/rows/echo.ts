import { againstWs, cpuUsEach, loadCpuUsEach, perSecond, UNHURRIED } from '../compare.ts'
import type { Line, Row } from '../row.ts'
import { ECHO } from '../servers/functions.ts'

interface EchoCase {
  name: string
  what: string
  connections: number
  bytes: number
  /** CPU for each message, as a multiple of ws. */
  cpu: number
  /** Messages a second, as a share of those of ws. */
  throughput: number | null
  takesLong?: boolean
}

const CASES: EchoCase[] = [
  { name: 'echo', what: 'echo, 64 connections, 64 B', connections: 64, bytes: 64, cpu: 1.4, throughput: 0.8 },
  { name: 'echo-4k', what: 'echo, 64 connections, 4 KiB', connections: 64, bytes: 4096, cpu: 1.5, throughput: null },
  { name: 'echo-64k', what: 'echo, 16 connections, 64 KiB', connections: 16, bytes: 65_536, cpu: 2, throughput: null, takesLong: true },
  { name: 'echo-1000', what: 'echo, 1,000 connections, 64 B', connections: 1000, bytes: 64, cpu: 1.35, throughput: null }
]

/** Each connection sends its next message when it has the answer to the last. */
export const echoRows: Row[] = CASES.map(({ name, what, connections, bytes, cpu, throughput, takesLong }) => ({
  name,
  what,
  sharesServers: true,
  takesLong,
  run: async (plan): Promise<Line[]> => {
    const { warmupMs, windowMs } = plan
    const { base, socklet } = await againstWs(plan, { functions: { __websocket__: ECHO }, limits: UNHURRIED }, { kind: 'echo', connections, inFlight: 1, bytes, warmupMs, windowMs })
    return [
      { measure: `${what}: CPU for each message`, unit: 'µs', base: base.map(cpuUsEach), socklet: socklet.map(cpuUsEach), reach: { of: 'ratio', most: cpu } },
      { measure: `${what}: messages a second`, unit: '/s', base: base.map(perSecond), socklet: socklet.map(perSecond), reach: throughput === null ? null : { of: 'ratio', least: throughput } },
      { measure: `${what}: CPU of the generator for each message`, unit: 'µs', base: base.map(loadCpuUsEach), socklet: socklet.map(loadCpuUsEach), reach: null }
    ]
  }
}))
