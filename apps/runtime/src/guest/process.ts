import { logError } from './log.ts'
import { NativeTypeError, mathFloor, now, reflectApply, toBigInt } from './primordials.ts'

const NODE_VERSION = 'v26.0.0'

/** What functions use of Node's `process`. There is no process of theirs: what is not here does not exist. */
export function makeProcess(env: Record<string, string>): object {
  const start = now()
  const hrtime = (before?: [number, number]): [number, number] => {
    const ms = now() - start
    const seconds = mathFloor(ms / 1000) - (before?.[0] ?? 0)
    const nanos = (ms % 1000) * 1e6 - (before?.[1] ?? 0)
    return nanos < 0 ? [seconds - 1, nanos + 1e9] : [seconds, nanos]
  }
  hrtime.bigint = () => toBigInt(now() - start) * 1_000_000n
  return {
    env,
    argv: [],
    platform: 'linux',
    arch: 'x64',
    version: NODE_VERSION,
    versions: { node: NODE_VERSION.slice(1) },
    cwd: () => '/app',
    uptime: () => (now() - start) / 1000,
    hrtime,
    nextTick: (callback: unknown, ...args: unknown[]): void => {
      if (typeof callback !== 'function') throw new NativeTypeError('The "callback" argument must be of type function')
      void runLater(callback as (...args: unknown[]) => unknown, args)
    }
  }
}

async function runLater(callback: (...args: unknown[]) => unknown, args: unknown[]): Promise<void> {
  await undefined
  try {
    reflectApply(callback, undefined, args)
  } catch (error) {
    logError('Uncaught: ', error)
  }
}
