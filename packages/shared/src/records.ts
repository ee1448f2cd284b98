/**
 * What changes the shared values of an app, as bytes. The state is a graph of *nodes*. Node 0 is `cloud.shared` itself, a Map; every Map or Set
 * that is reached from it is a node of its own, and so is a plain object or array that two entries hold. Records follow one another, each of
 * them `u8 op, varint node`, and then
 *
 *   NODE    u8 kind, for a VALUE also bytes: the node begins anew; what it was before is gone, with all its entries
 *   SET     varint entry, bytes key, bytes value: an entry that exists keeps its place. A member of a Set is the key, with an empty value
 *   DELETE  varint entry
 *   CLEAR   nothing: all entries of the node
 *   DROP    nothing: the node, and all its entries
 *
 * where `bytes` is a varint length and as many bytes, and a varint has seven bits in a byte, the lowest first. Nodes have numbers of 32 bits,
 * entries up to 2^53 - 1: their order is that of a node's entries. Node 0 is always there, and is neither made anew nor dropped.
 * Keys and values are values as value-tags.ts describes them, in which a REF to a number is a node, and one to a string a socket.
 *
 * The guest bundles this file: nothing of Node is in it.
 */
export const Op = { NODE: 1, SET: 2, DELETE: 3, CLEAR: 4, DROP: 5 } as const
export type Op = (typeof Op)[keyof typeof Op]

export const NodeKind = { MAP: 1, SET: 2, VALUE: 3 } as const
export type NodeKind = (typeof NodeKind)[keyof typeof NodeKind]

/**
 * What an entry or a node counts for beside its bytes. The size of an app is the sum of key + value + ENTRY_BYTES over its entries, of
 * bytes + ENTRY_BYTES over its VALUE nodes, and of ENTRY_BYTES over its other nodes but node 0.
 */
export const ENTRY_BYTES = 16

export const ROOT = 0
const MAX_NODE = 0xffff_ffff
const MAX_ENTRY = Number.MAX_SAFE_INTEGER

/** How many records there are; it is not counted beyond `most` + 1, and no further than they are records. */
export function countRecords(bytes: Uint8Array, most: number): number {
  const reader = new RecordReader(bytes)
  let count = 0
  try {
    while (count <= most && reader.next()) count++
  } catch (error) {
    if (!(error instanceof RecordError)) throw error
  }
  return count
}

/** The bytes are no records; the message says what is wrong with them, and where. */
export class RecordError extends Error {
  override readonly name = 'RecordError'
}

/**
 * Reads one record after the other: `next()` fills in the fields, as far as the op has them. The bytes may be anybody's.
 * Keys and values are told by where they are: the guest cuts them out with primordials of its own.
 */
export class RecordReader {
  /** Where the record is. */
  start = 0
  end = 0
  op: Op = Op.NODE
  node = 0
  /** Of NODE. */
  kind: NodeKind = NodeKind.MAP
  /** Of SET and DELETE. */
  entry = 0
  /** Of SET. */
  keyStart = 0
  keyEnd = 0
  /** Of SET, and of NODE for a VALUE. */
  valueStart = 0
  valueEnd = 0

  readonly #bytes: Uint8Array
  readonly #length: number
  #pos = 0
  /** Where the bytes begin that were skipped last. */
  #skipped = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#length = bytes.length
  }

  /** A view of the key, in the bytes that are being read. */
  get key(): Uint8Array {
    return this.#bytes.subarray(this.keyStart, this.keyEnd)
  }

  /** A view of the value, likewise. */
  get value(): Uint8Array {
    return this.#bytes.subarray(this.valueStart, this.valueEnd)
  }

  /** A view of the record. */
  get record(): Uint8Array {
    return this.#bytes.subarray(this.start, this.end)
  }

  /** @returns false at the end. @throws RecordError */
  next(): boolean {
    if (this.#pos === this.#length) return false
    this.start = this.#pos
    const op = this.#byte()
    if (op < Op.NODE || op > Op.DROP) throw this.#malformed(`there is no op ${op}`)
    this.op = op as Op
    this.node = this.#varint(MAX_NODE)
    if (op === Op.NODE) this.#readNode()
    else if (op === Op.SET) this.#readSet()
    else if (op === Op.DELETE) this.entry = this.#varint(MAX_ENTRY)
    else if (op === Op.DROP && this.node === ROOT) throw this.#malformed('node 0 cannot be dropped')
    this.end = this.#pos
    return true
  }

  #readNode(): void {
    if (this.node === ROOT) throw this.#malformed('node 0 cannot be made anew')
    const kind = this.#byte()
    if (kind < NodeKind.MAP || kind > NodeKind.VALUE) throw this.#malformed(`there is no kind ${kind}`)
    this.kind = kind as NodeKind
    this.valueEnd = kind === NodeKind.VALUE ? this.#skipBytes() : this.#pos
    this.valueStart = kind === NodeKind.VALUE ? this.#skipped : this.#pos
  }

  #readSet(): void {
    this.entry = this.#varint(MAX_ENTRY)
    this.keyEnd = this.#skipBytes()
    this.keyStart = this.#skipped
    this.valueEnd = this.#skipBytes()
    this.valueStart = this.#skipped
  }

  /** @returns where they end */
  #skipBytes(): number {
    const length = this.#varint(MAX_NODE)
    if (length > this.#length - this.#pos) throw this.#malformed(`${length} bytes are announced, and fewer are there`)
    this.#skipped = this.#pos
    this.#pos += length
    return this.#pos
  }

  #byte(): number {
    if (this.#pos >= this.#length) throw this.#malformed('unexpected end')
    return this.#bytes[this.#pos++]!
  }

  #varint(max: number): number {
    let value = 0
    // Beyond 32 bits, which the bit operators do not know.
    for (let unit = 1; unit <= max; unit *= 128) {
      const byte = this.#byte()
      value += (byte & 0x7f) * unit
      if (value > max) break
      if (byte < 0x80) return value
    }
    throw this.#malformed(`a number above ${max}`)
  }

  #malformed(what: string): RecordError {
    return new RecordError(`these bytes are no records: ${what} (at byte ${this.#pos})`)
  }
}
