/** The part of web streams that bodies need: reading bytes, by a reader or by `for await`. Nothing pipes, and functions make none themselves. */
import { copyOf, joinAll } from '../globals/bytes.ts'
import { define, illegalConstructor, webInterface } from '../globals/define.ts'
import { push } from '../lists.ts'
import { NativeSymbol, NativeTypeError, arrayBufferByteLength, bareArray, deferred, ours, symbolAsyncIterator, symbolIterator, typedArrayBuffer, typedArrayByteLength } from '../primordials.ts'

/** Bytes from somewhere. A pull that waits is answered in the order of asking. */
export interface Source {
  /** null at the end. Rejects if there is no more to come because something failed. */
  pull(): Promise<Uint8Array | null>
  cancel(reason: unknown): void
}

type Result = { done: boolean; value: Uint8Array | undefined }

const MAKE = NativeSymbol('make')
let unlock: (stream: ReadableStream) => void
let pullOf: (stream: ReadableStream) => Promise<Result>
let isStream: (value: unknown) => value is ReadableStream
/** As the methods of their names, which a tenant may have replaced. */
let readerOf: (stream: ReadableStream) => ReadableStreamDefaultReader
let readNext: (reader: ReadableStreamDefaultReader) => Promise<Result>
let cancelReader: (reader: ReadableStreamDefaultReader, reason?: unknown) => void
let release: (reader: ReadableStreamDefaultReader) => void
export let isLocked: (stream: ReadableStream) => boolean
export let isDisturbed: (stream: ReadableStream) => boolean

export class ReadableStream {
  readonly #source: Source
  #locked = false
  #disturbed = false

