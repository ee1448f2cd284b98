/** What Request and Response have in common (Fetch Standard, "Body mixin"). */
import { Blob } from '../globals/blob.ts'
import { TextDecoder, TextEncoder } from '../globals/text-encoding.ts'
import { URLSearchParams } from '../globals/url/search-params.ts'
import { FormData, multipart } from './form-data.ts'
import { ReadableStream, fromBytes, fromIterable, isDisturbed, readAll, twice } from './stream.ts'
import type { Headers } from './headers.ts'

interface Extracted {
  stream: ReadableStream
  type: string | null
}

/** Fetch Standard, "extract a body". */
export function extract(value: unknown): Extracted | null {
  if (value === null || value === undefined) return null
  if (value instanceof ReadableStream) {
    if (value.locked || isDisturbed(value)) throw new TypeError('Response body object should not be disturbed or locked')
    return { stream: value, type: null }
  }
  if (value instanceof FormData) return ofBlob(multipart(value))
  if (value instanceof Blob) return ofBlob(value)
  if (value instanceof URLSearchParams) return ofText(value, 'application/x-www-form-urlencoded;charset=UTF-8')
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    const copy = bytesOf(value).slice()
    return { stream: fromBytes(async () => copy), type: null }
  }
  if (typeof value === 'object' && Symbol.asyncIterator in value) return { stream: fromIterable(value as AsyncIterable<unknown>, chunkBytes), type: null }
  return ofText(value, 'text/plain;charset=UTF-8')
}

function ofText(value: unknown, type: string): Extracted {
  const bytes = new TextEncoder().encode(`${value as string}`)
  return { stream: fromBytes(async () => bytes), type }
}

/** A Blob takes its own type in lower case, and a boundary is not to be changed: there it is already. */
function ofBlob(blob: Blob): Extracted {
  return { stream: fromBytes(() => blob.bytes()), type: blob.type === '' ? null : blob.type }
}

function bytesOf(value: ArrayBufferView | ArrayBuffer): Uint8Array {
  return ArrayBuffer.isView(value) ? new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength) : new Uint8Array(value)
}

function chunkBytes(chunk: unknown): Uint8Array {
  if (typeof chunk === 'string') return new TextEncoder().encode(chunk)
  if (ArrayBuffer.isView(chunk)) return bytesOf(chunk)
  throw new TypeError('Received non-Uint8Array chunk')
}

export let takeStream: (body: Body) => ReadableStream | null
export let cloneStream: (body: Body) => ReadableStream | null

export abstract class Body {
  #stream: ReadableStream | null

  static {
    takeStream = (body) => {
      body.#checkUnused()
      return body.#stream
    }
    cloneStream = (body) => {
      body.#checkUnused()
      if (body.#stream === null) return null
      const [one, other] = twice(body.#stream)
      body.#stream = one
      return other
    }
  }

  abstract get headers(): Headers

  constructor(stream: ReadableStream | null) {
    this.#stream = stream
  }

  get body(): ReadableStream | null {
    return this.#stream
  }

  get bodyUsed(): boolean {
    return this.#stream !== null && isDisturbed(this.#stream)
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    this.#checkUnused()
    return this.#stream === null ? new Uint8Array(0) : await readAll(this.#stream)
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes())
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text())
  }

  async blob(): Promise<Blob> {
    const bytes = await this.bytes()
    return new Blob([bytes], { type: this.headers.get('content-type') ?? '' })
  }

  #checkUnused(): void {
    if (this.#stream !== null && (this.#stream.locked || isDisturbed(this.#stream))) throw new TypeError('Body is unusable: Body has already been read')
  }
}

const BODY_MEMBERS = ['body', 'bodyUsed', 'arrayBuffer', 'blob', 'bytes', 'json', 'text'] as const
for (const name of BODY_MEMBERS) Object.defineProperty(Body.prototype, name, { enumerable: true })
