/** The part of web streams that bodies need: reading bytes, by a reader or by `for await`. Nothing pipes, and functions make none themselves. */
import { illegalConstructor, webInterface } from '../globals/define.ts'

/** Bytes from somewhere. A pull that waits is answered in the order of asking. */
export interface Source {
  /** null at the end. Rejects if there is no more to come because something failed. */
  pull(): Promise<Uint8Array | null>
  cancel(reason: unknown): void
}

type Result = { done: boolean; value: Uint8Array | undefined }

const MAKE = Symbol('make')
let unlock: (stream: ReadableStream) => void
let pullOf: (stream: ReadableStream) => Promise<Result>
export let isDisturbed: (stream: ReadableStream) => boolean

export class ReadableStream {
  readonly #source: Source
  #locked = false
  #disturbed = false

  static {
    unlock = (stream) => void (stream.#locked = false)
    isDisturbed = (stream) => stream.#disturbed
    pullOf = async (stream) => {
      stream.#disturbed = true
      const value = (await stream.#source.pull()) ?? undefined
      return { done: value === undefined, value }
    }
  }

  constructor(key: unknown, source: Source) {
    if (key !== MAKE) throw illegalConstructor()
    this.#source = source
  }

  get locked(): boolean {
    return this.#locked
  }

  getReader(): ReadableStreamDefaultReader {
    if (this.#locked) throw new TypeError('Invalid state: ReadableStream is locked')
    this.#locked = true
    return new ReadableStreamDefaultReader(MAKE, this, (reason) => this.#cancel(reason))
  }

  async cancel(reason?: unknown): Promise<void> {
    if (this.#locked) throw new TypeError('Invalid state: ReadableStream is locked')
    this.#cancel(reason)
  }

  async *values({ preventCancel = false }: { preventCancel?: boolean } = {}): AsyncGenerator<Uint8Array, void> {
    const reader = this.getReader()
    let ended = false
    try {
      for (;;) {
        const { done, value } = await reader.read()
        ended = done
        if (done) return
        yield value!
      }
    } catch (error) {
      ended = true
      throw error
    } finally {
      if (!ended && !preventCancel) await reader.cancel()
      reader.releaseLock()
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    return this.values()
  }

  #cancel(reason: unknown): void {
    this.#disturbed = true
    this.#source.cancel(reason)
  }
}

export class ReadableStreamDefaultReader {
  #stream: ReadableStream | null
  readonly #cancel: (reason: unknown) => void
  #closed = Promise.withResolvers<void>()

  constructor(key: unknown, stream: ReadableStream, cancel: (reason: unknown) => void) {
    if (key !== MAKE) throw illegalConstructor()
    this.#stream = stream
    this.#cancel = cancel
    // Few look at it, and then an error is not to count as unhandled.
    this.#closed.promise.catch(() => {})
  }

  get closed(): Promise<void> {
    return this.#closed.promise
  }

  async read(): Promise<Result> {
    if (this.#stream === null) throw released()
    try {
      const result = await pullOf(this.#stream)
      if (result.done) this.#closed.resolve()
      return result
    } catch (error) {
      this.#closed.reject(error)
      throw error
    }
  }

  async cancel(reason?: unknown): Promise<void> {
    if (this.#stream === null) throw released()
    this.#cancel(reason)
    this.#closed.resolve()
  }

  releaseLock(): void {
    if (this.#stream !== null) unlock(this.#stream)
    this.#stream = null
    this.#closed.reject(released())
  }
}

webInterface(ReadableStream, 'ReadableStream', ['locked', 'getReader', 'cancel', 'values'])
webInterface(ReadableStreamDefaultReader, 'ReadableStreamDefaultReader', ['closed', 'read', 'cancel', 'releaseLock'])

const released = (): TypeError => new TypeError('Invalid state: The reader is not attached to a stream')

export const streamOf = (source: Source): ReadableStream => new ReadableStream(MAKE, source)

/** All that is left of it, in one piece. */
export async function readAll(stream: ReadableStream, maxBytes = Infinity, tooLarge?: () => Error): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { value } = await reader.read()
    if (value === undefined) break
    chunks.push(value)
    length += value.byteLength
    if (length <= maxBytes) continue
    await reader.cancel()
    throw tooLarge!()
  }
  if (chunks.length === 1 && chunks[0]!.byteLength === chunks[0]!.buffer.byteLength) return chunks[0] as Uint8Array<ArrayBuffer>
  const all = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.byteLength
  }
  return all
}

/** What one source gives, twice; it is all in memory then. */
export function twice(stream: ReadableStream): [ReadableStream, ReadableStream] {
  let all: Promise<Uint8Array> | null = null
  const copy = (): ReadableStream => fromBytes(() => (all ??= readAll(stream)))
  return [copy(), copy()]
}

/** Bytes that are there, or will be. Each stream gets a copy of its own. */
export function fromBytes(bytes: () => Promise<Uint8Array>): ReadableStream {
  let done = false
  return streamOf({
    pull: async () => {
      if (done) return null
      done = true
      const all = await bytes()
      return all.byteLength === 0 ? null : all.slice()
    },
    cancel: () => void (done = true)
  })
}

export function fromIterable(iterable: AsyncIterable<unknown> | Iterable<unknown>, encode: (chunk: unknown) => Uint8Array): ReadableStream {
  const iterator = Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]()
  return streamOf({
    pull: async () => {
      const { done, value } = await iterator.next()
      return done ? null : encode(value)
    },
    cancel: () => void iterator.return?.()
  })
}
