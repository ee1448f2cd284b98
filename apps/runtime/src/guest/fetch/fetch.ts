import type { FetchFailure, FetchHead, FetchResultHead } from '@socklet/protocol'
import { isAborted, reasonOf, type AbortSignal } from '../globals/abort.ts'
import { makeBytes } from '../globals/bytes.ts'
import { coded, define } from '../globals/define.ts'
import { addListener, removeListener } from '../globals/event-target.ts'
import { map, push, shift } from '../lists.ts'
import { NativeError, NativeRangeError, NativeTypeError, bareArray, deferred, jsonStringify, ours, typedArrayByteLength, type Deferred } from '../primordials.ts'
import { headersOf, takeStream } from './body.ts'
import { endFetch, giveBack, startFetch, type Waiting } from './channel.ts'
import { headerPairs } from './headers.ts'
import { Request, partsOf, type RequestInit } from './request.ts'
import { fetchedResponse, type Response } from './response.ts'
import { readAll, streamOf, type Source } from './stream.ts'

/** The pool takes no more. */
const MAX_BODY_BYTES = 16 * 1024 * 1024

/** `fetch(input, init)` (Fetch Standard): the pool makes the request, this isolate has no network. */
export async function fetch(input: unknown, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init)
  const { signal, url, method, redirect } = partsOf(request)
  throwIfAborted(signal)
  const stream = takeStream(request)
  const body = stream === null ? makeBytes(0) : await ours(readAll(stream, MAX_BODY_BYTES, tooLarge))
  throwIfAborted(signal)
  const head = { __proto__: null, url, method, redirect, headers: bareHeaders(request) } as unknown as FetchHead
  return await ours(new Answer(signal).ask(jsonStringify(head), body))
}

function throwIfAborted(signal: AbortSignal): void {
  if (isAborted(signal)) throw reasonOf(signal)
}

/** Without prototypes, which JSON would ask for a `toJSON`. */
function bareHeaders(request: Request): FetchHead['headers'] {
  return map(headerPairs(headersOf(request)), (pair) => map(pair, (text) => text) as [string, string])
}

/** The answer to one request: first the promise of it, then its body. */
class Answer implements Waiting, Source {
  readonly #signal: AbortSignal
  readonly #response = deferred<Response>()
  #id = 0
  #chunks: Uint8Array[] = bareArray()
  #waiting: Deferred<Uint8Array | null>[] = bareArray()
  #over = false
  #failed = false
  #error: unknown

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  ask(head: string, body: Uint8Array): Promise<Response> {
    try {
      this.#id = startFetch(head, body, this)
      addListener(this.#signal, 'abort', this.#onAbort, { once: true })
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
    const first = shift(this.#waiting)
    if (first === undefined) push(this.#chunks, bytes)
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
    const next = deferred<Uint8Array | null>()
    const chunk = shift(this.#chunks)
    if (chunk !== undefined) this.#hand(next, chunk)
    else if (this.#failed) next.reject(this.#error)
    else if (this.#over) next.resolve(null)
    else push(this.#waiting, next)
    return next.promise
  }

  cancel(): void {
    this.#chunks = bareArray()
    endFetch(this.#id)
    this.#finish()
  }

  readonly #onAbort = (): void => {
    endFetch(this.#id)
    this.#chunks = bareArray()
    this.#response.reject(reasonOf(this.#signal))
    this.#fail(reasonOf(this.#signal))
  }

  #hand(to: Deferred<Uint8Array | null>, bytes: Uint8Array): void {
    to.resolve(bytes)
    giveBack(this.#id, typedArrayByteLength(bytes))
  }

  #fail(error: unknown): void {
    if (this.#over) return
    this.#failed = true
    this.#error = error
    this.#finish()
  }

  #finish(): void {
    this.#over = true
    removeListener(this.#signal, 'abort', this.#onAbort)
    for (let one = shift(this.#waiting); one !== undefined; one = shift(this.#waiting)) {
      if (this.#failed) one.reject(this.#error)
      else one.resolve(null)
    }
  }
}

function failed(message: string, cause: unknown): TypeError {
  return new NativeTypeError(message, { cause })
}

function causeOf({ name, message, code }: FetchFailure): Error {
  const Kind = name === 'RangeError' ? NativeRangeError : name === 'TypeError' ? NativeTypeError : NativeError
  const cause = new Kind(message)
  if (name !== 'RangeError' && name !== 'TypeError' && name !== 'Error') define(cause, 'name', name)
  return code === '' ? cause : coded(cause, code)
}

function tooLarge(): Error {
  return failed('fetch failed', coded(new NativeRangeError(`the body of the request is above ${MAX_BODY_BYTES / 1024 / 1024} MiB`), 'ERR_SOCKLET_FETCH_TOO_LARGE'))
}
