/**
 * What the running code belongs to, for the log: set while a handler, a timer or a listener starts, until the
 * next one does. Code that goes on after an `await` of something slow is counted to whoever woke it.
 */
export interface Running {
  function: string
  version: number
  requestId: string
  connection: string
}

const NOTHING: Running = { function: '', version: 0, requestId: '', connection: '' }

let running = NOTHING

export function current(): Running {
  return running
}

export function setCurrent(value: Running | null): void {
  running = value ?? NOTHING
}
