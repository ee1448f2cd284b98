/** A turn takes as many events as are likely to fit into this time, so that other apps get theirs. */
const TARGET_MS = 10
const MAX_EVENTS = 1024
const FIRST_EVENTS = 64
/** Weight of the newest turn in the average. */
const AVERAGE_WEIGHT = 0.2

/** How many events one turn of an app takes, by what they took before. */
export class TurnSize {
  #eventMs = 0
  /** The next turn takes so many at most. */
  events = FIRST_EVENTS
  /** Since the isolate started. */
  turns = 0
  allEvents = 0

  /** A turn is over, and took so much CPU for so many events. */
  measure(events: number, cpuMs: number): void {
    this.turns++
    if (events === 0) return
    this.allEvents += events
    this.#eventMs += (cpuMs / events - this.#eventMs) * AVERAGE_WEIGHT
    this.events = Math.max(1, Math.min(MAX_EVENTS, Math.floor(TARGET_MS / Math.max(this.#eventMs, 0.001))))
  }
}
