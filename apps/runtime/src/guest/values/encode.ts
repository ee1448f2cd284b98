import { ERROR_NAMES, ErrorPart, SMALLS, Tag, VERSION, VIEW_NAMES } from '@socklet/shared/value-tags'
import { DOMException } from '../globals/dom-exception.ts'
import {
  NativeMap,
  NativeUint8Array,
  arrayBufferByteLength,
  bareArray,
  bigintValueOf,
  booleanValueOf,
  charCodeAt,
  dataViewBuffer,
  dataViewByteLength,
  dataViewByteOffset,
  dateGetTime,
  mapForEach,
  mapGet,
  mapSet,
  mapSize,
  mathMin,
  numberValueOf,
  objectGetOwnPropertyDescriptor,
  objectHasOwn,
  objectKeys,
  regExpFlags,
  regExpSource,
  setForEach,
  setSize,
  stringValueOf,
  toText,
  typedArrayBuffer,
  typedArrayByteLength,
  typedArrayByteOffset,
  typedArrayTag
} from '../primordials.ts'
import { Kind, domExceptionMessage, domExceptionName, familyOf, type Family } from './kinds.ts'
import { Frame, Step, pathOf } from './path.ts'
import { Writer } from './writer.ts'

export interface EncodeOptions {
  /** What the value is called in messages and paths: `socket.data`. */
  name?: string
  /** Asked for each object, at each place where it stands: a string or number that stands for it, or null to write it as it is. */
  replace?: (object: object) => number | string | null
  /**
   * Called for what cannot be written (functions, symbols, promises…), which is then left out: properties, entries and members as if they were not there,
   * items of arrays as undefined. Without it, the first of them throws a DataCloneError.
   */
  onDropped?: (path: string, kind: string) => void
  /** Called for each object of a class of the tenant's, which comes back without its class. Leave it out when nobody wants to know: making paths takes time. */
  onInstance?: (path: string) => void
}

/** No more of them are asked for other properties than items: V8 lists all indices as strings first. */
const MAX_LISTED_ITEMS = 262_144
/** So many holes are passed one by one before the indices that are there are listed. */
const PROBED_HOLES = 64
const MAX_UINT32 = 0xffff_ffff
const MAX_LIMIT = 0x7fff_ffff

/**
 * The bytes of a value with the semantics of structuredClone (HTML Standard, "StructuredSerialize"), and these differences: a Buffer is written with its own
 * bytes alone and comes back as a Buffer (it is often a part of memory that holds what came before and after it), a Proxy is written as
 * what it shows, and of an array with more than 262,144 items nothing but the items is kept. Getters and traps of the tenant run, and what they throw goes to the caller.
 *
 * @throws RangeError as soon as more than `maxBytes` would be needed
 * @throws DOMException DataCloneError that names the path to what cannot be written
 */
export function encodeValue(value: unknown, maxBytes: number, options?: EncodeOptions): Uint8Array {
  return new Encoder(maxBytes, options).encode(value)
}

class Encoder {
  readonly #out: Writer
  readonly #name: string
  readonly #replace: EncodeOptions['replace']
  readonly #onDropped: EncodeOptions['onDropped']
  readonly #onInstance: EncodeOptions['onInstance']
  #top: Frame | null = null
  /** Objects so far. The first is kept apart: small values do without a Map. */
  #count = 0
  #first: object | null = null
  #others: Map<object, number> | null = null
  /** Keys so far. Those of the first object are not looked for again, for the same reason. */
  #keyCount = 0
  #records = 0
  #keys: Map<string, number> | null = null

  constructor(maxBytes: number, options: EncodeOptions | undefined) {
    this.#name = own(options, 'name') ?? ''
    this.#replace = own(options, 'replace')
    this.#onDropped = own(options, 'onDropped')
    this.#onInstance = own(options, 'onInstance')
    this.#out = new Writer(mathMin(maxBytes, MAX_LIMIT), this.#name === '' ? 'the value' : this.#name)
  }

