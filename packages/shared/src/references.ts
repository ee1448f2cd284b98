/** Which nodes a value refers to: enough of its layout is read to find them, and nothing is made of it. */
import { readReference, skim } from './skim.ts'
import { ValueError, ValueReader } from './value-reader.ts'
import { Tag, VERSION } from './value-tags.ts'

/**
 * The nodes that the value from `start` to `end` refers to, in their order, some maybe more than once. Of bytes that are no value: those up
 * to where they stop being one.
 */
export function references(bytes: Uint8Array, start = 0, end = bytes.length): number[] {
  if (!hasReference(bytes, start, end)) return NONE
  const found: number[] = []
  try {
    const reader = new ValueReader(bytes, start, end)
    if (reader.byte() === VERSION) skim(reader, (node) => found.push(node))
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
  }
  return found
}

const NONE: number[] = []

/** Most values have no byte that could be the tag of one. */
function hasReference(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > LONG) return bytes.subarray(start, end).includes(Tag.REF)
  for (let i = start + 1; i < end; i++) if (bytes[i] === Tag.REF) return true
  return false
}

/** From here on a call beats a loop. */
const LONG = 64

/** The node that the value is, if it is nothing but a reference to one. */
export function soleReference(bytes: Uint8Array): number | null {
  if (bytes[0] !== VERSION || bytes[1] !== Tag.REF) return null
  try {
    const reader = new ValueReader(bytes, 2)
    const target = readReference(reader)
    return typeof target === 'number' && reader.pos === reader.end ? target : null
  } catch {
    return null
  }
}
