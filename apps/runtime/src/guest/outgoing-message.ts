import type { ResponseHead } from '@socklet/protocol'
import { Flag, FrameType } from '@socklet/protocol/frame'
import { fieldName, fieldValue } from './field-lines.ts'
import { addOwn, coded } from './globals/define.ts'
import { inspect } from './globals/inspect.ts'
import { HttpMessage, closeMessage, tell } from './http-message.ts'
import { push } from './lists.ts'
import { command, commandWithHead } from './outbox.ts'
import {
  NativeArrayBuffer, NativeError, NativeRangeError, NativeUint8Array, arrayBufferIsView, arrayIsArray, bareArray, bareObject, jsonStringify, objectAssign, objectKeys, toText
} from './primordials.ts'
import { EMPTY, toBuffer, viewBytes } from './socket-bytes.ts'
import { callLater, type Done } from './write-callbacks.ts'

type Field = string | string[]

/**
 * What `ctx.response` has of Node's ServerResponse. What is written goes out with the turn; the first part fixes status and headers.
 */
export class OutgoingMessage extends HttpMessage {
  readonly #gateway: number
  readonly #request: number
  readonly #onEnd: () => void
  readonly #headers = bareObject<Field>()
  #begun = false
  #ended = false
  statusCode: number = 200

  /** `onEnd`: the answer is complete. */
  constructor(gateway: number, request: number, onEnd: () => void) {
    super()
    this.#gateway = gateway
    this.#request = request
    this.#onEnd = onEnd
  }

  get headersSent(): boolean {
    return this.#begun
  }
  get writableEnded(): boolean {
    return this.#ended
  }
  get finished(): boolean {
    return this.#ended
  }
  get writableFinished(): boolean {
    return this.#ended && this.closed
  }
  get writable(): boolean {
    return !this.#ended && !this.closed
  }

  setHeader(name: string, value: unknown): this {
    if (this.#begun) throw coded(new NativeError('Cannot set headers after they are sent to the client'), 'ERR_HTTP_HEADERS_SENT')
    this.#headers[fieldName(name)] = arrayIsArray(value) ? fieldValues(name, value) : fieldValue(name, value)
    return this
  }
  getHeader(name: string): Field | undefined {
    return this.#headers[fieldName(name)]
  }
  hasHeader(name: string): boolean {
    return this.getHeader(name) !== undefined
  }
  getHeaders(): Record<string, Field> {
    return objectAssign(bareObject<Field>(), this.#headers)
  }
  removeHeader(name: string): void {
    delete this.#headers[fieldName(name)]
  }

  writeHead(status: number, text?: string | Record<string, unknown>, headers?: Record<string, unknown>): this {
    this.statusCode = statusOf(status)
    const given = typeof text === 'object' && text !== null ? text : (headers ?? {})
    const names = objectKeys(given)
    for (let i = 0; i < names.length; i++) this.setHeader(names[i]!, given[names[i]!])
    return this
  }

  /** The head goes out before any of the body. */
  flushHeaders(): void {
    if (!this.#begun) this.#part(EMPTY, false)
  }

  /** A part of the body. For a client that has left nothing is sent, and the answer is false. */
  write(chunk: unknown, encoding?: string | Done, done?: Done): boolean {
    if (this.#ended) throw coded(new NativeError('write after end'), 'ERR_STREAM_WRITE_AFTER_END')
    this.#part(bodyBytes(chunk, encoding), false)
    const callback = typeof encoding === 'function' ? encoding : done
    if (typeof callback === 'function') void callLater(callback, this.closed ? gone() : null)
    return !this.closed
  }

  /** The last part of the body. */
  end(chunk?: unknown, encoding?: string | Done, done?: Done): this {
    if (this.#ended) return this
    this.#part(chunk === undefined || chunk === null || typeof chunk === 'function' ? EMPTY : bodyBytes(chunk, encoding), true)
    const callback = typeof chunk === 'function' ? (chunk as Done) : typeof encoding === 'function' ? encoding : done
    if (typeof callback === 'function') void callLater(callback, this.closed ? gone() : null)
    if (!this.closed) this.#onEnd()
    return this
  }

  #part(body: Uint8Array, end: boolean): void {
    const flags = end ? Flag.END : 0
    if (this.closed) {
      this.#ended = end
      return
    }
    if (this.#begun) {
      command(FrameType.RESPONSE_PART, flags, this.#gateway, this.#request, body)
    } else {
      const head: ResponseHead = { status: statusOf(this.statusCode), headers: flatten(this.#headers) }
      commandWithHead(FrameType.RESPONSE, flags, this.#gateway, this.#request, jsonStringify(head), body)
    }
    this.#begun = true
    this.#ended = end
  }
}

/** The client has, or will have, all of it. */
export function finish(message: OutgoingMessage): void {
  if (!message.closed) tell(message, 'finish')
  closeMessage(message)
}

/** As Node takes it, but for 1xx: those are no answers. @throws RangeError */
function statusOf(given: number): number {
  const status = given | 0
  if (status >= 200 && status <= 999) return status
  throw coded(new NativeRangeError(`Invalid status code: ${toText(given)}`), 'ERR_HTTP_INVALID_STATUS_CODE')
}

function flatten(headers: Record<string, Field>): [string, string][] {
  const pairs = bareArray<[string, string]>()
  const names = objectKeys(headers)
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!
    const value = headers[name]!
    if (!arrayIsArray(value)) push(pairs, [name, value])
    else for (let j = 0; j < value.length; j++) push(pairs, [name, value[j]!])
  }
  return pairs
}

function bodyBytes(chunk: unknown, encoding: unknown): Uint8Array {
  if (typeof chunk === 'string') return toBuffer(chunk, typeof encoding === 'string' ? encoding : 'utf8')
  if (arrayBufferIsView(chunk)) return viewBytes(chunk)
  if (chunk instanceof NativeArrayBuffer) return new NativeUint8Array(chunk)
  throw coded(new NativeError(`The "chunk" argument must be of type string or an instance of Buffer or Uint8Array. Received ${inspect(chunk, { depth: 0 })}`), 'ERR_INVALID_ARG_TYPE')
}

/** An ordinary array, since functions can ask for it; made by definition, which no setter on a prototype sees. */
function fieldValues(name: string, values: readonly unknown[]): string[] {
  const all: string[] = []
  for (let i = 0; i < values.length; i++) addOwn(all, i, fieldValue(name, values[i]))
  return all
}

/** What Node gives to a write for which nobody is there. */
function gone(): Error {
  return coded(new NativeError('Cannot call write after a stream was destroyed'), 'ERR_STREAM_DESTROYED')
}
