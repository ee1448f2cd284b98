import type { LoadProblem, TrialChange } from '@socklet/protocol'
import { PlatformFault, UserFault } from '../errors.ts'
import type { PoolClient } from '../pool-client.ts'

/** The pool's own limits end a trial earlier. */
const TIMEOUT_MS = 120_000
const MAX_NAMED = 10

/** Loads functions where they can hurt nothing, before they are stored. */
export class Trial {
  readonly #pool: PoolClient

  constructor(pool: PoolClient) {
    this.#pool = pool
  }

  /** @throws UserFault `load_error` with LoadProblems as details, `busy`; PlatformFault `unavailable` if it cannot be tried now */
  async run(change: TrialChange): Promise<void> {
    const problems = await this.#ask(change)
    if (problems.length === 0) return
    const text = problems.slice(0, MAX_NAMED).map((problem) => `${problem.function} cannot be loaded: ${problem.message}`)
    if (problems.length > MAX_NAMED) text.push(`and ${problems.length - MAX_NAMED} more`)
    throw new UserFault('load_error', text.join('\n'), problems)
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
