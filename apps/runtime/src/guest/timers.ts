import { NEVER, TurnWord } from '../turn-layout.ts'
import { named } from './globals/define.ts'
import { current, setCurrent, type Running } from './current.ts'
import { reached } from './limits.ts'
import { logError } from './log.ts'
import { setWord } from './outbox.ts'
import { NativeMap, NativeRangeError, NativeTypeError, bareArray, mapDelete, mapGet, mapSet, mapSize, mathMax, mathMin, now, objectAssign, ours, reflectApply, toNumber } from './primordials.ts'

/** Longer delays are 1 ms, as in Node. */
const MAX_DELAY_MS = 2 ** 31 - 1
const COMPACT_FROM = 1024
/** The delay that makes a timer due before all others, whenever they were set. */
const IMMEDIATELY = -Infinity

type Callback = (...args: unknown[]) => unknown

let limit = 10_000
let nextId = 1
/** Timers that are set, by id. What is cleared leaves the map at once, and the heap when its time comes. */
const timers = new NativeMap<number, Timeout>()

/** Binary heap by due time, then by id. `heap[1]` is the next one; the array is dense from 1 to `heapSize`. */
const heap = bareArray<Entry>()
let heapSize = 0

interface Entry {
  due: number
  id: number
}

export function setTimerLimit(count: number): void {
  limit = count
}

let stateOf: (timeout: Timeout) => { run: () => void; interval: number; due: number }
let timerId: (timeout: object) => number | undefined

/** What `setTimeout` returns, as in Node. */
class Timeout {
  readonly #id: number
  readonly #callback: Callback
  readonly #args: unknown[]
  readonly #delay: number
  readonly #repeat: boolean
  readonly #running: Running
  #due: number

