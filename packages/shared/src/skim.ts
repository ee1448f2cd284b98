import { ErrorPart, Tag } from './value-tags.ts'
import { ValueError, type ValueReader, isString } from './value-reader.ts'

/**
 * Passes over the next value, and makes nothing of it. A loop, and no recursion: values may be nested as deep as their bytes go.
 * @param onNode is told of each node that it refers to
 * @returns how many objects were begun, as SAME counts them @throws ValueError
 */
export function skim(reader: ValueReader, onNode?: (node: number) => void): number {
  return new Skimmer(reader, onNode).skim()
}

/** What is behind Tag.REF: the number of a node, or null for a socket. @throws ValueError */
export function readReference(reader: ValueReader): number | null {
  const tag = reader.peek()
  if (isString(tag)) {
    reader.skipString()
    return null
  }
  reader.byte()
  if (tag >= Tag.SMALL) return tag - Tag.SMALL
  if (tag === Tag.INT) return reader.int()
  if (tag === Tag.DOUBLE) return reader.float()
  throw new ValueError('a reference that is no number and no string')
}

/** What is open, as a stack of these: the number of items to come in an array, of which properties may follow, or one of the others. */
const PROPERTIES = -1
const VALUES = -2
const ONE_VALUE = -3

class Skimmer {
  readonly #in: ValueReader
  readonly #onNode: ((node: number) => void) | undefined
  readonly #open = [ONE_VALUE]
  #objects = 0

  constructor(reader: ValueReader, onNode: ((node: number) => void) | undefined) {
    this.#in = reader
    this.#onNode = onNode
  }

  skim(): number {
    for (let top = this.#open.at(-1); top !== undefined; top = this.#open.at(-1)) {
      if (top >= 0) this.#item(top)
      else if (top === ONE_VALUE) this.#last()
      else if (this.#in.peek() === Tag.END) this.#close()
      else this.#next(top)
    }
    return this.#objects
  }

  #close(): void {
    this.#in.byte()
    this.#open.pop()
  }

  #last(): void {
    this.#open.pop()
    this.#value()
  }

  #next(top: number): void {
    if (top === PROPERTIES) this.#key()
    this.#value()
  }

  #item(left: number): void {
    const { length } = this.#open
    if (left === 0) {
      this.#open[length - 1] = PROPERTIES
    } else if (this.#in.peek() === Tag.HOLES) {
      this.#in.byte()
      const count = this.#in.varint()
      if (count === 0 || count > left) throw new ValueError('too many holes')
      this.#open[length - 1] = left - count
    } else {
      this.#open[length - 1] = left - 1
      this.#value()
    }
  }

  #key(): void {
    if (this.#in.peek() >= Tag.SMALL) this.#in.byte()
    else this.#in.skipString()
  }

  #value(): void {
    const tag = this.#in.peek()
    if (isString(tag)) {
      this.#in.skipString()
      return
    }
    this.#in.byte()
    if (tag >= Tag.SMALL) return
    switch (tag) {
      case Tag.UNDEFINED: case Tag.NULL: case Tag.FALSE: case Tag.TRUE: return
      case Tag.INT: case Tag.SAME: this.#in.varint(); return
      case Tag.DOUBLE: case Tag.BIGINT64: this.#in.skip(8); return
      case Tag.BIGINT_PLUS: case Tag.BIGINT_MINUS: this.#in.skip(this.#in.varint()); return
      case Tag.REF: this.#reference(); return
      default: this.#object(tag)
    }
  }

  #reference(): void {
    const node = readReference(this.#in)
    if (node !== null) this.#onNode?.(node)
  }

  #object(tag: number): void {
    this.#objects++
    switch (tag) {
      case Tag.OBJECT: this.#open.push(PROPERTIES); return
      case Tag.ARRAY: this.#open.push(this.#in.varint()); return
      case Tag.MAP: case Tag.SET: this.#open.push(VALUES); return
      case Tag.DATE: this.#in.skip(8); return
      case Tag.REGEXP: this.#in.byte(); this.#in.skipString(); return
      case Tag.BOXED: this.#open.push(ONE_VALUE); return
      case Tag.BUFFER: case Tag.NODE_BUFFER: this.#in.skip(this.#in.varint()); return
      case Tag.VIEW: this.#in.byte(); this.#in.varint(); this.#in.varint(); this.#open.push(ONE_VALUE); return
      case Tag.ERROR: this.#error(); return
      case Tag.DOM_EXCEPTION: this.#in.skipString(); this.#in.skipString(); this.#in.skipString(); return
      default: throw new ValueError(`tag ${tag}`)
    }
  }

  #error(): void {
    this.#in.byte()
    const parts = this.#in.byte()
    if ((parts & ErrorPart.MESSAGE) !== 0) this.#in.skipString()
    if ((parts & ErrorPart.STACK) !== 0) this.#in.skipString()
    if ((parts & ErrorPart.CAUSE) !== 0) this.#open.push(ONE_VALUE)
  }
}
