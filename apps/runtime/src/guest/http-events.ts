import type { RequestHead } from '@socklet/protocol'
import { Flag } from '@socklet/protocol/frame'
import { BadRequest } from './bad-request.ts'
import { setCurrent, type Running } from './current.ts'
import { readRequestHead } from './heads.ts'
import { closeMessage } from './http-message.ts'
import { readHead, type EventFrame, type Mailbox } from './mailbox.ts'
import { INTERCEPTOR, Interception } from './interceptor.ts'
import { messageBuffer } from './message.ts'
import { handlerOf, type LoadedFunction } from './modules.ts'
import { finish } from './outgoing-message.ts'
import type { DispatcherParts } from './parts.ts'
import { NativeError, NativeMap, arrayBufferSlice, bareArray, mapDelete, mapGet, mapSet, ours } from './primordials.ts'
import { Request, abort } from './request.ts'
import { Response } from './response.ts'
import { failed, type Task, type TaskList } from './tasks.ts'

/** A request whose handler has not settled. */
interface Exchange {
  readonly running: Running
  readonly response: Response
  /** Once it was read. */
  request: Request | null
}

/** Requests: each is a call of a function, and what it returns is the answer. */
export class HttpEvents {
  readonly #parts: DispatcherParts
  readonly #handlers: TaskList
  /** By gateway, then by the request's number there. */
  readonly #exchanges = bareArray<Map<number, Exchange>>()

  constructor(parts: DispatcherParts, handlers: TaskList) {
    this.#parts = parts
    this.#handlers = handlers
  }

  event(mailbox: Mailbox, frame: EventFrame): Task {
    const { text, end } = readHead(mailbox, frame)
    const head = readRequestHead(text)
    const body = messageBuffer(arrayBufferSlice(mailbox.buffer, end, frame.end), 0, frame.end - end, null)
    const loaded = this.#parts.program().functions[head.function]
    const running: Running = { function: head.function, version: loaded?.version ?? 0, requestId: head.requestId, connection: '' }
    setCurrent(running)
    const exchange: Exchange = { running, response: new Response(frame.gateway, frame.connection, () => void finished(exchange)), request: null }
    mapSet(this.#exchangesOf(frame.gateway), frame.connection, exchange)
    const task = this.#handlers.begin(frame, running, exchange.response, null)
    void this.#answer(task, exchange, head, body, loaded, (frame.flags & Flag.REDELIVERED) !== 0)
    return task
  }

  /** The client has left: whoever still writes to it can learn of that. */
  gone(frame: EventFrame): void {
    const exchange = mapGet(this.#exchangesOf(frame.gateway), frame.connection)
    if (exchange === undefined) return
    setCurrent(exchange.running)
    closeMessage(exchange.response)
    if (exchange.request !== null) abort(exchange.request)
  }

  /** The handler has taken too long. */
  answerLate(task: Task): void {
    const { response, running } = task
    this.#forget(task)
    if (response !== null && !response.writableEnded) answerError(response, running.requestId, new NativeError('the handler took too long'))
  }

  async #answer(task: Task, exchange: Exchange, head: RequestHead, body: Uint8Array, loaded: LoadedFunction | undefined, redelivered: boolean): Promise<void> {
    const { response, running } = exchange
    let interception: Interception | null = null
    try {
      if (loaded === undefined) {
        response.status(404).send('Function Not Found')
        return
      }
      const program = this.#parts.program()
      const main = handlerOf(program, loaded, this.#parts.platform)
      exchange.request = new Request(head, body)
      const ctx = requestContext(head, exchange.request, response, redelivered)
      const interceptor = program.functions[INTERCEPTOR]
      if (interceptor !== undefined) interception = new Interception({ interceptor, main, running, response })
      const result = await (interception === null ? main(ctx) : ours(interception.run(this.#parts, ctx)))
      if (!task.settled && !response.writableEnded) {
        if (response.headersSent) response.end()
        else response.send(result)
      }
    } catch (error) {
      interception?.blame(error)
      if (!task.settled) answerError(response, head.requestId, error)
    } finally {
      this.#forget(task)
      this.#handlers.settle(task)
    }
  }

  #exchangesOf(gateway: number): Map<number, Exchange> {
    return (this.#exchanges[gateway] ??= new NativeMap())
  }

  /** The gateway may have given its number to another since it was settled. */
  #forget({ gateway, peer, settled }: Task): void {
    if (!settled) mapDelete(this.#exchangesOf(gateway), peer)
  }
}

/** Behind the code that has ended the answer, as Node tells it. */
async function finished({ running, request, response }: Exchange): Promise<void> {
  await undefined
  setCurrent(running)
  finish(response)
  if (request !== null) closeMessage(request)
}

function answerError(response: Response, requestId: string, error: unknown): void {
  if (error instanceof BadRequest && !response.headersSent) {
    response.status(400).json({ error: error.message, requestId })
    return
  }
  failed(error)
  if (response.writableEnded) return
  if (response.headersSent) {
    response.end()
    return
  }
  response.removeHeader('content-type')
  response.status(500).json({ error: 'Internal Server Error', requestId })
}

function requestContext(head: RequestHead, request: Request, response: Response, redelivered: boolean): object {
  const ctx: Record<string, unknown> = {
    query: request.query,
    body: request.body,
    files: request.files,
    headers: head.headers,
    method: head.method,
    user: request.user,
    params: request.params,
    requestId: head.requestId,
    request,
    response,
    __function_name: head.function
  }
  if (redelivered) ctx['redelivered'] = true
  return ctx
}