  static {
    stateOf = (timeout) => ({
      run: () => {
        setCurrent(timeout.#running)
        reflectApply(timeout.#callback, timeout, timeout.#args)
      },
      interval: timeout.#repeat ? timeout.#delay : 0,
      due: timeout.#due
    })
    timerId = (timeout) => (#id in timeout ? timeout.#id : undefined)
  }

  constructor(callback: Callback, delay: number, repeat: boolean, args: unknown[]) {
    this.#id = nextId++
    this.#callback = callback
    this.#args = args
    this.#delay = delay
    this.#repeat = repeat
    this.#running = current()
    this.#due = now() + delay
    mapSet(timers, this.#id, this)
    push({ due: this.#due, id: this.#id })
    reportTimers()
  }

  /** Starts the time anew, also of a timer that is over. */
  refresh(): this {
    this.#due = now() + this.#delay
    mapSet(timers, this.#id, this)
    push({ due: this.#due, id: this.#id })
    reportTimers()
    return this
  }

  // There is no event loop to keep alive: these are for code that calls them out of habit.
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
  hasRef(): boolean {
    return true
  }
  close(): this {
    mapDelete(timers, this.#id)
    return this
  }
  [Symbol.toPrimitive](): number {
    return this.#id
  }
  [Symbol.dispose](): void {
    mapDelete(timers, this.#id)
  }
}

function add(callback: unknown, delay: number, repeat: boolean, args: unknown[]): Timeout {
  if (typeof callback !== 'function') {
    const error = new NativeTypeError('The "callback" argument must be of type function')
    throw objectAssign(error, { code: 'ERR_INVALID_ARG_TYPE' })
  }
  if (mapSize(timers) >= limit) {
    reached('timers', `a timer was refused: ${limit} are set`)
    throw new NativeRangeError(`this app has ${limit} timers set, which is its limit`)
  }
  return new Timeout(callback as Callback, delay, repeat, args)
}

/** The delay as Node takes it: at least 1 ms, and 1 for what is no number or too large. */
function wholeDelay(delay: unknown): number {
  const number = toNumber(delay)
  return number >= 1 && number <= MAX_DELAY_MS ? number - (number % 1) : 1
}

named(Timeout, 'Timeout')

function clear(timer: unknown): void {
  if (typeof timer === 'object' && timer !== null) {
    const id = timerId(timer)
    if (id !== undefined) mapDelete(timers, id)
  } else if (typeof timer === 'number' || typeof timer === 'string') {
    mapDelete(timers, toNumber(timer))
  }
}

export const timerGlobals = {
  setTimeout: (callback: unknown, delay?: unknown, ...args: unknown[]) => add(callback, wholeDelay(delay), false, args),
  setInterval: (callback: unknown, delay?: unknown, ...args: unknown[]) => add(callback, wholeDelay(delay), true, args),
  setImmediate: (callback: unknown, ...args: unknown[]) => add(callback, IMMEDIATELY, false, args),
  clearTimeout: clear,
  clearInterval: clear,
  clearImmediate: clear
}

export function timersAreDue(): boolean {
  return heapSize > 0 && heap[1]!.due <= now()
}

/** The timers that are due now, in order; those that they set wait for the next turn. */
export async function runTimers(afterEach: () => Promise<void>): Promise<void> {
  const time = now()
  const due = bareArray<Timeout>()
  let count = 0
  while (heapSize > 0 && heap[1]!.due <= time) {
    const entry = pop()
    const timeout = mapGet(timers, entry.id)
    if (timeout !== undefined && stateOf(timeout).due === entry.due) due[count++] = timeout
  }
  for (let i = 0; i < count; i++) {
    const timeout = due[i]!
    const id = timerId(timeout)!
    if (mapGet(timers, id) !== timeout) continue
    const { run, interval } = stateOf(timeout)
    if (interval > 0) timeout.refresh()
    else mapDelete(timers, id)
    try {
      run()
    } catch (error) {
      logError('Uncaught in a timer: ', error)
    }
    await ours(afterEach())
  }
}

const deadlines = bareArray<() => number>()
let deadlineCount = 0

/** Another time at which the guest wants a turn, in epoch milliseconds or Infinity. Asked at the end of each turn. */
export function addDeadline(ask: () => number): void {
  deadlines[deadlineCount++] = ask
}

function firstDeadline(): number {
  let first = Infinity
  for (let i = 0; i < deadlineCount; i++) first = mathMin(first, deadlines[i]!())
  return first
}

/** Tells the host when the next turn is wanted. */
export function reportTimers(): void {
  while (heapSize > 0) {
    const timeout = mapGet(timers, heap[1]!.id)
    if (timeout !== undefined && stateOf(timeout).due === heap[1]!.due) break
    pop()
  }
  const next = mathMin(heapSize > 0 ? heap[1]!.due : Infinity, firstDeadline())
  setWord(TurnWord.WAKE_IN, next === Infinity ? NEVER : mathMax(0, mathMin(next - now(), MAX_DELAY_MS)))
  setWord(TurnWord.TIMERS, mapSize(timers))
}

function before(a: Entry, b: Entry): boolean {
  return a.due < b.due || (a.due === b.due && a.id < b.id)
}

function push(entry: Entry): void {
  if (heapSize > COMPACT_FROM && heapSize > 4 * mapSize(timers)) compact()
  let at = ++heapSize
  for (; at > 1 && before(entry, heap[at >> 1]!); at >>= 1) heap[at] = heap[at >> 1]!
  heap[at] = entry
}

/** Drops the entries of timers that were cleared: a debounce clears one for each that it sets. */
function compact(): void {
  const size = heapSize
  heapSize = 0
  for (let i = 1; i <= size; i++) {
    const entry = heap[i]!
    const timeout = mapGet(timers, entry.id)
    if (timeout !== undefined && stateOf(timeout).due === entry.due) push(entry)
  }
  heap.length = heapSize + 1
}

function pop(): Entry {
  const top = heap[1]!
  const entry = heap[heapSize--]!
  let at = 1
  for (let child = 2; child <= heapSize; child = at * 2) {
    if (child < heapSize && before(heap[child + 1]!, heap[child]!)) child++
    if (!before(heap[child]!, entry)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = entry
  return top
}

