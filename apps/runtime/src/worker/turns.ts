/**
 * Admission and watch of turns. Turns run on threads of isolated-vm, but those of a quick app that is alone (app.ts); as many at a time as
 * it has threads (docs/benchmarks.md). Nothing inside an isolate can be trusted to end, so each turn is looked at from here.
 */

/** A running turn: what the watch has to know of it. */
export interface WatchedTurn {
  /** CPU milliseconds of the isolate up to now. */
  cpuMs(): number
  /** CPU milliseconds that the turn may take. */
  limitMs: number
  /** The turn has had its time, and used so much CPU: its isolate is to be disposed of. Milliseconds. */
  stop(reason: string, cpuMs: number): void
  /** The turn went on after that: its thread is lost, and with it this process. */
  lost(): void
}

/** A turn from `begin` to `end`. */
export interface Running {
  readonly turn: WatchedTurn
  readonly startedAt: number
  /** CPU milliseconds of the isolate. */
  readonly cpuAtStart: number
  stoppedAt: number
}

const LOOK_EVERY_MS = 20
/** A turn that uses no CPU is not stopped at once: the machine may have been asleep. It may last so many times its limit. */
const WALL_FACTOR = 5
/** `dispose()` ends what can be ended within this time (measured: 155 ms at most). */
const LOST_AFTER_MS = 500
const COMPACT_FROM = 1024
/** Each turn that waits does so for all before it. From so many on, a millisecond more is little to whoever waits for what a turn has sent. */
const CROWD = 8

export class Turns {
  readonly #limit: number
  readonly #waiting: (() => void)[] = []
  #head = 0
  #admitted = 0
  readonly #running = new Set<Running>()
  #timer: NodeJS.Timeout | null = null

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Calls `start` when there is room, in the order of asking. Whoever started calls `leave` at the end, once. */
  enter(start: () => void): void {
    if (this.#admitted < this.#limit) {
      this.#admitted++
      start()
    } else {
      this.#waiting.push(start)
    }
  }

  leave(): void {
    const next = this.#waiting[this.#head]
    if (next === undefined) {
      this.#admitted--
      return
    }
    this.#head++
    if (this.#head > COMPACT_FROM) {
      this.#waiting.splice(0, this.#head)
      this.#head = 0
    }
    // Not from here: a chain of promises would keep timers and sockets waiting.
    setImmediate(next)
  }

  /** Whether many turns wait for room. */
  get areCrowded(): boolean {
    return this.#waiting.length - this.#head >= CROWD
  }

  /** A turn begins. Nobody looks at it yet. */
  begin(turn: WatchedTurn): Running {
    return { turn, startedAt: performance.now(), cpuAtStart: turn.cpuMs(), stoppedAt: 0 }
  }

  /** From now on it is looked at, until it is said to have ended. After `lost` it never does, as its thread never comes back. */
  watch(running: Running): void {
    this.#running.add(running)
    this.#timer ??= setInterval(() => this.#lookAtAll(), LOOK_EVERY_MS)
  }

  /** Stops the turn if it has had its time: what is done now and then for all, for one that kept this thread from it. */
  look(running: Running): void {
    this.#lookAtRunning(running, performance.now())
  }

  end(running: Running): void {
    this.#running.delete(running)
  }

  /** Begins a turn, and watches it until it settles. */
  async run<T>(turn: WatchedTurn, run: () => Promise<T>): Promise<T> {
    const running = this.begin(turn)
    this.watch(running)
    try {
      return await run()
    } finally {
      this.end(running)
    }
  }

  #lookAtAll(): void {
    const now = performance.now()
    for (const running of this.#running) {
      if (running.stoppedAt > 0) this.#lookAtStopped(running, now)
      else this.#lookAtRunning(running, now)
    }
    if (this.#running.size === 0) {
      clearInterval(this.#timer!)
      this.#timer = null
    }
  }

  #lookAtRunning(running: Running, now: number): void {
    const { turn } = running
    const wallMs = now - running.startedAt
    if (wallMs < turn.limitMs) return
    const cpuMs = turn.cpuMs() - running.cpuAtStart
    if (cpuMs < turn.limitMs && wallMs < turn.limitMs * WALL_FACTOR) return
    running.stoppedAt = now
    turn.stop(`a turn took more than ${turn.limitMs} ms of CPU`, cpuMs)
  }

  #lookAtStopped(running: Running, now: number): void {
    if (now - running.stoppedAt < LOST_AFTER_MS) return
    this.end(running)
    running.turn.lost()
  }
}
