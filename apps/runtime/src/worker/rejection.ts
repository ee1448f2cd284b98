import type { AppRelease } from '@socklet/protocol'

/** A function, as lines of the log name it. */
export interface Logged {
  function: string
  version: number
}

export type Versions = ReadonlyMap<string, number>

export function versionsOf({ functions }: AppRelease): Versions {
  return new Map(functions.map(({ name, version }) => [name, version]))
}

/** A frame of tenant code, see function-code.ts of the protocol. */
const FRAME = /\n[ \t]*at (?:[^\n]*\()?([\w./-]+)\.js:\d+:\d+\)?/

/**
 * The function that an unhandled rejection comes from: the first one that its stack names. Nothing else tells, since by the time it is
 * found out that nobody handles it, others have run. What the tenant writes into a stack is its own affair.
 */
export function rejectedIn(stack: string, versions: Versions): Logged | undefined {
  const name = FRAME.exec(stack)?.[1]
  const version = name === undefined ? undefined : versions.get(name)
  return version === undefined ? undefined : { function: name!, version }
}
