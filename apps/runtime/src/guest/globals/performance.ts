/** `performance` with the one clock that a bare isolate has. It starts when it is first looked at, never in the snapshot, and never runs backwards. */
import { webInterface } from './define.ts'

const { now: clock } = Date

let origin = 0
let last = 0

export function timeOrigin(): number {
  if (origin === 0) origin = clock()
  return origin
}

export function now(): number {
  const elapsed = clock() - timeOrigin()
  if (elapsed > last) last = elapsed
  return last
}

class Performance {
  get timeOrigin(): number {
    return timeOrigin()
  }

  now(): number {
    return now()
  }

  toJSON(): { timeOrigin: number } {
    return { timeOrigin: timeOrigin() }
  }
}

webInterface(Performance, 'Performance', ['timeOrigin', 'now', 'toJSON'])

export const performance = new Performance()
