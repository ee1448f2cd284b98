import type { FetchFailure, FetchHead, FetchResultHead } from '@socklet/protocol'
import type { AbortSignal } from '../globals/abort.ts'
import { takeStream } from './body.ts'
import { endFetch, giveBack, startFetch, type Waiting } from './channel.ts'
import { Request, type RequestInit } from './request.ts'
import { fetchedResponse, type Response } from './response.ts'
import { readAll, streamOf, type Source } from './stream.ts'

/** The pool takes no more. */
const MAX_BODY_BYTES = 16 * 1024 * 1024

/** `fetch(input, init)` (Fetch Standard): the pool makes the request, this isolate has no network. */
export async function fetch(input: unknown, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init)
  const { signal, url, method, redirect, headers } = request
  signal.throwIfAborted()
  const stream = takeStream(request)
  const body = stream === null ? new Uint8Array(0) : await readAll(stream, MAX_BODY_BYTES, tooLarge)
  signal.throwIfAborted()
  const head: FetchHead = { url, method, redirect, headers: [...headers] }
  return await new Answer(signal).ask(JSON.stringify(head), body)
}

/** The answer to one request: first the promise of it, then its body. */
class Answer implements Waiting, Source {
  readonly #signal: AbortSignal
  readonly #response = Promise.withResolvers<Response>()
  #id = 0
  #chunks: Uint8Array[] = []
  #waiting: PromiseWithResolvers<Uint8Array | null>[] = []
  #over = false
  #failed = false
  #error: unknown

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  ask(head: string, body: Uint8Array): Promise<Response> {
    try {
      this.#id = startFetch(head, body, this)
      this.#signal.addEventListener('abort', this.#onAbort, { once: true })
    } catch (error) {
      this.#response.reject(failed('fetch failed', error))
    }
    return this.#response.promise
  }

  onHead(head: FetchResultHead): void {
    try {
      this.#response.resolve(fetchedResponse(head, streamOf(this)))
    } catch (error) {
      this.#response.reject(failed('fetch failed', error))
      this.cancel()
    }
  }

  onPart(bytes: Uint8Array): void {
    const first = this.#waiting.shift()
    if (first === undefined) this.#chunks.push(bytes)
    else this.#hand(first, bytes)
  }

  onEnd(): void {
    this.#finish()
  }

  onFailure(failure: FetchFailure): void {
    const cause = causeOf(failure)
    this.#response.reject(failed('fetch failed', cause))
    this.#fail(failed('terminated', cause))
  }

  pull(): Promise<Uint8Array | null> {
    const next = Promise.withResolvers<Uint8Array | null>()
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) this.#hand(next, chunk)
    else if (this.#failed) next.reject(this.#error)
    else if (this.#over) next.resolve(null)
    else this.#waiting.push(next)
    return next.promise
  }

  cancel(): void {
    this.#chunks = []
    endFetch(this.#id)
    this.#finish()
  }

  readonly #onAbort = (): void => {
    endFetch(this.#id)
    this.#chunks = []
    this.#response.reject(this.#signal.reason)
    this.#fail(this.#signal.reason)
  }

  #hand(to: PromiseWithResolvers<Uint8Array | null>, bytes: Uint8Array): void {
    to.resolve(bytes)
    giveBack(this.#id, bytes.byteLength)
  }

  #fail(error: unknown): void {
    if (this.#over) return
    this.#failed = true
    this.#error = error
    this.#finish()
  }

  #finish(): void {
    this.#over = true
    this.#signal.removeEventListener('abort', this.#onAbort)
    for (const one of this.#waiting.splice(0)) {
      if (this.#failed) one.reject(this.#error)
      else one.resolve(null)
    }
  }
}

function failed(message: string, cause: unknown): TypeError {
  return new TypeError(message, { cause })
}

const KINDS: Record<string, new (message: string) => Error> = { RangeError, TypeError }

function causeOf({ name, message, code }: FetchFailure): Error {
  const cause = new (KINDS[name] ?? Error)(message)
  if (cause.name !== name) Object.defineProperty(cause, 'name', { value: name, configurable: true, writable: true })
  return code === '' ? cause : Object.assign(cause, { code })
}

function tooLarge(): Error {
  const cause = Object.assign(new RangeError(`the body of the request is above ${MAX_BODY_BYTES / 1024 / 1024} MiB`), { code: 'ERR_SOCKLET_FETCH_TOO_LARGE' })
  return failed('fetch failed', cause)
}
