/** `Blob` of the web (File API): bytes that do not change, read through promises. `stream()` is left out, as there are no web streams here. */
import { listOf, map } from '../lists.ts'
import { matches } from '../patterns.ts'
import { NativeTypeError, mathMax, mathMin, mathTrunc, stringToLowerCase, symbolIterator, toNumber, toText, typedArrayBuffer, typedArrayLength } from '../primordials.ts'
import { bytesIn, copyOf, joinAll } from './bytes.ts'
import { webInterface } from './define.ts'
import { decodeText, encodeText } from './text-encoding.ts'

interface BlobOptions {
  type?: string
  endings?: 'transparent' | 'native'
}

/** A type with anything but printable ASCII counts as none (File API, "constructing a Blob"). */
const TYPE = /^[\x20-\x7e]*$/

const NO_PARTS: Iterable<unknown> = { __proto__: null } as never

export let isBlob: (value: unknown) => value is Blob
export let bytesOfBlob: (blob: Blob) => Uint8Array<ArrayBuffer>
export let typeOfBlob: (blob: Blob) => string
/** Of these pieces, which belong to nobody else. */
export let blobOf: (pieces: readonly Uint8Array[], type: string) => Blob

export class Blob {
  #bytes: Uint8Array<ArrayBuffer>
  #type: string

  static {
    isBlob = (value): value is Blob => typeof value === 'object' && value !== null && #bytes in value
    bytesOfBlob = (blob) => blob.#bytes
    typeOfBlob = (blob) => blob.#type
    blobOf = (pieces, type) => {
      const blob = new Blob(NO_PARTS)
      blob.#bytes = joinAll(pieces)
      blob.#type = normalType(type)
      return blob
    }
  }

  constructor(parts: Iterable<unknown> = NO_PARTS, options: BlobOptions = {}) {
    const isNone = parts === NO_PARTS
    if (!isNone && (typeof parts !== 'object' || parts === null || typeof (parts as unknown as Record<symbol, unknown>)[symbolIterator] !== 'function')) throw new NativeTypeError('The first argument of Blob must be a sequence')
    this.#bytes = joinAll(isNone ? [] : map(listOf(parts), (part) => bytesOf(part)))
    this.#type = normalType(options.type)
  }

  get size(): number {
    return typedArrayLength(this.#bytes)
  }

  get type(): string {
    return this.#type
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return typedArrayBuffer(copyOf(this.#bytes))
  }

  async bytes(): Promise<Uint8Array> {
    return copyOf(this.#bytes)
  }

  async text(): Promise<string> {
    return decodeText(this.#bytes)
  }

  slice(start: unknown = 0, end: unknown = undefined, type = ''): Blob {
    const length = typedArrayLength(this.#bytes)
    const from = relative(start, length)
    const to = end === undefined ? length : relative(end, length)
    return blobOf([copyOf(this.#bytes, from, mathMax(from, to))], type)
  }
}

webInterface(Blob, 'Blob', ['size', 'type', 'arrayBuffer', 'bytes', 'text', 'slice'])

function normalType(given: unknown): string {
  const type = toText(given ?? '')
  return matches(TYPE, type) ? stringToLowerCase(type) : ''
}

/** A negative index counts from the end. */
function relative(index: unknown, length: number): number {
  const whole = mathTrunc(toNumber(index)) || 0
  return whole < 0 ? mathMax(length + whole, 0) : mathMin(whole, length)
}

function bytesOf(part: unknown): Uint8Array {
  return isBlob(part) ? bytesOfBlob(part) : (bytesIn(part) ?? encodeText(toText(part)))
}
