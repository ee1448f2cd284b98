import { Level, log } from '../log.ts'
import { NativeSet, jsonStringify, setAdd, setHas, setSize, toText } from '../primordials.ts'
import { ROOT, type Entry } from './graph.ts'

/** What was told already is not told again; of an app with more keys than this not all is told. */
const MAX_TOLD = 1_000
const told = new NativeSet<string>()
/** What is found this deep, or refers to itself in a circle that was restored, has no name. */
const MAX_STEPS = 1_000
const THE_VALUE = 'the value'

/** Functions and other live things are there in this isolate only. */
export function warnOfDropped(entry: Entry, path: string, kind: string): void {
  once(entry, kind, `${where(entry, path)} holds ${kind}, which stays in the memory of the running code and is not kept`)
}

/** Objects of a class come back as plain data. */
export function warnOfInstance(entry: Entry, path: string): void {
  once(entry, 'instance', `${where(entry, path)} holds an instance of a class, which comes back as plain data`)
}

function once(entry: Entry, kind: string, message: string): void {
  const what = `${kind} ${keyName(entry)}`
  if (setHas(told, what) || setSize(told) >= MAX_TOLD) return
  setAdd(told, what)
  log(Level.WARN, message)
}

function where(entry: Entry, path: string): string {
  return `cloud.shared: the key ${keyName(entry)}${path === '' || path === THE_VALUE ? '' : ` (at ${path})`}`
}

/** The key of `cloud.shared` under which the entry was found, as one would write it. */
export function keyName(entry: Entry): string {
  let at: Entry = entry
  for (let steps = 0; at.node.id !== ROOT; steps++) {
    if (at.node.foundIn === null || steps === MAX_STEPS) return 'of something deep inside'
    at = at.node.foundIn
  }
  const { key } = at
  try {
    return typeof key === 'string' ? jsonStringify(key) : typeof key === 'object' && key !== null ? 'an object' : toText(key)
  } catch {
    return 'of an odd kind'
  }
}