  static {
    unlock = (stream) => void (stream.#locked = false)
    isStream = (value): value is ReadableStream => typeof value === 'object' && value !== null && #disturbed in value
    isLocked = (stream) => stream.#locked
    isDisturbed = (stream) => stream.#disturbed
    readerOf = (stream) => stream.#reader()
    pullOf = async (stream) => {
      stream.#disturbed = true
      const value = (await ours(stream.#source.pull())) ?? undefined
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
    return this.#reader()
  }

  #reader(): ReadableStreamDefaultReader {
    if (this.#locked) throw new NativeTypeError('Invalid state: ReadableStream is locked')
    this.#locked = true
    return new ReadableStreamDefaultReader(MAKE, this, (reason) => this.#cancel(reason))
  }

  async cancel(reason?: unknown): Promise<void> {
    if (this.#locked) throw new NativeTypeError('Invalid state: ReadableStream is locked')
    this.#cancel(reason)
  }

  async *values({ preventCancel = false }: { preventCancel?: boolean } = {}): AsyncGenerator<Uint8Array, void> {
    const reader = readerOf(this)
    let ended = false
    try {
      for (;;) {
        const { done, value } = await ours(readNext(reader))
        ended = done
        if (done) return
        yield value!
      }
    } catch (error) {
      ended = true
      throw error
    } finally {
      if (!ended && !preventCancel) cancelReader(reader)
      release(reader)
    }
  }

  declare [Symbol.asyncIterator]: () => AsyncGenerator<Uint8Array, void>

  #cancel(reason: unknown): void {
    this.#disturbed = true
    this.#source.cancel(reason)
  }
}

export class ReadableStreamDefaultReader {
  #stream: ReadableStream | null
  readonly #cancel: (reason: unknown) => void
  #closed = deferred<void>()

  static {
    readNext = (reader) => reader.#read()
    cancelReader = (reader, reason) => {
      if (reader.#stream === null) throw released()
      reader.#cancel(reason)
      reader.#closed.resolve()
    }
    release = (reader) => {
      if (reader.#stream !== null) unlock(reader.#stream)
      reader.#stream = null
      reader.#closed.reject(released())
    }
  }

  constructor(key: unknown, stream: ReadableStream, cancel: (reason: unknown) => void) {
    if (key !== MAKE) throw illegalConstructor()
    this.#stream = stream
    this.#cancel = cancel
    // Few look at it, and then an error is not to count as unhandled.
    void handled(this.#closed.promise)
  }

  get closed(): Promise<void> {
    return this.#closed.promise
  }

  async read(): Promise<Result> {
    return await ours(this.#read())
  }

  async #read(): Promise<Result> {
    if (this.#stream === null) throw released()
    try {
      const result = await ours(pullOf(this.#stream))
      if (result.done) this.#closed.resolve()
      return result
    } catch (error) {
      this.#closed.reject(error)
      throw error
    }
  }

  async cancel(reason?: unknown): Promise<void> {
    cancelReader(this, reason)
  }

  releaseLock(): void {
    release(this)
  }
}

export { isStream }

/** To whom a rejection of it is no news. */
async function handled(promise: Promise<unknown>): Promise<void> {
  try {
    await ours(promise)
  } catch {
    // Who looks at it is told.
  }
}

webInterface(ReadableStream, 'ReadableStream', ['locked', 'getReader', 'cancel', 'values'])
define(ReadableStream.prototype, symbolAsyncIterator, ReadableStream.prototype.values)
webInterface(ReadableStreamDefaultReader, 'ReadableStreamDefaultReader', ['closed', 'read', 'cancel', 'releaseLock'])

const released = (): TypeError => new NativeTypeError('Invalid state: The reader is not attached to a stream')

export const streamOf = (source: Source): ReadableStream => new ReadableStream(MAKE, source)

/** All that is left of it, in one piece. */
export async function readAll(stream: ReadableStream, maxBytes = Infinity, tooLarge?: () => Error): Promise<Uint8Array<ArrayBuffer>> {
  const reader = readerOf(stream)
  const chunks = bareArray<Uint8Array>()
  let length = 0
  for (;;) {
    const { value } = await ours(readNext(reader))
    if (value === undefined) break
    push(chunks, value)
    length += typedArrayByteLength(value)
    if (length <= maxBytes) continue
    cancelReader(reader)
    throw tooLarge!()
  }
  if (chunks.length === 1 && length === arrayBufferByteLength(typedArrayBuffer(chunks[0]!))) return chunks[0] as Uint8Array<ArrayBuffer>
  return joinAll(chunks)
}

/** What one source gives, twice; it is all in memory then. */
export function twice(stream: ReadableStream): { one: ReadableStream; other: ReadableStream } {
  let all: Promise<Uint8Array> | null = null
  const copy = (): ReadableStream => fromBytes(() => (all ??= readAll(stream)))
  return { one: copy(), other: copy() }
}

/** Bytes that are there, or will be. Each stream gets a copy of its own. */
export function fromBytes(bytes: () => Promise<Uint8Array>): ReadableStream {
  let done = false
  return streamOf({
    pull: async () => {
      if (done) return null
      done = true
      const all = await ours(bytes())
      return typedArrayByteLength(all) === 0 ? null : copyOf(all)
    },
    cancel: () => void (done = true)
  })
}

function iteratorOf(iterable: AsyncIterable<unknown> | Iterable<unknown>): AsyncIterator<unknown> | Iterator<unknown> {
  return symbolAsyncIterator in iterable ? (iterable as unknown as Record<symbol, () => AsyncIterator<unknown>>)[symbolAsyncIterator]!() : (iterable as unknown as Record<symbol, () => Iterator<unknown>>)[symbolIterator]!()
}

/** The iterable is the tenant's, so it is gone through in the tenant's way. */
export function fromIterable(iterable: AsyncIterable<unknown> | Iterable<unknown>, encode: (chunk: unknown) => Uint8Array): ReadableStream {
  const iterator = iteratorOf(iterable)
  return streamOf({
    pull: async () => {
      const { done, value } = await iterator.next()
      return done ? null : encode(value)
    },
    cancel: () => void iterator.return?.()
  })
}
