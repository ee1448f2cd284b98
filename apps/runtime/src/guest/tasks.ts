import { TurnWord } from '../turn-layout.ts'
import type { Connection } from './connection.ts'
import type { Running } from './current.ts'
import { logError } from './log.ts'
import type { EventFrame } from './mailbox.ts'
import { acknowledge, setWord } from './outbox.ts'
import { bareArray, mathMin, now } from './primordials.ts'
import type { Response } from './response.ts'
import { watchData } from './socket-data.ts'
import { addDeadline } from './timers.ts'

/** A handler that runs. They stand in a list in the order of their start, which is the order of their deadlines. */
export interface Task {
  readonly gateway: number
  readonly sequence: number
  /** Number of the connection, request or upgrade. */
  readonly peer: number
  readonly running: Running
  readonly deadline: number
  readonly response: Response | null
  readonly connection: Connection | null
  settled: boolean
  previous: Task | null
  next: Task | null
}

let pending = 0
let errors = 0
const lists = bareArray<TaskList>()
let listCount = 0

/** A handler failed: its app's log says so. */
export function failed(error: unknown): void {
  setWord(TurnWord.ERRORS, ++errors)
  logError('', error)
}

/** Handlers that may all take equally long. */
export class TaskList {
  readonly #limitMs: () => number
  readonly #onExpired: (task: Task, limitMs: number) => void
  #oldest: Task | null = null
  #newest: Task | null = null

  /** `onExpired` is told of a handler that has taken too long; it is settled afterwards. */
  constructor(limitMs: () => number, onExpired: (task: Task, limitMs: number) => void) {
    this.#limitMs = limitMs
    this.#onExpired = onExpired
    lists[listCount++] = this
  }

  get deadline(): number {
    return this.#oldest === null ? Infinity : this.#oldest.deadline
  }

  begin(frame: EventFrame, running: Running, response: Response | null, connection: Connection | null): Task {
    const task: Task = {
      gateway: frame.gateway,
      sequence: frame.sequence,
      peer: frame.connection,
      running,
      deadline: now() + this.#limitMs(),
      response,
      connection,
      settled: false,
      previous: this.#newest,
      next: null
    }
    if (this.#newest === null) this.#oldest = task
    else this.#newest.next = task
    this.#newest = task
    setWord(TurnWord.PENDING, ++pending)
    return task
  }

  settle(task: Task): void {
    if (task.settled) return
    task.settled = true
    if (task.previous === null) this.#oldest = task.next
    else task.previous.next = task.next
    if (task.next === null) this.#newest = task.previous
    else task.next.previous = task.previous
    setWord(TurnWord.PENDING, --pending)
    // A handler may have kept `socket.data` from an earlier turn and changed it in this one.
    if (task.connection !== null) watchData(task.connection)
    acknowledge(task.gateway, task.sequence)
  }

  /** Gives up on those that have taken too long. */
  expire(): void {
    while (this.#oldest !== null && this.#oldest.deadline <= now()) {
      const task = this.#oldest
      this.#onExpired(task, this.#limitMs())
      this.settle(task)
    }
  }
}

function firstDeadline(): number {
  let first = Infinity
  for (let i = 0; i < listCount; i++) first = mathMin(first, lists[i]!.deadline)
  return first
}
addDeadline(firstDeadline)
