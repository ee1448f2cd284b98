import { FETCH_WINDOW_BYTES, Flag, FrameType, HEADER_BYTES, readHead, readU32, splitHead, type FetchHead, type FrameHead } from '@socklet/protocol'
import type { PoolApp } from '../app.ts'
import type { WorkerProcess } from '../worker-process.ts'
import { Agents } from './agents.ts'
import type { ConnectOptions } from './connect.ts'
import { FetchError, failureOf } from './errors.ts'
import { readOutgoing, type Outgoing } from './outgoing.ts'
import { send } from './send.ts'

/** Bodies of requests and answers, these after decompression. The guest refuses what is above before it comes here. */
const MAX_BODY_BYTES = 16 * 1024 * 1024
/** Requests of all apps together, and bytes of their bodies. An app has far fewer (limit `fetches`). */
const MAX_REQUESTS = 2_048
const MAX_REQUEST_BYTES = 256 * 1024 * 1024
/** A URL and headers that pass are far smaller (outgoing.ts). */
const MAX_HEAD_BYTES = 256 * 1024
/** The answer goes to the worker in frames of this size at most. */
const MAX_PART_BYTES = 64 * 1024

export type FetchWorker = Pick<WorkerProcess, 'index' | 'apps' | 'send'>

export interface FetchesOptions extends ConnectOptions {
  /** The app with this number, if there is one. */
  app: (number: number) => Pick<PoolApp, 'route' | 'placement'> | undefined
  /** A request of the app has taken longer than it may. */
  onLate?: (app: number, limitMs: number) => void
}

/** One that is under way. */
interface Running {
  worker: FetchWorker
  head: FrameHead
  controller: AbortController
  /** Bytes that may still be sent to the worker, and what to do when there are more. */
  credit: number
  onCredit: (() => void) | null
}

/**
 * Outgoing requests: apps ask by frames of their worker, which has no network, and the answers go back the same way. A
 * worker may ask for the apps that it holds; whose answer nobody is there for any more is dropped.
 */
export class Fetches {
  readonly #options: FetchesOptions
  readonly #agents: Agents
  readonly #running = new Map<string, Running>()
  readonly #counts = new Map<number, number>()
  #bytes = 0

  constructor(options: FetchesOptions) {
    this.#options = options
    this.#agents = new Agents(options)
  }

  /** Requests that are under way. */
  get size(): number {
    return this.#running.size
  }

  /** FETCH, FETCH_MORE or FETCH_ABORT of a worker, `bytes[start .. end)`. */
  onFrame(worker: FetchWorker, bytes: Uint8Array, start: number, end: number): void {
    const head = readHead(bytes, start)
    const payload = bytes.subarray(start + HEADER_BYTES, end)
    if (head.type === FrameType.FETCH) this.#onFetch(worker, head, payload)
    else if (head.type === FrameType.FETCH_ABORT && (head.flags & Flag.END) !== 0) this.#abort((one) => one.worker === worker && one.head.app === head.app && one.head.generation === head.generation)
    else if (head.type === FrameType.FETCH_ABORT) this.#running.get(keyOf(worker, head))?.controller.abort()
    else if (payload.byteLength >= 4) this.#onMore(worker, head, readU32(payload, 0))
  }

  /** Nobody waits for the answers that this worker asked for. */
  onLost(worker: FetchWorker): void {
    this.#abort((one) => one.worker === worker)
  }

  async close(): Promise<void> {
    this.#abort(() => true)
    await this.#agents.close()
  }

  #abort(which: (one: Running) => boolean): void {
    for (const one of this.#running.values()) if (which(one)) one.controller.abort()
  }

  #onFetch(worker: FetchWorker, head: FrameHead, payload: Uint8Array): void {
    const app = this.#options.app(head.app)
    const key = keyOf(worker, head)
    if (app === undefined || !isHeld(app, worker, head) || this.#running.has(key)) return
    const one: Running = { worker, head, controller: new AbortController(), credit: FETCH_WINDOW_BYTES, onCredit: null }
    one.controller.signal.addEventListener('abort', () => one.onCredit?.(), { once: true })
    const { fetches, fetchMs } = app.route.limits as { fetches: number; fetchMs: number }
    try {
      const outgoing = readFetch(payload)
      this.#checkRoom(head.app, fetches, outgoing)
      // The bytes are the link's, and may be others before they are sent.
      void this.#run(key, one, { ...outgoing, body: outgoing.body === null ? null : outgoing.body.slice() }, fetchMs)
    } catch (error) {
      answer(one, FrameType.FETCH_RESULT, Flag.END | Flag.FAILED, error)
    }
  }

