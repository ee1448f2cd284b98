import type { AppRelease, LoadProblem } from '@socklet/protocol'
import type { Isolate } from './isolate.ts'
import type { Spare } from './spare.ts'
import type { Turns } from './turns.ts'

export interface TrialParts {
  release: AppRelease
  /** Functions of the release, each of which is loaded. */
  names: string[]
  /** A copy of the app's shared values: code may rely on them while it loads. */
  state: Uint8Array[]
  spare: Spare
  turns: Turns
}

/** All functions together. Each of them has what a turn has. */
const TRIAL_MS = 20_000
/** Isolates that are lost to one trial at most: the functions behind are not tried then. */
const MAX_ISOLATES = 3
/** How often a result is asked for that an unhandled rejection has taken the place of. */
const MAX_ASKS = 5

interface Outcome {
  /** null: it was loaded. */
  problem: LoadProblem | null
  /** The isolate is gone: what comes after needs another. */
  ended: boolean
  /** Its thread never comes back. */
  lost: boolean
}

/**
 * Loads functions where nothing depends on it: in an isolate of its own, which is put away afterwards, with whatever
 * the functions have logged, sent or set a timer for. It has no links, and its timers never run.
 */
export async function tryRelease(parts: TrialParts): Promise<{ problems: LoadProblem[]; lost: boolean }> {
  const until = performance.now() + TRIAL_MS
  const problems: LoadProblem[] = []
  const rest = [...parts.names]
  for (let isolates = 0; rest.length > 0 && isolates < MAX_ISOLATES; isolates++) {
    const isolate = await parts.spare.take(parts.release.limits.heapMiB)
    try {
      await prepare(isolate, parts)
      for (let ended = false; rest.length > 0 && !ended; ) {
        const outcome = await tryOne(parts, isolate, rest.shift()!, until)
        if (outcome.problem !== null) problems.push(outcome.problem)
        if (outcome.lost) return { problems, lost: true }
        ended = outcome.ended
      }
    } finally {
      // After the answer has left: it takes a moment.
      setImmediate(() => isolate.dispose())
    }
  }
  return { problems, lost: false }
}

/** @throws Error if the isolate cannot take the release, or is gone. */
async function prepare(isolate: Isolate, { release, state }: TrialParts): Promise<void> {
  await isolate.load(release)
  if (state.length > 0) await isolate.restore(new Uint8Array(Buffer.concat(state)).buffer)
}

async function tryOne({ release, turns }: TrialParts, isolate: Isolate, name: string, until: number): Promise<Outcome> {
  const limitMs = Math.max(1, Math.min(release.limits.turnCpuMs, Math.ceil(until - performance.now())))
  let stopped = false
  return await new Promise<Outcome>((resolve) => {
    const failed = (message: string, lost: boolean): void => resolve({ problem: { function: name, message }, ended: true, lost })
    const tooLong = `its top level took more than ${limitMs} ms`
    const watched = {
      cpuMs: () => isolate.cpuMs,
      limitMs,
      stop: () => {
        stopped = true
        isolate.dispose()
      },
      lost: () => failed(tooLong, true)
    }
    turns.run(watched, () => load(isolate, name)).then(
      (problem) => resolve({ problem, ended: false, lost: false }),
      (error: Error) => failed(stopped ? tooLong : endedBy(error, release), false)
    )
  })
}

/** @throws Error if the isolate is gone */
async function load(isolate: Isolate, name: string): Promise<LoadProblem | null> {
  for (let asks = 1; ; asks++) {
    try {
      const answer = await isolate.trial(name)
      return answer === '' ? null : { ...(JSON.parse(String(answer)) as { message: string; stack: string }), function: name }
    } catch (error) {
      if (isolate.disposed || asks === MAX_ASKS) throw error
    }
  }
}

function endedBy(error: Error, { limits }: AppRelease): string {
  return /memory limit/i.test(error.message) ? `its top level needed more than ${limits.heapMiB} MiB of heap` : `its top level ended the isolate: ${error.message}`
}
