// oxlint-disable typescript/no-require-imports -- the bundler's, see globals/index.ts
import { forgetAsked } from './asked-text.ts'
import { FrameType } from '@socklet/protocol/frame'
import { TurnWord } from '../turn-layout.ts'
import { current, setCurrent, type Running } from './current.ts'
import { receiveFetch } from './fetch/channel.ts'
import type { HttpEvents } from './http-events.ts'
import { reached } from './limits.ts'
import { Level, logError } from './log.ts'
import { hasNextEvent, nextEvent, type EventFrame, type Mailbox } from './mailbox.ts'
import { mainOf, type LoadedFunction, type Main } from './modules.ts'
import { acknowledge, setWord } from './outbox.ts'
import type { DispatcherParts } from './parts.ts'
import { bareArray, now, setSize } from './primordials.ts'
import { failed, TaskList, type Task } from './tasks.ts'
import type { UpgradeEvents } from './upgrade-events.ts'
import { WEBSOCKET, WebSocketEvents } from './websocket-events.ts'

/**
 * Microtask rounds that the next event waits for a handler. laf runs a handler until it waits for something
 * outside before it takes the next message, since each message comes from a socket of its own; code relies on it
 * (get from cloud.shared, await, set). A handler that has not settled after so many rounds does wait for something.
 */
const MAX_ROUNDS = 100
/** Of one that returns no promise: it may have called something asynchronous without waiting for it. */
const MIN_ROUNDS = 4
/** A turn begins no further event after this time: how much a turn may take (limit turnCpuMs) is not a question of how many events came at once. */
const SLICE_MS = 50

/** What was begun has no task: all of the rounds. */
const SETTLE_DOWN = 'settle down'
/** No code of a function ran: none. */
const NOTHING_RAN = 'nothing ran'
type Begun = Task | typeof SETTLE_DOWN | typeof NOTHING_RAN | null

export interface Dispatcher {
  /** The events of a turn, in order, behind those that a turn before has left, then `done`. What its time does not suffice for is left in turn. */
  run(mailbox: Mailbox | null, done: () => void): void
  /** Gives up on handlers that have taken too long. */
  expire(): void
  /** Lets what was just started go on until it settles or waits for something outside. */
  settleDown(): Promise<void>
}

