import type { UpgradeHead } from '@socklet/protocol'
import { Flag, FrameType } from '@socklet/protocol/frame'
import { current, setCurrent, type Running } from './current.ts'
import { Level, log } from './log.ts'
import { readUpgradeHead } from './heads.ts'
import { readText, type EventFrame, type Mailbox } from './mailbox.ts'
import { exportsOf, type LoadedFunction } from './modules.ts'
import { commandWithHead } from './outbox.ts'
import type { DispatcherParts } from './parts.ts'
import { jsonStringify, mathMin } from './primordials.ts'
import { queryOf } from './request.ts'
import { failed, TaskList, type Task } from './tasks.ts'
import { ACCEPTED, answerOf, FAILED, type UpgradeAnswer } from './upgrade-answer.ts'

const WEBSOCKET = '__websocket__'
/** docs/clients.md: `upgrade(ctx)` has so long to decide. */
const DECIDE_MS = 5_000

type Upgrade = (ctx: object) => unknown

/** Clients who are not accepted yet: `upgrade(ctx)` of `__websocket__` decides, where there is one. */
export class UpgradeEvents {
  readonly #parts: DispatcherParts
  readonly #tasks: TaskList

  constructor(parts: DispatcherParts) {
    this.#parts = parts
    this.#tasks = new TaskList(() => mathMin(DECIDE_MS, parts.handlerMs()), tooLate)
  }

  event(mailbox: Mailbox, frame: EventFrame): Task {
    const head = readUpgradeHead(readText(mailbox, frame.start, frame.end))
    const loaded = this.#parts.program().functions[WEBSOCKET]
    const running: Running = { function: WEBSOCKET, version: loaded?.version ?? 0, requestId: head.requestId, connection: '' }
    setCurrent(running)
    const task = this.#tasks.begin(frame, running, null, null)
    void this.#decide(task, head, loaded, (frame.flags & Flag.REDELIVERED) !== 0)
    return task
  }

  expire(): void {
    this.#tasks.expire()
  }

  async #decide(task: Task, head: UpgradeHead, loaded: LoadedFunction | undefined, redelivered: boolean): Promise<void> {
    let answer = ACCEPTED
    try {
      const upgrade = loaded === undefined ? null : this.#upgradeOf(loaded)
      if (upgrade !== null) answer = answerOf(await upgrade(contextOf(head, redelivered)))
    } catch (error) {
      // Who cannot be asked has not let anybody in.
      answer = FAILED
      if (!task.settled) failed(error)
    }
    if (task.settled) return
    reply(task, answer)
    this.#tasks.settle(task)
  }

  #upgradeOf(loaded: LoadedFunction): Upgrade | null {
    const exports = exportsOf(this.#parts.program(), loaded, this.#parts.platform) as { upgrade?: unknown } | null | undefined
    const upgrade = exports?.upgrade
    return typeof upgrade === 'function' ? (upgrade as Upgrade) : null
  }
}

function contextOf(head: UpgradeHead, redelivered: boolean): object {
  const ctx: Record<string, unknown> = {
    method: 'WebSocket:upgrade',
    params: null,
    requestId: head.requestId,
    url: head.url,
    headers: head.headers,
    query: queryOf(head.url),
    protocols: head.protocols,
    ip: head.address,
    __function_name: WEBSOCKET
  }
  if (redelivered) ctx['redelivered'] = true
  return ctx
}

function tooLate(task: Task, limitMs: number): void {
  const before = current()
  setCurrent(task.running)
  log(Level.ERROR, `upgrade took more than ${limitMs} ms; the client is refused`)
  setCurrent(before)
  reply(task, FAILED)
}

function reply({ gateway, peer }: Task, { head, body }: UpgradeAnswer): void {
  commandWithHead(FrameType.UPGRADE_RESULT, 0, gateway, peer, jsonStringify(head), body)
}