  encode(value: unknown): Uint8Array {
    this.#out.byte(VERSION)
    this.#put(value)
    // A loop and not a recursion: what is nested a hundred thousand deep has no need of a stack.
    for (let frame = this.#top; frame !== null; frame = this.#top) this.#go(frame)
    return this.#out.finish()
  }

  #go(frame: Frame): void {
    switch (frame.step) {
      case Step.PROPERTIES: return this.#properties(frame)
      case Step.ITEMS: return this.#items(frame)
      case Step.ENTRIES: return this.#entries(frame)
      case Step.MEMBERS: return this.#members(frame)
      case Step.CAUSE: return this.#cause(frame)
    }
  }

  #push(step: Step, source: object, keys: unknown[] | null, values: unknown[] | null, length: number): void {
    this.#top = new Frame(step, source, this.#top, keys, values, length)
  }

  #end(frame: Frame): void {
    this.#out.byte(Tag.END)
    this.#top = frame.parent
  }

  #properties(frame: Frame): void {
    const source = frame.source as Record<string, unknown>
    const keys = frame.keys as string[]
    while (frame.index < frame.length) {
      const key = keys[frame.index++]!
      // A getter before it may have removed it.
      if (!objectHasOwn(source, key)) continue
      const item = source[key]
      if (this.#drops(item)) continue
      this.#key(key)
      this.#put(item)
      if (this.#top !== frame) return
    }
    this.#end(frame)
  }

  #items(frame: Frame): void {
    const source = frame.source as unknown[]
    while (frame.index < frame.length) {
      const index = frame.index
      const item = source[index]
      if (item === undefined && !objectHasOwn(source, index)) {
        this.#holes(frame)
        continue
      }
      frame.index = index + 1
      this.#put(item)
      if (this.#top !== frame) return
    }
    this.#named(frame)
  }

  #holes(frame: Frame): void {
    const { source, index, length } = frame
    const probed = mathMin(length, index + PROBED_HOLES)
    let next = index + 1
    while (next < probed && !objectHasOwn(source, next)) next++
    if (next === probed && next < length) next = nextIndex(frame, next)
    this.#out.tagged(Tag.HOLES, next - index)
    frame.index = next
  }

  /** After the items, the other properties of an array. */
  #named(frame: Frame): void {
    if (frame.keys === null && frame.length > MAX_LISTED_ITEMS) return this.#end(frame)
    const keys = frame.keys as string[] | null ?? objectKeys(frame.source)
    let first = keys.length
    // Indices come first, in every object.
    while (first > 0 && arrayIndex(keys[first - 1]!) === -1) first--
    frame.step = Step.PROPERTIES
    frame.keys = keys
    frame.index = first
    frame.length = keys.length
  }

  #entries(frame: Frame): void {
    const keys = frame.keys!
    const values = frame.values!
    while (frame.index < frame.length) {
      const entry = frame.index >> 1
      const isValue = (frame.index++ & 1) === 1
      if (!isValue && this.#dropsEntry(frame, keys[entry], values[entry])) continue
      this.#put(isValue ? values[entry] : keys[entry])
      if (this.#top !== frame) return
    }
    this.#end(frame)
  }

  /** An entry goes whole: it is asked before its key is written. */
  #dropsEntry(frame: Frame, key: unknown, value: unknown): boolean {
    const dropped = this.#drops(key)
    frame.index++
    if (dropped || this.#drops(value)) return true
    frame.index--
    return false
  }

  #members(frame: Frame): void {
    const keys = frame.keys!
    while (frame.index < frame.length) {
      const member = keys[frame.index++]
      if (this.#drops(member)) continue
      this.#put(member)
      if (this.#top !== frame) return
    }
    this.#end(frame)
  }

  /** Of an error; whether there is one was said before. */
  #cause(frame: Frame): void {
    if (frame.index++ > 0) {
      this.#top = frame.parent
      return
    }
    this.#put(frame.keys![0])
  }

  /** Whether the value is to be left out, which is then told. */
  #drops(value: unknown): boolean {
    if (this.#onDropped === undefined) return false
    const kind = this.#refusalOf(value)
    if (kind === '') return false
    this.#onDropped(this.#path(), kind)
    return true
  }

  #refusalOf(value: unknown): string {
    if (typeof value === 'function') return 'a function'
    if (typeof value === 'symbol') return 'a symbol'
    if (typeof value !== 'object' || value === null || this.#idOf(value) !== -1) return ''
    const family = familyOf(value)
    if (family.kind !== Kind.REFUSED) return ''
    return this.#replace === undefined || this.#replace(value) === null ? family.name : ''
  }

  /** What has no form: reported and written as undefined, or thrown. */
  #refuse(kind: string): void {
    if (this.#onDropped === undefined) throw new DOMException(`${this.#path()}: ${kind} could not be cloned.`, 'DataCloneError')
    this.#onDropped(this.#path(), kind)
    this.#out.byte(Tag.UNDEFINED)
  }

  #path(): string {
    return pathOf(this.#top, this.#name)
  }

  #put(value: unknown): void {
    switch (typeof value) {
      case 'string': return this.#out.string(value)
      case 'number': return this.#out.number(value)
      case 'boolean': return this.#out.byte(value ? Tag.TRUE : Tag.FALSE)
      case 'undefined': return this.#out.byte(Tag.UNDEFINED)
      case 'bigint': return this.#out.bigint(value)
      case 'object': return value === null ? this.#out.byte(Tag.NULL) : this.#object(value)
      default: return this.#refuse(`a ${typeof value}`)
    }
  }

  #key(key: string): void {
    if (this.#records > 1) {
      const known = this.#keys === null ? undefined : mapGet(this.#keys, key)
      if (known !== undefined) return this.#out.byte(Tag.SMALL + known)
      if (this.#keyCount < SMALLS) mapSet(this.#keys ??= new NativeMap(), key, this.#keyCount)
    }
    this.#keyCount++
    this.#out.string(key)
  }

  #idOf(value: object): number {
    if (value === this.#first) return 0
    return this.#others === null ? -1 : mapGet(this.#others, value) ?? -1
  }

  #remember(value: object): void {
    if (this.#count++ === 0) this.#first = value
    else mapSet(this.#others ??= new NativeMap(), value, this.#count - 1)
  }

  #object(value: object): void {
    const known = this.#idOf(value)
    if (known !== -1) return this.#out.tagged(Tag.SAME, known)
    if (this.#replace !== undefined && this.#reference(this.#replace(value))) return
    const family = familyOf(value)
    if (family.instance) this.#onInstance?.(this.#path())
    this.#write(family, value)
  }

  #reference(reference: number | string | null): boolean {
    if (reference === null) return false
    this.#out.byte(Tag.REF)
    if (typeof reference === 'number') this.#out.number(reference)
    else this.#out.string(reference)
    return true
  }

  #write({ kind, name }: Family, value: object): void {
    if (kind === Kind.REFUSED) return this.#refuse(name)
    if (kind === Kind.VIEW) return this.#view(value as Uint8Array)
    if (kind === Kind.BUFFER) return this.#buffer(value as ArrayBuffer)
    this.#remember(value)
    switch (kind) {
      case Kind.OBJECT: return this.#plain(value)
      case Kind.ARRAY: return this.#array(value as unknown[])
      case Kind.MAP: return this.#map(value as Map<unknown, unknown>)
      case Kind.SET: return this.#set(value as Set<unknown>)
      case Kind.DATE: return this.#date(value as Date)
      case Kind.REGEXP: return this.#regExp(value as RegExp)
      case Kind.BOOLEAN: return this.#boxed(booleanValueOf(value as never))
      case Kind.NUMBER: return this.#boxed(numberValueOf(value as never))
      case Kind.BIGINT: return this.#boxed(bigintValueOf(value as never))
      case Kind.STRING: return this.#boxed(stringValueOf(value as never))
      case Kind.NODE_BUFFER: return this.#nodeBuffer(value as Uint8Array)
      case Kind.ERROR: return this.#error(value as Error)
      case Kind.DOM_EXCEPTION: return this.#domException(value as DOMException)
    }
  }

  #plain(value: object): void {
    const keys = objectKeys(value)
    this.#records++
    this.#out.byte(Tag.OBJECT)
    this.#push(Step.PROPERTIES, value, keys, null, keys.length)
  }

  #array(value: unknown[]): void {
    // A Proxy may have any length.
    const told: unknown = value.length
    const length = typeof told === 'number' && told >= 0 && told <= MAX_UINT32 ? told >>> 0 : 0
    this.#out.tagged(Tag.ARRAY, length)
    this.#push(Step.ITEMS, value, null, null, length)
  }

  /** Maps and Sets are written as they are now: a getter among them may change them. */
  #map(value: Map<unknown, unknown>): void {
    // What is left out takes no room.
    if (this.#onDropped === undefined) this.#out.need(2 * mapSize(value))
    const keys = bareArray<unknown>()
    const values = bareArray<unknown>()
    let count = 0
    mapForEach(value, (item, key) => {
      keys[count] = key
      values[count++] = item
    })
    this.#out.byte(Tag.MAP)
    this.#push(Step.ENTRIES, value, keys, values, 2 * count)
  }

  #set(value: Set<unknown>): void {
    if (this.#onDropped === undefined) this.#out.need(setSize(value))
    const members = bareArray<unknown>()
    let count = 0
    setForEach(value, (member) => {
      members[count++] = member
    })
    this.#out.byte(Tag.SET)
    this.#push(Step.MEMBERS, value, members, null, count)
  }

  #date(value: Date): void {
    this.#out.byte(Tag.DATE)
    this.#out.float(dateGetTime(value))
  }

  #regExp(value: RegExp): void {
    let flags = 0
    for (let i = 0; i < 8; i++) if (regExpFlags[i]!(value)) flags |= 1 << i
    this.#out.byte(Tag.REGEXP)
    this.#out.byte(flags)
    this.#out.string(regExpSource(value))
  }

  #boxed(value: boolean | number | bigint | string): void {
    this.#out.byte(Tag.BOXED)
    this.#put(value)
  }

  #buffer(value: ArrayBuffer): void {
    const bytes = bytesOf(value)
    if (bytes === null) return this.#refuse('a detached ArrayBuffer')
    this.#remember(value)
    this.#out.tagged(Tag.BUFFER, arrayBufferByteLength(value))
    this.#out.bytes(bytes)
  }

  /** Views of one buffer are views of one buffer afterwards, so it is written whole. It counts before the view: when that is made, it must be there. */
  #view(value: Uint8Array): void {
    const tag = typedArrayTag(value)
    const isDataView = tag === undefined
    const buffer = isDataView ? dataViewBuffer(value as unknown as DataView) : typedArrayBuffer(value)
    if (familyOf(buffer).kind !== Kind.BUFFER) return this.#refuse('a view of shared memory')
    // Asked first, since a DataView of a detached buffer throws.
    if (bytesOf(buffer) === null) return this.#refuse('a view of a detached ArrayBuffer')
    const offset = isDataView ? dataViewByteOffset(value as unknown as DataView) : typedArrayByteOffset(value)
    const length = isDataView ? dataViewByteLength(value as unknown as DataView) : typedArrayByteLength(value)
    this.#out.byte(Tag.VIEW)
    this.#out.byte(isDataView ? 0 : indexOf(VIEW_NAMES, tag))
    this.#out.varint(offset)
    this.#out.varint(length)
    const known = this.#idOf(buffer)
    if (known === -1) this.#buffer(buffer)
    else this.#out.tagged(Tag.SAME, known)
    this.#remember(value)
  }

  #nodeBuffer(value: Uint8Array): void {
    this.#out.tagged(Tag.NODE_BUFFER, typedArrayByteLength(value))
    this.#out.bytes(value)
  }

  /** What the standard keeps of an error: one of seven names, message and cause if it has them of its own, and the stack. */
  #error(value: Error): void {
    const { name, stack } = value as { name: unknown, stack: unknown }
    const message = objectGetOwnPropertyDescriptor(value, 'message')
    const hasMessage = message !== undefined && objectHasOwn(message, 'value')
    const text = hasMessage ? toText(message.value) : ''
    const hasCause = objectHasOwn(value, 'cause')
    const cause = hasCause ? value.cause : undefined
    const keepsCause = hasCause && !this.#dropsCause(value, cause)
    this.#out.byte(Tag.ERROR)
    this.#out.byte(indexOf(ERROR_NAMES, typeof name === 'string' ? name : ''))
    this.#out.byte((hasMessage ? ErrorPart.MESSAGE : 0) | (typeof stack === 'string' ? ErrorPart.STACK : 0) | (keepsCause ? ErrorPart.CAUSE : 0))
    if (hasMessage) this.#out.string(text)
    if (typeof stack === 'string') this.#out.string(stack)
    if (!keepsCause) return
    const keys = bareArray<unknown>()
    keys[0] = cause
    this.#push(Step.CAUSE, value, keys, null, 1)
  }

  #dropsCause(error: Error, cause: unknown): boolean {
    if (this.#onDropped === undefined) return false
    this.#push(Step.CAUSE, error, null, null, 1)
    const dropped = this.#drops(cause)
    this.#top = this.#top!.parent
    return dropped
  }

  #domException(value: DOMException): void {
    this.#out.byte(Tag.DOM_EXCEPTION)
    this.#out.string(domExceptionName(value))
    this.#out.string(domExceptionMessage(value))
    this.#out.string(typeof value.stack === 'string' ? value.stack : '')
  }
}

