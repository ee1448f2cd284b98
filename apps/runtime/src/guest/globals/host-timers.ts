/** The timers of the runtime, which come later than these files, as nobody has replaced them. Without a runtime (in tests) they are what the global object has. */
type Start = (run: () => void, delay?: number) => unknown
type Stop = (timer: unknown) => void

export interface Timers { setTimeout: Start, setInterval: Start, setImmediate: Start, clearTimeout: Stop, clearInterval: Stop, clearImmediate: Stop }

export let hostTimers = globalThis as unknown as Timers

export function setHostTimers(timers: Timers): void {
  hostTimers = timers
}