  #checkRoom(app: number, fetches: number, { body }: Outgoing): void {
    if ((this.#counts.get(app) ?? 0) >= fetches) throw new FetchError('ERR_SOCKLET_FETCH_LIMIT', `this app has ${fetches} requests under way, which is its limit`, 'RangeError')
    const isFull = this.#running.size >= MAX_REQUESTS || this.#bytes + (body?.byteLength ?? 0) > MAX_REQUEST_BYTES
    if (isFull) throw new FetchError('ERR_SOCKLET_FETCH_BUSY', 'the platform has too many requests under way')
  }

  async #run(key: string, one: Running, outgoing: Outgoing, limitMs: number): Promise<void> {
    const { app } = one.head
    const bytes = outgoing.body?.byteLength ?? 0
    this.#running.set(key, one)
    this.#counts.set(app, (this.#counts.get(app) ?? 0) + 1)
    this.#bytes += bytes
    const late = new FetchError('ERR_SOCKLET_FETCH_TIMEOUT', `the request took longer than ${limitMs} ms`, 'TimeoutError')
    const timer = setTimeout(() => {
      this.#options.onLate?.(app, limitMs)
      one.controller.abort(late)
    }, limitMs)
    const way = this.#agents.enter(app)
    let last: [type: number, flags: number, error?: unknown]
    try {
      last = await carryOut(one, () => send(outgoing, way, one.controller.signal))
    } finally {
      clearTimeout(timer)
      // Whatever of it is still open, such as the rest of an answer that nobody reads.
      one.controller.abort()
      this.#agents.leave(app)
      this.#running.delete(key)
      this.#bytes -= bytes
      this.#leave(app)
    }
    // The place is free before the app hears of it, which may ask for the next at once.
    answer(one, ...last)
  }

  #leave(app: number): void {
    const count = this.#counts.get(app)! - 1
    if (count === 0) this.#counts.delete(app)
    else this.#counts.set(app, count)
  }

  #onMore(worker: FetchWorker, head: FrameHead, bytes: number): void {
    const one = this.#running.get(keyOf(worker, head))
    if (one === undefined) return
    // Never more than the window, whatever a worker says that it has taken.
    one.credit = Math.min(one.credit + bytes, FETCH_WINDOW_BYTES)
    one.onCredit?.()
  }
}

/** An app whose start the pool has not finished has no placement yet, and may ask all the same. */
function isHeld({ placement }: Pick<PoolApp, 'placement'>, worker: FetchWorker, { app, generation }: FrameHead): boolean {
  return worker.apps.has(app) && (placement === null || (placement.worker === worker.index && placement.generation === generation))
}

function keyOf(worker: FetchWorker, { app, generation, connection }: FrameHead): string {
  return `${worker.index} ${app} ${generation} ${connection}`
}

/** With the body where it came. @throws FetchError */
function readFetch(payload: Uint8Array): Outgoing {
  const { head, body } = split(payload)
  if (body.byteLength > MAX_BODY_BYTES) throw tooLarge('request')
  let asked: Partial<FetchHead> | null
  try {
    asked = JSON.parse(head.toString()) as Partial<FetchHead> | null
  } catch {
    asked = null
  }
  return readOutgoing(asked ?? {}, body)
}

function split(payload: Uint8Array): { head: Buffer; body: Uint8Array } {
  try {
    const { head, rest: body } = splitHead(payload)
    if (head.byteLength <= MAX_HEAD_BYTES) return { head, body }
  } catch {
    // As one that is too long.
  }
  throw new FetchError('ERR_SOCKLET_FETCH_INVALID', 'the request is not one', 'TypeError')
}

/** Passes the answer on, but for its end, and gives that. */
async function carryOut(one: Running, start: () => ReturnType<typeof send>): Promise<[type: number, flags: number, error?: unknown]> {
  const { signal } = one.controller
  let type: number = FrameType.FETCH_RESULT
  try {
    // Whoever does not listen to the signal (a name that is looked up) is not waited for.
    const { head, body } = await Promise.race([start(), aborted(signal)])
    sendFrame(one, FrameType.FETCH_RESULT, 0, Buffer.from(JSON.stringify(head)))
    type = FrameType.FETCH_PART
    let total = 0
    for await (const chunk of body as AsyncIterable<Buffer>) {
      total += chunk.byteLength
      if (total > MAX_BODY_BYTES) throw tooLarge('answer')
      await passOn(one, chunk)
    }
    return [FrameType.FETCH_PART, Flag.END]
  } catch (error) {
    return [type, Flag.END | Flag.FAILED, signal.aborted ? signal.reason : error]
  }
}

async function passOn(one: Running, chunk: Buffer): Promise<void> {
  for (let at = 0; at < chunk.byteLength; ) {
    while (one.credit <= 0) {
      await new Promise<void>((resolve) => (one.onCredit = resolve))
      one.controller.signal.throwIfAborted()
    }
    const part = chunk.subarray(at, at + Math.min(MAX_PART_BYTES, one.credit))
    one.credit -= part.byteLength
    at += part.byteLength
    sendFrame(one, FrameType.FETCH_PART, 0, part)
  }
}

/** Rejects when the request is given up. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error)
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}

function tooLarge(what: string): FetchError {
  return new FetchError('ERR_SOCKLET_FETCH_TOO_LARGE', `the body of the ${what} is above ${MAX_BODY_BYTES / 1024 / 1024} MiB`, 'RangeError')
}

function answer(one: Running, type: number, flags: number, error?: unknown): void {
  if ((flags & Flag.FAILED) === 0) sendFrame(one, type, flags)
  else sendFrame(one, type, flags, Buffer.from(JSON.stringify(failureOf(error))))
}

function sendFrame({ worker, head }: Running, type: number, flags: number, payload?: Uint8Array): void {
  worker.send({ type, flags, gateway: 0, app: head.app, generation: head.generation, connection: head.connection, sequence: 0 }, payload)
}
