/** What Request and Response have in common (Fetch Standard, "Body mixin"). */
import { Blob, blobOf, bytesOfBlob, isBlob, typeOfBlob } from '../globals/blob.ts'
import { bytesIn, copyOf, makeBytes } from '../globals/bytes.ts'
import { showMembers } from '../globals/define.ts'
import { decodeText, encodeText } from '../globals/text-encoding.ts'
import { isSearchParams, searchText } from '../globals/url/search-params.ts'
import { NativeTypeError, jsonParse, ours, symbolAsyncIterator, typedArrayBuffer } from '../primordials.ts'
import { isFormData, multipart } from './form-data.ts'
import { getHeader, type Headers } from './headers.ts'
import { fromBytes, fromIterable, isDisturbed, isLocked, isStream, readAll, twice, type ReadableStream } from './stream.ts'

interface Extracted {
  stream: ReadableStream
  type: string | null
}

/** Fetch Standard, "extract a body". */
export function extract(value: unknown): Extracted | null {
  if (value === null || value === undefined) return null
  if (isStream(value)) {
    if (isLocked(value) || isDisturbed(value)) throw new NativeTypeError('Response body object should not be disturbed or locked')
    return { stream: value, type: null }
  }
  if (isFormData(value)) return ofBlob(multipart(value))
  if (isBlob(value)) return ofBlob(value)
  if (isSearchParams(value)) return ofText(searchText(value), 'application/x-www-form-urlencoded;charset=UTF-8')
  const bytes = bytesIn(value)
  if (bytes !== null) return { stream: ofBytes(copyOf(bytes)), type: null }
  if (typeof value === 'object' && symbolAsyncIterator in value) return { stream: fromIterable(value as AsyncIterable<unknown>, chunkBytes), type: null }
  return ofText(`${value as string}`, 'text/plain;charset=UTF-8')
}

const ofBytes = (bytes: Uint8Array): ReadableStream => fromBytes(async () => bytes)

function ofText(text: string, type: string): Extracted {
  return { stream: ofBytes(encodeText(text)), type }
}

/** A Blob takes its own type in lower case, and a boundary is not to be changed: there it is already. */
function ofBlob(blob: Blob): Extracted {
  const type = typeOfBlob(blob)
  return { stream: ofBytes(bytesOfBlob(blob)), type: type === '' ? null : type }
}

function chunkBytes(chunk: unknown): Uint8Array {
  if (typeof chunk === 'string') return encodeText(chunk)
  const bytes = bytesIn(chunk)
  if (bytes === null) throw new NativeTypeError('Received non-Uint8Array chunk')
  return bytes
}

export let takeStream: (body: Body) => ReadableStream | null
export let cloneStream: (body: Body) => ReadableStream | null
/** What is left of it, as the methods of `Body` give it, which a tenant may have replaced. */
export let readBytes: (body: Body) => Promise<Uint8Array<ArrayBuffer>>
export let streamIn: (body: Body) => ReadableStream | null
export let headersOf: (body: Body) => Headers

export class Body {
  #stream: ReadableStream | null
  readonly #headers: Headers

  static {
    takeStream = (body) => {
      body.#checkUnused()
      return body.#stream
    }
    cloneStream = (body) => {
      body.#checkUnused()
      if (body.#stream === null) return null
      const { one, other } = twice(body.#stream)
      body.#stream = one
      return other
    }
    readBytes = (body) => body.#read()
    streamIn = (body) => body.#stream
    headersOf = (body) => body.#headers
  }

  constructor(stream: ReadableStream | null, headers: Headers) {
    this.#stream = stream
    this.#headers = headers
  }

  get body(): ReadableStream | null {
    return this.#stream
  }

  get bodyUsed(): boolean {
    return this.#stream !== null && isDisturbed(this.#stream)
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return await ours(this.#read())
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return typedArrayBuffer(await ours(this.#read()))
  }

  async text(): Promise<string> {
    return decodeText(await ours(this.#read()))
  }

  async json(): Promise<unknown> {
    return jsonParse(decodeText(await ours(this.#read())))
  }

  async blob(): Promise<Blob> {
    const bytes = await ours(this.#read())
    return blobOf([bytes], getHeader(this.#headers, 'content-type') ?? '')
  }

  async #read(): Promise<Uint8Array<ArrayBuffer>> {
    this.#checkUnused()
    return this.#stream === null ? makeBytes(0) : await ours(readAll(this.#stream))
  }

  #checkUnused(): void {
    if (this.#stream !== null && (isLocked(this.#stream) || isDisturbed(this.#stream))) throw new NativeTypeError('Body is unusable: Body has already been read')
  }
}

showMembers(Body.prototype, ['body', 'bodyUsed', 'arrayBuffer', 'blob', 'bytes', 'json', 'text'])