export function makeDispatcher(parts: DispatcherParts): Dispatcher {
  /** Events that wait, from `first` to `count`. */
  const mailboxes = bareArray<Mailbox | null>()
  let first = 0
  let count = 0
  const handlers = new TaskList(parts.handlerMs, (task, limitMs) => {
    const before = current()
    setCurrent(task.running)
    reached('handlerMs', `the handler took more than ${limitMs} ms; what it still does is not waited for`, Level.ERROR)
    http?.answerLate(task)
    setCurrent(before)
  })
  const websocket = new WebSocketEvents(parts, handlers)
  let http: HttpEvents | null = null
  let upgrades: UpgradeEvents | null = null

  function httpEvents(): HttpEvents {
    const { HttpEvents: Events } = require('./http-events.ts') as typeof import('./http-events.ts')
    return (http ??= new Events(parts, handlers))
  }

  function upgradeEvents(): UpgradeEvents {
    const { UpgradeEvents: Events } = require('./upgrade-events.ts') as typeof import('./upgrade-events.ts')
    return (upgrades ??= new Events(parts))
  }

  function dispatch(mailbox: Mailbox, frame: EventFrame): Task | typeof NOTHING_RAN | null {
    switch (frame.type) {
      case FrameType.ATTACH:
        websocket.attach(mailbox, frame)
        return NOTHING_RAN
      case FrameType.OPEN:
      case FrameType.MESSAGE:
      case FrameType.ERROR:
      case FrameType.CLOSED:
        return websocket.event(mailbox, frame)
      case FrameType.PING:
      case FrameType.PONG:
      case FrameType.SENT:
      case FrameType.BUFFERED:
        websocket.notice(mailbox, frame)
        return null
      case FrameType.REQUEST:
        return httpEvents().event(mailbox, frame)
      case FrameType.REQUEST_GONE:
        http?.gone(frame)
        return null
      case FrameType.UPGRADE:
        return upgradeEvents().event(mailbox, frame)
      default:
        return null
    }
  }

  function run(mailbox: Mailbox | null, done: () => void): void {
    if (mailbox !== null) mailboxes[count++] = mailbox
    const end = now() + SLICE_MS
    const frame = nextWaiting()
    const task = frame === null ? null : begin(mailboxes[first]!, frame)
    // Most turns of most apps have one event: without a promise they cost half.
    if ((task === null || task === NOTHING_RAN) && !anythingWaits()) finish(done)
    else void goOn(task, end, done)
  }

  async function goOn(begun: Begun, end: number, done: () => void): Promise<void> {
    let task = begun
    for (;;) {
      if (task !== NOTHING_RAN) for (let round = 0; round < MIN_ROUNDS || (round < MAX_ROUNDS && goesOn(task)); round++) await undefined
      const frame = now() < end ? nextWaiting() : null
      if (frame === null) break
      task = begin(mailboxes[first]!, frame)
    }
    finish(done)
  }

  function goesOn(task: Exclude<Begun, typeof NOTHING_RAN>): boolean {
    return task !== null && (task === SETTLE_DOWN || !task.settled)
  }

  function nextWaiting(): EventFrame | null {
    for (; first < count; first++) {
      const frame = nextEvent(mailboxes[first]!)
      if (frame !== null) return frame
    }
    return null
  }

  function anythingWaits(): boolean {
    return first + 1 < count || (first < count && hasNextEvent(mailboxes[first]!))
  }

  function finish(done: () => void): void {
    const left = anythingWaits()
    setWord(TurnWord.LEFT, left ? 1 : 0)
    if (!left) {
      for (let i = 0; i < count; i++) mailboxes[i] = null
      first = count = 0
    }
    forgetAsked()
    done()
  }

  /** The task to wait for, if there is one. */
  function begin(mailbox: Mailbox, frame: EventFrame): Begun {
    if (frame.type === FrameType.ATTACHED) {
      init()
      return SETTLE_DOWN
    }
    if (frame.type === FrameType.FETCH_RESULT || frame.type === FrameType.FETCH_PART) {
      try {
        receiveFetch(mailbox, frame)
      } catch (error) {
        logError('', error)
      }
      return SETTLE_DOWN
    }
    try {
      return dispatch(mailbox, frame)
    } catch (error) {
      // Only tenant code that broke the built-ins under it, or a full outbox, gets here: the event is over all the same.
      logError('', error)
      acknowledge(frame.gateway, frame.sequence)
      return null
    }
  }

  function expire(): void {
    handlers.expire()
    upgrades?.expire()
  }

  /** The isolate is new, and all connections that there were before it are attached: `__init__` is called, if there is one. */
  function init(): void {
    const loaded = parts.program().functions['__init__']
    if (loaded !== undefined) {
      setCurrent(runningIn(loaded))
      void runInit(loadedMain(loaded))
    }
    if (setSize(parts.sockets) > 0) loadForSockets()
  }

  /** What the module of `__websocket__` does by itself, by timers for the most part, goes on for those who are connected, also if none of them says anything. */
  function loadForSockets(): void {
    const loaded = parts.program().functions[WEBSOCKET]
    if (loaded === undefined) return
    const before = current()
    setCurrent(runningIn(loaded))
    loadedMain(loaded)
    setCurrent(before)
  }

  function runningIn({ name, version }: LoadedFunction): Running {
    return { function: name, version, requestId: '', connection: '' }
  }

  function loadedMain(loaded: LoadedFunction): Main | null {
    try {
      return mainOf(parts.program(), loaded, parts.platform)
    } catch (error) {
      failed(error)
      return null
    }
  }

  async function runInit(main: Main | null): Promise<void> {
    try {
      await main?.({ method: 'INIT' })
    } catch (error) {
      failed(error)
    }
  }

  async function settleDown(): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) await undefined
  }

  return { run, expire, settleDown }
}
