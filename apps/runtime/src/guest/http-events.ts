import type { RequestHead } from '@socklet/protocol'
import { Flag } from '@socklet/protocol/frame'
import { setCurrent, type Running } from './current.ts'
import { readRequestHead } from './heads.ts'
import { readHead, type EventFrame, type Mailbox } from './mailbox.ts'
import { messageBuffer } from './message.ts'
import { handlerOf, type LoadedFunction } from './modules.ts'
import type { DispatcherParts } from './parts.ts'
import { NativeError, arrayBufferSlice } from './primordials.ts'
import { BadRequest, readRequest } from './request.ts'
import { Response } from './response.ts'
import { failed, type Task, type TaskList } from './tasks.ts'

/** Requests: each is a call of a function, and what it returns is the answer. */
export class HttpEvents {
  readonly #parts: DispatcherParts
  readonly #handlers: TaskList

  constructor(parts: DispatcherParts, handlers: TaskList) {
    this.#parts = parts
    this.#handlers = handlers
  }

  event(mailbox: Mailbox, frame: EventFrame): Task {
    const { text, end } = readHead(mailbox, frame)
    const head = readRequestHead(text)
    const body = messageBuffer(arrayBufferSlice(mailbox.buffer, end, frame.end), 0, frame.end - end, null)
    const response = new Response(frame.gateway, frame.connection)
    const loaded = this.#parts.program().functions[head.function]
    const running: Running = { function: head.function, version: loaded?.version ?? 0, requestId: head.requestId, connection: '' }
    setCurrent(running)
    const task = this.#handlers.begin(frame, running, response, null)
    void this.#answer(task, response, head, body, loaded, (frame.flags & Flag.REDELIVERED) !== 0)
    return task
  }

  /** The handler has taken too long. */
  answerLate({ response, running }: Task): void {
    if (response !== null && !response.writableEnded) answerError(response, running.requestId, new NativeError('the handler took too long'))
  }

  async #answer(task: Task, response: Response, head: RequestHead, body: Uint8Array, loaded: LoadedFunction | undefined, redelivered: boolean): Promise<void> {
    try {
      if (loaded === undefined) {
        response.status(404).send('Function Not Found')
        return
      }
      const main = handlerOf(this.#parts.program(), loaded, this.#parts.platform)
      const result = await main(requestContext(head, body, response, redelivered))
      if (!task.settled && !response.writableEnded) {
        if (response.headersSent) response.end()
        else response.send(result)
      }
    } catch (error) {
      if (!task.settled) answerError(response, head.requestId, error)
    } finally {
      this.#handlers.settle(task)
    }
  }
}

function answerError(response: Response, requestId: string, error: unknown): void {
  if (error instanceof BadRequest && !response.headersSent) {
    response.status(400).json({ error: error.message, requestId })
    return
  }
  failed(error)
  if (response.writableEnded) return
  if (response.headersSent) response.end()
  else response.status(500).json({ error: 'Internal Server Error', requestId })
}

function requestContext(head: RequestHead, body: Uint8Array, response: Response, redelivered: boolean): object {
  const request = readRequest(head, body)
  const ctx: Record<string, unknown> = {
    query: request.query,
    body: request.body,
    headers: head.headers,
    method: head.method,
    params: {},
    requestId: head.requestId,
    request,
    response,
    __function_name: head.function
  }
  if (redelivered) ctx['redelivered'] = true
  return ctx
}
