import { FrameType } from '@socklet/protocol'
import type { ServerResponse } from 'node:http'
import type { App, EventDescription } from './app.ts'
import { notify } from './notify.ts'
import { refuseRequest, type Refusal } from './refuse.ts'

/** An HTTP request that a function handles. */
export class PendingRequest {
  readonly number: number
  readonly app: App
  readonly requestId: string
  readonly functionName: string
  readonly method: string
  readonly response: ServerResponse
  /** The head of the answer was sent. */
  begun = false
  /** The answer is complete, or given up. */
  ended = false
  /** The client went away before that. */
  gone = false

  constructor(app: App, number: number, requestId: string, functionName: string, method: string, response: ServerResponse) {
    this.app = app
    this.number = number
    this.requestId = requestId
    this.functionName = functionName
    this.method = method
    this.response = response
    response.once('close', () => this.#onClosed())
  }

  get halfAnswered(): boolean {
    return this.begun && !this.ended
  }

  /** The handler is done: what it has not answered by now it never will. */
  onEventSettled(): void {
    this.app.requests.delete(this.number)
    this.app.gateway.numbers.free(this.number)
    if (this.ended) return
    this.ended = true
    if (this.begun) this.response.end()
    else this.fail()
  }

  describe(): EventDescription {
    return { name: `request ${this.requestId} for ${this.functionName}`, functionName: this.functionName, requestId: this.requestId, connection: '' }
  }

  /** What laf answers when a function throws. */
  fail(): void {
    this.begun = true
    this.ended = true
    const body = JSON.stringify({ error: 'Internal Server Error', requestId: this.requestId })
    if (this.response.destroyed) return
    this.response.writeHead(500, { 'content-type': 'application/json; charset=utf-8', 'content-length': String(Buffer.byteLength(body)) })
    this.response.end(this.method === 'HEAD' ? undefined : body)
  }

  /** The platform answers, or ends an answer that has begun. */
  refuse(refusal: Refusal): void {
    if (this.ended) return
    if (this.begun) {
      this.abort()
      return
    }
    this.begun = true
    this.ended = true
    this.app.countRefusal(refusal.status)
    if (!this.response.destroyed) refuseRequest(this.response, refusal)
  }

  /** The client sees that the answer is not complete. */
  abort(): void {
    this.ended = true
    this.response.destroy()
  }

  #onClosed(): void {
    if (this.response.writableFinished || this.gone) return
    this.gone = true
    const waits = this.app.requests.get(this.number) === this
    if (waits) notify(this.app, FrameType.REQUEST_GONE, this)
  }
}
