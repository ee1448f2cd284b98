import { FrameType, HEADER_BYTES, MAX_FRAME_BYTES, type FrameHead } from './frame.ts'
import type { Link } from './link.ts'

/** How a set of calls is typed: method → its parameters and its result. */
export type CallMap = Record<string, { params: unknown; result: unknown }>

export type CallHandlers<Calls extends CallMap> = {
  [M in keyof Calls]: (params: Calls[M]['params']) => Calls[M]['result'] | Promise<Calls[M]['result']>
}

/** The other side of a link refused a call, or could not answer it. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly code: string
  readonly details: unknown
  constructor(code: string, message: string, details?: unknown) {
    super(message)
    this.code = code
    this.details = details
  }
}

interface Waiting {
  resolve: (result: unknown) => void
  reject: (error: Error) => void
  timer: NodeJS.Timeout
}

/** Waiting calls a side keeps at most; what is above was sent by something that has gone wrong. */
const MAX_WAITING = 10_000
const DEFAULT_TIMEOUT_MS = 30_000
const MAX_BODY_BYTES = MAX_FRAME_BYTES - HEADER_BYTES
/** Characters of a method's name in a message: the other side may send any. */
const MAX_NAME = 100

/**
 * Calls between processes, in JSON: for what happens now and then, never for each message.
 * `Out` are the calls that the other side answers, `In` the ones that this side answers.
 */
export class Control<Out extends CallMap, In extends CallMap> {
  readonly #link: () => Link
  readonly #handlers: Partial<CallHandlers<In>>
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1

  /** The link is given as a function, because its own constructor needs `onFrame` of this object. */
  constructor(link: () => Link, handlers: Partial<CallHandlers<In>>) {
    this.#link = link
    this.#handlers = handlers
  }

  /** @throws CallError when the other side refuses, when the link closes, `timeout` after `timeoutMs`, or `frame_too_large` if the call or its answer is. */
  call<M extends keyof Out & string>(method: M, params: Out[M]['params'], timeoutMs = DEFAULT_TIMEOUT_MS): Promise<Out[M]['result']> {
    if (this.#link().closed) return Promise.reject(new CallError('link_closed', `the link is closed, cannot call ${method}`))
    if (this.#waiting.size >= MAX_WAITING) return Promise.reject(new CallError('overloaded', `too many calls wait, cannot call ${method}`))
    const body = encode(`the call of ${method}`, { method, params })
    if (body instanceof CallError) return Promise.reject(body)
    const id = this.#nextId
    this.#nextId = (id + 1) >>> 0 || 1
    return new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id)
        reject(new CallError('timeout', `${method} was not answered within ${timeoutMs} ms`))
      }, timeoutMs)
      this.#waiting.set(id, { resolve, reject, timer })
      this.#send(FrameType.CALL, id, body)
    }) as Promise<Out[M]['result']>
  }

  /** A call whose answer nobody waits for. What no frame can hold is lost, as on a link that is closed: whoever tells much tells it in parts. */
  note<M extends keyof Out & string>(method: M, params: Out[M]['params']): void {
    if (this.#link().closed) return
    const body = encode(`the note ${method}`, { method, params })
    if (typeof body === 'string') this.#send(FrameType.NOTE, 0, body)
  }

  /** Takes a frame if it is one of control's. @throws SyntaxError if its payload is not JSON. */
  onFrame(bytes: Uint8Array, start: number, end: number): boolean {
    const type = bytes[start + 4]!
    if (type < FrameType.CALL || type > FrameType.NOTE) return false
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const body = JSON.parse(view.toString('utf8', start + HEADER_BYTES, end)) as Record<string, unknown>
    const id = view.readUInt32LE(start + 20)
    if (type === FrameType.REPLY) this.#onReply(id, body)
    else void this.#onCall(type === FrameType.CALL, id, String(body['method']), body['params'])
    return true
  }

  /** Rejects what still waits; to be called when the link closes. */
  onClose(): void {
    for (const waiting of this.#waiting.values()) {
      clearTimeout(waiting.timer)
      waiting.reject(new CallError('link_closed', 'the link closed before the answer came'))
    }
    this.#waiting.clear()
  }

  #onReply(id: number, body: Record<string, unknown>): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    clearTimeout(waiting.timer)
    const error = body['error'] as { code: string; message: string; details?: unknown } | undefined
    if (error === undefined) waiting.resolve(body['result'])
    else waiting.reject(new CallError(String(error.code), String(error.message), error.details))
  }

  async #onCall(wantsReply: boolean, id: number, method: string, params: unknown): Promise<void> {
    let answer: unknown
    try {
      const handler = Object.hasOwn(this.#handlers, method) ? this.#handlers[method] : undefined
      if (handler === undefined) throw new CallError('unknown_method', `no method ${method.slice(0, MAX_NAME)}`)
      answer = { result: (await handler(params)) ?? null }
    } catch (error) {
      answer = refusal(error as CallError)
    }
    if (wantsReply && !this.#link().closed) this.#reply(id, method, answer)
  }

  /** An answer that cannot be sent is a refusal that can: the link has calls of others. */
  #reply(id: number, method: string, answer: unknown): void {
    const body = encode(`the answer to ${method.slice(0, MAX_NAME)}`, answer)
    this.#send(FrameType.REPLY, id, typeof body === 'string' ? body : JSON.stringify(refusal(body)))
  }

  #send(type: number, sequence: number, body: string): void {
    const head: FrameHead = { type, flags: 0, gateway: 0, app: 0, generation: 0, connection: 0, sequence }
    this.#link().sendText(head, body)
  }
}

function refusal({ code, message, details }: CallError): { error: Pick<CallError, 'code' | 'message' | 'details'> } {
  return { error: { code: typeof code === 'string' ? code : 'internal', message, details } }
}

/** The JSON of a body; or why no frame can hold it. `what` names it. */
function encode(what: string, body: unknown): string | CallError {
  let text: string
  try {
    text = JSON.stringify(body)
  } catch (error) {
    const { message } = error as Error
    // A RangeError: no string can be so long, or nothing can be nested so deep.
    return error instanceof RangeError ? new CallError('frame_too_large', `${what} is too large for JSON: ${message}`) : new CallError('internal', `${what} cannot be JSON: ${message}`)
  }
  // A character is three bytes at most: to count them is seldom needed.
  if (text.length * 3 <= MAX_BODY_BYTES) return text
  const bytes = Buffer.byteLength(text)
  return bytes <= MAX_BODY_BYTES ? text : new CallError('frame_too_large', `${what} has ${bytes} bytes, more than the ${MAX_BODY_BYTES} of a frame`)
}

/** Makes a link that carries calls, and hands frames of other types to `onFrame`. */
export function controlLink<Out extends CallMap, In extends CallMap>(
  makeLink: (options: { onFrame: (bytes: Uint8Array, start: number, end: number) => void; onClose: (error?: Error) => void }) => Link,
  handlers: Partial<CallHandlers<In>>,
  on: { frame?: (bytes: Uint8Array, start: number, end: number) => void; close?: (error?: Error) => void } = {}
): { link: Link; control: Control<Out, In> } {
  const control: Control<Out, In> = new Control<Out, In>(() => link, handlers)
  const link: Link = makeLink({
    onFrame: (bytes, start, end) => {
      if (!control.onFrame(bytes, start, end)) on.frame?.(bytes, start, end)
    },
    onClose: (error) => {
      control.onClose()
      on.close?.(error)
    }
  })
  return { link, control }
}
