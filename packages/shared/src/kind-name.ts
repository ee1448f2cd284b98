import { isString } from './value-reader.ts'
import { Tag } from './value-tags.ts'

const NAMES = new Map<number, string>([
  [Tag.UNDEFINED, 'undefined'], [Tag.NULL, 'null'], [Tag.FALSE, 'boolean'], [Tag.TRUE, 'boolean'],
  [Tag.INT, 'number'], [Tag.DOUBLE, 'number'], [Tag.BIGINT64, 'bigint'], [Tag.BIGINT_PLUS, 'bigint'], [Tag.BIGINT_MINUS, 'bigint'],
  [Tag.DATE, 'date'], [Tag.REGEXP, 'regexp'], [Tag.BOXED, 'object'], [Tag.OBJECT, 'object'], [Tag.ARRAY, 'array'], [Tag.MAP, 'map'], [Tag.SET, 'set'],
  [Tag.BUFFER, 'bytes'], [Tag.VIEW, 'bytes'], [Tag.NODE_BUFFER, 'bytes'], [Tag.ERROR, 'error'], [Tag.DOM_EXCEPTION, 'error'], [Tag.REF, 'socket']
])

export const KIND_NAMES = [...new Set([...NAMES.values(), 'string', 'unknown'])]

/** What a value with this tag is called in listings. */
export function kindName(tag: number): string {
  if (isString(tag)) return 'string'
  return tag >= Tag.SMALL ? 'number' : (NAMES.get(tag) ?? 'unknown')
}
