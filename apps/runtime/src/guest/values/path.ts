import { charCodeAt, jsonStringify, substring, toText } from '../primordials.ts'

/** A container that is being written, and how far. The chain of them is the way from the root to what is written now. */
export class Frame {
  /** What is done next, see Step. Begins as what the object is, and goes on for its other properties. */
  step: Step
  readonly source: object
  readonly parent: Frame | null
  /** Names of properties, keys of a Map, members of a Set. */
  keys: unknown[] | null
  /** Of a Map. */
  readonly values: unknown[] | null
  /** How many are done, the one that is being written included. Of a Map keys and values are counted. */
  index = 0
  length: number
  /** Of an array with holes: where in `keys` the next index is looked for. */
  cursor = 0

  constructor(step: Step, source: object, parent: Frame | null, keys: unknown[] | null, values: unknown[] | null, length: number) {
    this.step = step
    this.source = source
    this.parent = parent
    this.keys = keys
    this.values = values
    this.length = length
  }
}

export const Step = { PROPERTIES: 0, ITEMS: 1, ENTRIES: 2, MEMBERS: 3, CAUSE: 4 } as const
export type Step = (typeof Step)[keyof typeof Step]

const MOST_STEPS = 24
const MOST_CHARACTERS = 40

/** `users.get("a").callback`, as one would write it; of a long way only the end. */
export function pathOf(frame: Frame | null, name: string): string {
  let path = ''
  let at = frame
  for (let steps = 0; at !== null; at = at.parent) {
    if (++steps > MOST_STEPS) return `…${path}`
    path = stepText(at) + path
  }
  if (name !== '') return name + path
  return path === '' ? 'the value' : charCodeAt(path, 0) === 46 ? substring(path, 1, path.length) : path
}

function stepText(frame: Frame): string {
  const at = frame.index - 1
  switch (frame.step) {
    case Step.PROPERTIES: return propertyText(frame.keys![at] as string)
    case Step.ITEMS: return `[${at}]`
    case Step.ENTRIES: return at % 2 === 0 ? `.keys()[${at >> 1}]` : `.get(${keyText(frame.keys![at >> 1])})`
    case Step.MEMBERS: return `.values()[${at}]`
    case Step.CAUSE: return '.cause'
  }
}

function propertyText(key: string): string {
  return isName(key) ? `.${short(key)}` : `[${jsonStringify(short(key))}]`
}

function keyText(key: unknown): string {
  if (typeof key === 'string') return jsonStringify(short(key))
  if (typeof key === 'bigint') return '…n'
  return (typeof key === 'object' && key !== null) || typeof key === 'function' ? '…' : toText(key)
}

const short = (text: string): string => text.length <= MOST_CHARACTERS ? text : `${substring(text, 0, MOST_CHARACTERS)}…`

/** ASCII names only: any other is shown in quotes. */
function isName(key: string): boolean {
  for (let i = 0; i < key.length && i < MOST_CHARACTERS; i++) {
    const code = charCodeAt(key, i)
    const letter = (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code === 36
    if (!letter && !(i > 0 && code >= 48 && code <= 57)) return false
  }
  return key !== ''
}
