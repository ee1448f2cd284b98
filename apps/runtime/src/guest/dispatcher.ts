import { FrameType } from '@socklet/protocol/frame'
import { TurnWord } from '../turn-layout.ts'
import { current, setCurrent } from './current.ts'
import { receiveFetch } from './fetch/channel.ts'
import { HttpEvents } from './http-events.ts'
import { Level, log, logError } from './log.ts'
import { nextEvent, type EventFrame, type Mailbox } from './mailbox.ts'
import { mainOf, type LoadedFunction, type Main } from './modules.ts'
import { acknowledge, setWord } from './outbox.ts'
import type { DispatcherParts } from './parts.ts'
import { bareArray, now } from './primordials.ts'
import { failed, TaskList, type Task } from './tasks.ts'
import { UpgradeEvents } from './upgrade-events.ts'
import { WebSocketEvents } from './websocket-events.ts'

/**
 * Microtask rounds that the next event waits for a handler. laf runs a handler until it waits for something
 * outside before it takes the next message, since each message comes from a socket of its own; code relies on it
 * (get from cloud.shared, await, set). A handler that has not settled after so many rounds does wait for something.
 */
const MAX_ROUNDS = 100
/** A turn begins no further event after this time: how much a turn may take (limit turnCpuMs) is not a question of how many events came at once. */
const SLICE_MS = 50

export interface Dispatcher {
  /** The events of a turn, in order, behind those that a turn before has left. What its time does not suffice for is left in turn. */
  run(mailbox: Mailbox | null): Promise<void>
  /** Gives up on handlers that have taken too long. */
  expire(): void
  /** Lets what was just started go on until it settles or waits for something outside. */
  settleDown(): Promise<void>
}

export function makeDispatcher(parts: DispatcherParts): Dispatcher {
  /** Events that wait, from `first` to `count`. */
  let mailboxes = bareArray<Mailbox>()
  let first = 0
  let count = 0
  const handlers = new TaskList(parts.handlerMs, (task, limitMs) => {
    const before = current()
    setCurrent(task.running)
    log(Level.ERROR, `the handler took more than ${limitMs} ms; what it still does is not waited for`)
    setCurrent(before)
    http.answerLate(task)
  })
  const http = new HttpEvents(parts, handlers)
  const websocket = new WebSocketEvents(parts, handlers)
  const upgrades = new UpgradeEvents(parts)

  function dispatch(mailbox: Mailbox, frame: EventFrame): Task | null {
    switch (frame.type) {
      case FrameType.ATTACH:
        websocket.open(mailbox, frame)
        return null
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
        return http.event(mailbox, frame)
      case FrameType.UPGRADE:
        return upgrades.event(mailbox, frame)
      default:
        return null
    }
  }

  async function settles(task: Task): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS && !task.settled; round++) await undefined
  }

  async function run(mailbox: Mailbox | null): Promise<void> {
    if (mailbox !== null) mailboxes[count++] = mailbox
    const end = now() + SLICE_MS
    while (first < count) {
      const frame = nextEvent(mailboxes[first]!)
      if (frame === null) first++
      else await deliver(mailboxes[first]!, frame)
      if (now() >= end) break
    }
    setWord(TurnWord.LEFT, first < count ? 1 : 0)
    if (first < count) return
    mailboxes = bareArray()
    first = count = 0
  }

  async function deliver(mailbox: Mailbox, frame: EventFrame): Promise<void> {
    if (frame.type === FrameType.ATTACHED) {
      init()
      await settleDown()
      return
    }
    if (frame.type === FrameType.FETCH_RESULT || frame.type === FrameType.FETCH_PART) {
      try {
        receiveFetch(mailbox, frame)
      } catch (error) {
        logError('', error)
      }
      await settleDown()
      return
    }
    let task: Task | null = null
    try {
      task = dispatch(mailbox, frame)
    } catch (error) {
      // Only tenant code that broke the built-ins under it, or a full outbox, gets here: the event is over all the same.
      logError('', error)
      acknowledge(frame.gateway, frame.sequence)
    }
    if (task !== null) await settles(task)
  }

  function expire(): void {
    handlers.expire()
    upgrades.expire()
  }

  /** Calls `__init__`, if there is one: the isolate is new, and all connections that there were before it are attached. */
  function init(): void {
    const loaded = parts.program().functions['__init__']
    if (loaded === undefined) return
    setCurrent({ function: '__init__', version: loaded.version, requestId: '', connection: '' })
    void runInit(mainOfInit(loaded))
  }

  function mainOfInit(loaded: LoadedFunction): Main | null {
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
