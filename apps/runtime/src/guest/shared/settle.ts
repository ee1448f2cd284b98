// oxlint-disable typescript/no-require-imports -- the bundler's, see ../globals/index.ts
import { TurnWord } from '../../turn-layout.ts'
import { Level, describeError, log } from '../log.ts'
import { onOutput, setWord, withSpare } from '../outbox.ts'
import { bareArray, now, setForEach, setSize } from '../primordials.ts'
import { changeables, type Entry } from './graph.ts'
import { onTouched, takeStale, takeTouched } from './touched.ts'
import { anythingWaits, onWaiting } from './waiting.ts'

/**
 * When changes are looked for and written: when the work of a turn is done, so that they leave with it. Microtask rounds
 * are how that is told, as with handlers in dispatcher.ts; if something leaves after that (a message, an acknowledgement),
 * all that was touched in the turn is looked at once more.
 */
const ROUNDS = 100

/** A reference that was kept from an earlier turn is used without anybody's seeing it: all that can change so is looked at this often. */
const SWEEP_EVERY_MS = 900
/** Very much is looked at in several turns. */
const SWEEP_TURN_MS = 20
const LOOK_AT_CLOCK_EVERY = 64
/** A handler that waits for something outside may go on with what it read before: so much is looked at again while any handler has not settled. */
const MAX_REMEMBERED = 64

let running = false
/** What was touched in this turn, or before it while a handler was waiting. */
let seen: Entry[] = bareArray()
let seenCount = 0
let sweepAt = Infinity
/** What the sweep has not come to. */
let unswept: Entry[] = bareArray()
let unsweptCount = 0

onTouched(start)
onWaiting(start)

/** `pending` says whether handlers of earlier turns have not settled; `active` whether code of the tenant may run in this one. */
export function beginSharedTurn(pending: boolean, active: boolean): void {
  const keep = pending ? seenCount < MAX_REMEMBERED ? seenCount : MAX_REMEMBERED : 0
  for (let i = keep; i < seenCount; i++) seen[i]!.seen = false
  seenCount = keep
  if (keep > 0) onOutput(start)
  if (active && sweepAt === Infinity && setSize(changeables) > 0) sweepAt = now() + SWEEP_EVERY_MS
}

/** Epoch milliseconds at which a turn is wanted for `sweepIfDue`. */
export function sweepDeadline(): number {
  return sweepAt
}

export function sweepIfDue(): void {
  if (now() < sweepAt) return
  if (unsweptCount === 0) setForEach(changeables, (entry) => void (unswept[unsweptCount++] = entry))
  const end = now() + SWEEP_TURN_MS
  while (unsweptCount > 0 && (unsweptCount % LOOK_AT_CLOCK_EVERY !== 0 || now() < end)) lookAt(unswept[--unsweptCount]!)
  if (unsweptCount > 0) return
  unswept = bareArray()
  sweepAt = Infinity
}

/** Looks at everything and writes what has changed: the isolate is about to be put away. */
export function writeAll(): void {
  setForEach(changeables, lookAt)
  write()
}

function start(): void {
  if (running) return
  running = true
  void settle()
}

async function settle(): Promise<void> {
  do {
    for (let round = 0; round < ROUNDS; round++) await undefined
    write()
  } while (anythingWaits())
  running = false
  if (seenCount > 0) onOutput(start)
}

/**
 * Looks at what was touched, and writes what has changed. If that fails (there is no memory for it), the store would not have what clients are told of:
 * the host ends the isolate then, and nothing of this turn leaves.
 */
function write(): void {
  try {
    lookAtTouched()
    if (anythingWaits()) (require('./flush.ts') as typeof import('./flush.ts')).flush()
  } catch {
    setWord(TurnWord.UNWRITTEN, 1)
  }
}

function lookAtTouched(): void {
  for (let i = 0; i < seenCount; i++) lookAt(seen[i]!)
  // To look at one may make others worth a look.
  for (let fresh = takeTouched(), stale = takeStale(); fresh.count + stale.count > 0; fresh = takeTouched(), stale = takeStale()) {
    for (let i = 0; i < fresh.count; i++) lookFirst(fresh.items[i]!)
    for (let i = 0; i < stale.count; i++) lookAt(stale.items[i]!)
  }
}

/** What was changed by being looked at is touched by that: once is enough. */
function lookFirst(entry: Entry): void {
  entry.touched = false
  if (entry.seen) return
  entry.seen = true
  seen[seenCount++] = entry
  lookAt(entry)
}

function lookAt(entry: Entry): void {
  try {
    const { look } = require('./keep.ts') as typeof import('./keep.ts')
    look(entry)
    entry.refused = false
  } catch (error) {
    if (!entry.refused) tellRefused(entry, describeError(error))
    entry.refused = true
  }
}

/** Also where the turn has sent all that it may. */
function tellRefused(entry: Entry, why: string): void {
  const { keyName } = require('./warnings.ts') as typeof import('./warnings.ts')
  withSpare(() => log(Level.ERROR, `cloud.shared: what was changed inside the key ${keyName(entry)} cannot be kept, so the value that it had before is what survives: ${why}`))
}
