import type { LoadProblem, TrialChange } from '@socklet/protocol'
import { PlatformFault, UserFault } from '../errors.ts'
import type { Source, SourcePlaces } from '../stacks/source-places.ts'
import type { PoolClient } from '../pool-client.ts'

/** What stacks are waited for. */
const STACKS_PATIENCE_MS = 2_000
/** The pool's own limits end a trial earlier. */
const TIMEOUT_MS = 120_000
const MAX_NAMED = 10

/** Loads functions where they can hurt nothing, before they are stored. */
export class Trial {
  readonly #pool: PoolClient
  readonly #places: SourcePlaces

  constructor(pool: PoolClient, places: SourcePlaces) {
    this.#pool = pool
    this.#places = places
  }

  /** `find`: what a function of the app will be. @throws UserFault `load_error` with LoadProblems as details, `busy`; PlatformFault `unavailable` if it cannot be tried now */
  async run(change: TrialChange, find: (name: string) => Promise<Source | null>): Promise<void> {
    const problems = await this.#ask(change)
    if (problems.length === 0) return
    const text = problems.slice(0, MAX_NAMED).map((problem) => `${problem.function} cannot be loaded: ${problem.message}`)
    if (problems.length > MAX_NAMED) text.push(`and ${problems.length - MAX_NAMED} more`)
    const stacks = await this.#places.translate(problems.map(({ stack = '' }) => stack), STACKS_PATIENCE_MS, find)
    throw new UserFault('load_error', text.join('\n'), problems.map((problem, index) => (problem.stack === undefined ? problem : { ...problem, stack: stacks[index]! })))
  }

  async #ask(change: TrialChange): Promise<LoadProblem[]> {
    try {
      return await this.#pool.call('trial', change, TIMEOUT_MS)
    } catch (error) {
      if (!(error instanceof PlatformFault)) throw error
      throw new PlatformFault('unavailable', `nothing of ${change.appid} was changed: functions are tried before they are stored, and the runtime does not answer now`, { cause: error })
    }
  }
}
