import { TurnWord } from '../turn-layout.ts'
import { logError } from './log.ts'
import { changeWord } from './outbox.ts'
import { NativeError, NativeMap, mapDelete, mapForEach, mapGet, mapSet, mapSize } from './primordials.ts'

/** The last argument of `send`, `ping` and `pong`. Where all went well it gets null, as Node calls whoever waits for a write. */
export type Done = (error?: Error | null) => void
/** Those of one connection, by the number that went with the frame. */
export type Callbacks = Map<number, Done>

interface Waiting {
  callbacks: Callbacks | null
}

let lastSequence = 0

/** Keeps the callback until the gateway says what became of the frame. Returns the number for it. */
export function keepCallback(waiting: Waiting, done: Done): number {
  lastSequence = (lastSequence + 1) >>> 0
  mapSet((waiting.callbacks ??= new NativeMap()), lastSequence, done)
  changeWord(TurnWord.HELD, 1)
  return lastSequence
}

/** The frame was not sent after all. */
export function forgetCallback(waiting: Waiting, sequence: number): void {
  if (mapDelete(waiting.callbacks!, sequence)) changeWord(TurnWord.HELD, -1)
}

/** The frame with this number was written, or was not. */
export function settleCallback(waiting: Waiting, sequence: number, failed: boolean): void {
  const done = waiting.callbacks === null ? undefined : mapGet(waiting.callbacks, sequence)
  if (done === undefined) return
  forgetCallback(waiting, sequence)
  run(done, failed ? notWritten() : null)
}

/** The connection is closed: what was not written never will be. */
export function failCallbacks(waiting: Waiting): void {
  const { callbacks } = waiting
  waiting.callbacks = null
  if (callbacks !== null) changeWord(TurnWord.HELD, -mapSize(callbacks))
  if (callbacks !== null) mapForEach(callbacks, (done) => run(done, notWritten()))
}

/** Calls it when the code that runs now is done, as ws does where there is nothing to write. */
export async function callLater(done: Done, error: Error | null = null): Promise<void> {
  await undefined
  run(done, error)
}

function run(done: Done, error: Error | null): void {
  try {
    done(error)
  } catch (thrown) {
    logError('Uncaught in the callback of a send: ', thrown)
  }
}

/** What Node gives to a write whose socket was destroyed before it. */
function notWritten(): Error {
  const error = new NativeError('Cannot call write after a stream was destroyed') as Error & { code: string }
  error.code = 'ERR_STREAM_DESTROYED'
  return error
}
