import { GUEST_LIMITS, TurnWord, type GuestLimit } from '../turn-layout.ts'
import { Level, writeLimitLine } from './log.ts'
import { indexOf } from './lists.ts'
import { changeWord, onTooMuch } from './outbox.ts'
import { bareObject, now } from './primordials.ts'

const TELL_EVERY_MS = 1_000

/** When the log was last told of a limit, and how often it was reached since. */
interface Told {
  at: number
  since: number
}

const told = bareObject<Told>()

/** The app has reached a limit: it is counted, and its log has a line about it, once in a second at most. */
export function reached(limit: GuestLimit, what: string, level: number = Level.WARN): void {
  countLimit(limit)
  const time = now()
  const before = told[limit]
  if (before !== undefined && time - before.at < TELL_EVERY_MS) {
    before.since++
    return
  }
  const more = before === undefined || before.since === 0 ? '' : `, and ${before.since} times more since the last line about it`
  told[limit] = { at: time, since: 0 }
  writeLimitLine(level, `${what} (limit ${limit}${more})`)
}

/** As `reached`, where the log says it in another way. */
function countLimit(limit: GuestLimit): void {
  changeWord(TurnWord.LIMITS + indexOf(GUEST_LIMITS, limit), 1)
}

onTooMuch(reached)
