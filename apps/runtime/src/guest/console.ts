import { format, inspect } from './globals/inspect.ts'
import { Level, log, mayLog } from './log.ts'
import { push } from './lists.ts'
import { NativeError, NativeMap, bareArray, mapDelete, mapGet, mapSet, now, reflectApply, substring, toText } from './primordials.ts'

/**
 * `console`, into the app's log. Nothing is formatted that the log would not take.
 */
const counts = new NativeMap<string, number>()
const starts = new NativeMap<string, number>()
let indent = ''

function line(level: number, args: unknown[]): void {
  if (!mayLog()) return
  log(level, indent + (args.length === 1 && typeof args[0] === 'string' ? args[0] : reflectApply(format, undefined, args)))
}

export const console = {
  debug: (...args: unknown[]) => line(Level.DEBUG, args),
  log: (...args: unknown[]) => line(Level.INFO, args),
  info: (...args: unknown[]) => line(Level.INFO, args),
  warn: (...args: unknown[]) => line(Level.WARN, args),
  error: (...args: unknown[]) => line(Level.ERROR, args),
  trace: (...args: unknown[]) => line(Level.DEBUG, [`Trace: ${reflectApply(format, undefined, args)}\n${new NativeError('').stack ?? ''}`]),
  dir: (value: unknown, options?: object) => line(Level.INFO, [inspect(value, options)]),
  table: (value: unknown) => line(Level.INFO, [value]),
  assert: (condition: unknown, ...args: unknown[]) => {
    if (!condition) line(Level.ERROR, withFirst('Assertion failed', args))
  },
  count: (label: unknown = 'default') => {
    const name = toText(label)
    const count = (mapGet(counts, name) ?? 0) + 1
    mapSet(counts, name, count)
    line(Level.INFO, [`${name}: ${count}`])
  },
  countReset: (label: unknown = 'default') => {
    mapDelete(counts, toText(label))
  },
  time: (label: unknown = 'default') => {
    mapSet(starts, toText(label), now())
  },
  timeLog: (label: unknown = 'default', ...args: unknown[]) => elapsed(toText(label), args),
  timeEnd: (label: unknown = 'default') => {
    elapsed(toText(label), [])
    mapDelete(starts, toText(label))
  },
  group: (...args: unknown[]) => {
    if (args.length > 0) line(Level.INFO, args)
    if (indent.length < 40) indent += '  '
  },
  groupEnd: () => {
    indent = substring(indent, 2, indent.length)
  }
}

function elapsed(label: string, args: unknown[]): void {
  const start = mapGet(starts, label)
  if (start === undefined) line(Level.WARN, [`no timer with the label ${label}`])
  else line(Level.INFO, withFirst(`${label}: ${now() - start}ms`, args))
}

function withFirst(first: string, args: unknown[]): unknown[] {
  const all = bareArray<unknown>()
  push(all, first)
  for (let i = 0; i < args.length; i++) push(all, args[i])
  return all
}