/** An option, if it is the caller's: an object of ours inherits what a tenant put on Object.prototype. */
function own<K extends keyof EncodeOptions>(options: EncodeOptions | undefined, name: K): EncodeOptions[K] | undefined {
  return options !== undefined && objectHasOwn(options, name) ? options[name] : undefined
}

/** The first index from `from` on that is there; they are listed once. */
function nextIndex(frame: Frame, from: number): number {
  const keys = frame.keys as string[] | null ?? objectKeys(frame.source)
  frame.keys = keys
  for (; frame.cursor < keys.length; frame.cursor++) {
    const index = arrayIndex(keys[frame.cursor]!)
    if (index === -1) break
    if (index >= from) return mathMin(index, frame.length)
  }
  return frame.length
}

/** -1 for what is no index (ECMAScript, "array index": up to 2^32 - 2, without leading zeros). */
function arrayIndex(key: string): number {
  const { length } = key
  if (length === 0 || length > 10) return -1
  let index = 0
  for (let i = 0; i < length; i++) {
    const digit = charCodeAt(key, i) - 48
    if (digit < 0 || digit > 9) return -1
    index = index * 10 + digit
  }
  return (length > 1 && charCodeAt(key, 0) === 48) || index >= MAX_UINT32 ? -1 : index
}

/** 0, the general one, for what is not in the list. */
function indexOf(names: readonly string[], name: string): number {
  for (let i = 0; i < names.length; i++) if (names[i] === name) return i
  return 0
}

/** null if it is detached. */
function bytesOf(buffer: ArrayBuffer): Uint8Array | null {
  try {
    return new NativeUint8Array(buffer)
  } catch {
    return null
  }
}
