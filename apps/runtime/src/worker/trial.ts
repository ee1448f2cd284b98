import type { AppRelease, LoadProblem } from '@socklet/protocol'
import type { Isolate } from './isolate.ts'
import { START_LIMIT_MS, type Spare } from './spare.ts'
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

/** All that a trial does. Each function of it has what a turn has. */
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

class TimeUp extends Error {
  override readonly name = 'TimeUp'
  /** Its thread never comes back. */
  readonly lost: boolean

  constructor(message: string, lost: boolean) {
    super(message)
    this.lost = lost
  }
}

/**
 * Loads functions where nothing depends on it: in an isolate of its own, which is put away afterwards, with whatever
 * the functions have logged, sent or set a timer for. It has no links, and its timers never run.
 */
export async function tryRelease(parts: TrialParts): Promise<{ problems: LoadProblem[]; lost: boolean }> {
  const until = performance.now() + TRIAL_MS
  const problems: LoadProblem[] = []
  const rest = [...parts.names]
  let { state } = parts
  for (let isolates = 0; rest.length > 0 && isolates < MAX_ISOLATES; isolates++) {
    const isolate = await parts.spare.take(parts.release.limits.heapMiB)
    try {
      await within(parts, isolate, until, 'to read the functions', () => isolate.load(parts.release))
      if (!(await restore(parts, isolate, until, state))) {
        state = []
        continue
      }
      for (let ended = false; rest.length > 0 && !ended; ) {
        const outcome = await tryOne(parts, isolate, rest.shift()!, until)
        if (outcome.problem !== null) problems.push(outcome.problem)
        if (outcome.lost) return { problems, lost: true }
        ended = outcome.ended
      }
    } catch (error) {
      if (!(error instanceof TimeUp)) throw error
      return { problems: [...problems, { function: rest[0]!, message: error.message }], lost: error.lost }
    } finally {
      // After the answer has left: it takes a moment.
      setImmediate(() => isolate.dispose())
    }
  }
  return { problems, lost: false }
}

/**
 * false if the values cannot be restored. The app cannot start with them either: a version that mends that is to be published all the same,
 * so the functions are tried without.
 */
async function restore(parts: TrialParts, isolate: Isolate, until: number, state: Uint8Array[]): Promise<boolean> {
  if (state.length === 0) return true
  const records = new Uint8Array(Buffer.concat(state)).buffer
  try {
    await within(parts, isolate, Math.min(until, performance.now() + START_LIMIT_MS), 'to restore cloud.shared (a key of it can be deleted)', () => isolate.restore(records))
    return true
  } catch (error) {
    if (error instanceof TimeUp && error.lost) throw error
    return false
  }
}

async function tryOne(parts: TrialParts, isolate: Isolate, name: string, until: number): Promise<Outcome> {
  const { release } = parts
  try {
    const problem = await within(parts, isolate, Math.min(until, performance.now() + release.limits.turnCpuMs), 'its top level', () => load(isolate, name))
    return { problem, ended: false, lost: false }
  } catch (error) {
    const isTimeUp = error instanceof TimeUp
    return { problem: { function: name, message: isTimeUp ? error.message : endedBy(error as Error, release) }, ended: true, lost: isTimeUp && error.lost }
  }
}

/** Under watch, as all that runs in an isolate. @throws TimeUp, and then the isolate is gone; Error if it is gone for another reason */
function within<T>({ turns }: TrialParts, isolate: Isolate, until: number, what: string, run: () => Promise<T>): Promise<T> {
  const limitMs = Math.max(1, Math.ceil(until - performance.now()))
  return new Promise<T>((resolve, reject) => {
    const timeUp = (lost: boolean): TimeUp => new TimeUp(`${what} took more than ${limitMs} ms`, lost)
    let stopped = false
    const watched = {
      cpuMs: () => isolate.cpuMs,
      limitMs,
      stop: () => {
        stopped = true
        isolate.dispose()
      },
      lost: () => reject(timeUp(true))
    }
    turns.run(watched, run).then(resolve, (error: Error) => reject(stopped ? timeUp(false) : error))
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
