import { Flag, FrameType } from '@socklet/protocol/frame'
import { NodeKind, Op } from '@socklet/shared/records'
import { TurnWord } from '../../turn-layout.ts'
import { beginFrameBeside, changeWord, finishFrameBeside } from '../outbox.ts'
import { mathMax, mathMin, typedArrayByteLength, typedArraySet } from '../primordials.ts'
import { dropUnreferenced } from './drop.ts'
import type { Entry, Node } from './graph.ts'
import { anythingWaits, takeWaiting, type Waiting } from './waiting.ts'

/** Frames are not longer than about this, but for a single larger value. */
const FRAME_BYTES = 1024 * 1024
/** Op, node, entry and two lengths at most. */
const HEAD_BYTES = 1 + 5 + 8 + 5 + 5
/** Below this a loop beats the making of a view. */
const SMALL_COPY = 64

let bytes: Uint8Array
let at = 0
let limit = 0
/** At most so many bytes are still to be written. */
let left = 0

/** What has changed since the last time, as records for the store (packages/shared), in frames of which the last has Flag.END. */
export function flush(): void {
  dropUnreferenced()
  if (!anythingWaits()) return
  const waiting = takeWaiting()
  const { nodes, entries, dropped } = waiting
  left = sizeOf(waiting)
  begin(0)
  // A node before its entries, and before the entries of others that refer to it; what is void before what is new.
  for (let i = 0; i < nodes.count; i++) writeNode(nodes.items[i]!)
  for (let i = 0; i < entries.count; i++) writeEntry(entries.items[i]!)
  for (let i = 0; i < dropped.count; i++) writeHead(Op.DROP, dropped.items[i]!)
  end(Flag.END)
  changeWord(TurnWord.SHARED, 1)
}

function sizeOf({ nodes, entries, dropped }: Waiting): number {
  let size = (nodes.count + entries.count + dropped.count) * HEAD_BYTES
  for (let i = 0; i < entries.count; i++) size += lengthOf(entries.items[i]!.keyBytes) + lengthOf(entries.items[i]!.valueBytes)
  return size
}

function lengthOf(of: Uint8Array | null): number {
  return of === null ? 0 : typedArrayByteLength(of)
}

function writeNode(node: Node): void {
  if (node.dropped) return
  if (!node.stored) {
    node.stored = true
    writeHead(Op.NODE, node)
    bytes[at++] = node.kind
  } else if (node.cleared) writeHead(Op.CLEAR, node)
  node.cleared = false
}

function writeEntry(entry: Entry): void {
  const { node, keyBytes, valueBytes } = entry
  entry.waiting = false
  entry.keyBytes = entry.valueBytes = null
  if (node.dropped) return
  if (node.kind === NodeKind.VALUE) {
    if (valueBytes !== null) writeValueNode(node, valueBytes)
  } else if (entry.deleted) {
    if (entry.stored) writeDelete(entry)
  } else if (keyBytes !== null && valueBytes !== null) {
    entry.stored = true
    writeHead(Op.SET, node, typedArrayByteLength(keyBytes) + typedArrayByteLength(valueBytes))
    varint(entry.id)
    writeBytes(keyBytes)
    writeBytes(valueBytes)
  }
}

function writeValueNode(node: Node, value: Uint8Array): void {
  node.stored = true
  writeHead(Op.NODE, node, typedArrayByteLength(value))
  bytes[at++] = NodeKind.VALUE
  writeBytes(value)
}

function writeDelete(entry: Entry): void {
  writeHead(Op.DELETE, entry.node)
  varint(entry.id)
}

/** Makes room for the whole record, in a frame of its own if this one is full. */
function writeHead(op: number, node: Node, length = 0): void {
  if (at + HEAD_BYTES + length > limit) {
    end(0)
    begin(HEAD_BYTES + length)
  }
  left -= HEAD_BYTES + length
  bytes[at++] = op
  varint(node.id)
}

function begin(needed: number): void {
  const room = mathMax(needed, mathMin(left, FRAME_BYTES))
  const frame = beginFrameBeside(room)
  bytes = frame.bytes
  at = frame.offset
  limit = at + room
}

function end(flags: number): void {
  finishFrameBeside(FrameType.SHARED, flags, 0, at)
}

/** Up to 2^53: the bit operators know 32 bits only. */
function varint(value: number): void {
  while (value >= 0x8000_0000) {
    bytes[at++] = (value % 128) | 0x80
    value = (value - (value % 128)) / 128
  }
  while (value >= 0x80) {
    bytes[at++] = (value & 0x7f) | 0x80
    value >>>= 7
  }
  bytes[at++] = value
}

function writeBytes(source: Uint8Array): void {
  const length = typedArrayByteLength(source)
  varint(length)
  if (length < SMALL_COPY) for (let i = 0; i < length; i++) bytes[at + i] = source[i]!
  else typedArraySet(bytes, source, at)
  at += length
}
