import { cpuUsEach, interleaved, perCpuSecond, perSecond } from '../compare.ts'
import { load } from '../load.ts'
import type { LoadResult, LoadSpec } from '../load/spec.ts'
import type { Line, Plan, Row } from '../row.ts'
import { churnWarmup } from './churn.ts'
import { startFloor, startWs } from '../servers/server.ts'

type Case = [what: string, unit: string, of: (result: LoadResult) => number]

const APPS = 500
const MAKING_MS = 5_000
const p50: Case[2] = ({ latency }) => latency.p50
const p99: Case[2] = ({ latency }) => latency.p99
const usualWarmup = ({ warmupMs }: Plan): number => warmupMs

/** What the other benchmarks ask of the whole platform. `path` is where, on both servers. */
const CASES: { spec: LoadSpec; path?: string; warmup?: (plan: Plan) => number; lines: Case[] }[] = [
  { spec: { kind: 'echo', connections: 64, inFlight: 1, bytes: 64, warmupMs: 0, windowMs: 0 }, lines: [['echo, 64 connections, 64 B: CPU for each message', 'µs', cpuUsEach], ['echo, 64 connections, 64 B: messages a second', '/s', perSecond]] },
  { spec: { kind: 'echo', connections: 64, inFlight: 1, bytes: 4096, warmupMs: 0, windowMs: 0 }, lines: [['echo, 64 connections, 4 KiB: CPU for each message', 'µs', cpuUsEach]] },
  { spec: { kind: 'echo', connections: 1, inFlight: 1, bytes: 64, warmupMs: 0, windowMs: 0 }, lines: [['echo latency, one connection: p50', 'µs', p50], ['echo latency, one connection: p99', 'µs', p99]] },
  { spec: { kind: 'rate', connections: 256, perSecond: 20_000, bytes: 64, warmupMs: 0, windowMs: 0 }, lines: [['256 connections, 20,000 messages a second: p99', 'µs', p99]] },
  { spec: { kind: 'broadcast', connections: 1000, inFlight: 1, bytes: 64, warmupMs: 0, windowMs: 0 }, path: '/broadcast', lines: [['loop that sends 64 B to 1,000 sockets, 1 under way: deliveries for each CPU second', '/s', perCpuSecond]] },
  { spec: { kind: 'churn', atATime: 32, bytes: 64, warmupMs: 0, windowMs: 0 }, warmup: churnWarmup, lines: [['connect, one echo, close: a second', '/s', perSecond]] }
]

/**
 * What bounds the other benchmarks: the same loads on a program that has the platform's shape, two processes and an isolate, and does nothing
 * that could be left out.
 */
export const floor: Row = {
  name: 'floor',
  what: 'the same loads on two processes and an isolate that do nothing else',
  takesLong: true,
  run: async (plan): Promise<Line[]> => {
    const { windowMs } = plan
    const ws = await startWs()
    const lines: Line[] = []
    for (const { spec, path = '/echo', warmup = usualWarmup, lines: cases } of CASES) {
      const { base, socklet } = await interleaved(plan, { ...ws, paths: [path] }, { ...(await startFloor()), paths: [path] }, { ...spec, warmupMs: warmup(plan), windowMs } as LoadSpec)
      for (const [what, unit, of] of cases) lines.push({ measure: `the least: ${what}`, unit, base: base.map(of), socklet: socklet.map(of), reach: null })
    }
    return [...lines, await manyIsolates(plan, 'busy connection each'), await manyIsolates(plan, 'busy connection each, all on one thread', ['--one-thread'])]
  }
}

async function manyIsolates(plan: Plan, how: string, args: string[] = []): Promise<Line> {
  const one = await startFloor(args)
  const many = { ...one, paths: Array.from({ length: APPS }, (_, n) => `/${n}`) }
  const busy: LoadSpec = { kind: 'echo', connections: APPS, inFlight: 1, bytes: 64, warmupMs: plan.warmupMs, windowMs: plan.windowMs }
  // Isolates are made when they are first needed.
  await load(many, { ...busy, warmupMs: MAKING_MS })
  const { base, socklet } = await interleaved(plan, one, many, busy)
  return { measure: `the least: ${APPS} isolates with a ${how}: messages a second`, unit: '/s', base: base.map(perSecond), baseIs: `one isolate with ${APPS}`, socklet: socklet.map(perSecond), reach: null }
}
