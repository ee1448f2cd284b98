import { startChild, type BenchChild } from './child.ts'
import type { LoadLine, LoadResult, LoadSpec } from './load/spec.ts'
import type { Server } from './servers/server.ts'

const GRACE_MS = 60_000
const LONG_MS = 600_000
/** For each path where they are taken one after the other. */
const FIRST_MS = 1_000

/** Puts a load on a server and gives what came of it. @throws Error that says why, if it could not. */
export async function load(server: Server, spec: LoadSpec): Promise<LoadResult> {
  const child = startLoad(server, spec)
  try {
    const { warmupMs = 0, windowMs = 0 } = spec as { warmupMs?: number; windowMs?: number }
    const inTurn = spec.kind === 'first' ? server.paths.length * FIRST_MS : 0
    const line = await child.line(warmupMs + windowMs + inTurn + GRACE_MS)
    if (!('result' in line)) throw new Error(`load ${spec.kind}: ${'error' in line ? line.error : 'it holds'}`)
    if (line.result.count === 0) throw new Error(`load ${spec.kind}: nothing was answered`)
    return line.result
  } finally {
    await child.end()
  }
}

/** Runs something while so many silent connections are open. */
export async function holding<T>(server: Server, connections: number, run: () => Promise<T>): Promise<T> {
  const child = startLoad(server, { kind: 'hold', connections })
  try {
    await untilHolding(child)
    return await run()
  } finally {
    child.tell()
    // Its result, once all are closed.
    await child.line(GRACE_MS).catch(() => {})
    await child.end()
  }
}

/** Runs something under a load that lasts for longer than that. @throws Error that says why, if the load has ended before */
export async function under<T>(server: Server, spec: LoadSpec, run: () => Promise<T>): Promise<T> {
  const child = startLoad(server, spec)
  try {
    const over = child.line(LONG_MS).then((line) => {
      throw new Error(`load ${spec.kind}: ${'error' in line ? line.error : 'it is over'}`)
    })
    return await Promise.race([run(), over])
  } finally {
    await child.end()
  }
}

/** A load of kind `wake`, which goes on when `asleep` has settled. */
export async function waking(server: Server, spec: LoadSpec & { kind: 'wake' }, asleep: () => Promise<void>): Promise<LoadResult> {
  const child = startLoad(server, spec)
  try {
    await untilHolding(child)
    await asleep()
    child.tell()
    const line = await child.line(GRACE_MS)
    if (!('result' in line)) throw new Error(`load wake: ${'error' in line ? line.error : 'it holds again'}`)
    return line.result
  } finally {
    await child.end()
  }
}

/** @throws Error if it cannot open its connections */
export async function untilHolding(child: BenchChild<LoadLine>, timeoutMs = GRACE_MS): Promise<void> {
  const line = await child.line(timeoutMs)
  if (!('holding' in line)) throw new Error(`load: ${'error' in line ? line.error : 'it does not hold'}`)
}

/** `from`: the address that it connects from, if another one than usual. */
export function startLoad({ port, paths, pid, from }: Server & { from?: string }, spec: LoadSpec): BenchChild<LoadLine> {
  return startChild<LoadLine>(new URL('load/main.ts', import.meta.url), [JSON.stringify({ target: { port, paths, pid, from }, spec })])
}
