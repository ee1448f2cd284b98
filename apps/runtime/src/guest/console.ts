// oxlint-disable typescript/no-require-imports -- the bundler's, see globals/index.ts
import { Level, log, mayLog } from './log.ts'
import { join, push } from './lists.ts'
import { NativeError, NativeMap, bareArray, mapDelete, mapGet, mapSet, now, reflectApply, stringIndexOf, substring, toText } from './primordials.ts'

/**
 * `console`, into the app's log. Nothing is formatted that the log would not take.
 */
const counts = new NativeMap<string, number>()
const starts = new NativeMap<string, number>()
let indent = ''

const inspection = (): typeof import('./globals/inspect.ts') => require('./globals/inspect.ts') as typeof import('./globals/inspect.ts')

function line(level: number, args: unknown[]): void {
  if (mayLog()) log(level, indent + textOf(args))
}

function textOf(args: unknown[]): string {
  return areTexts(args) ? join(args, ' ') : reflectApply(inspection().format, undefined, args)
}

/** As most lines are: nothing in them has to be shown in a way of its own. */
function areTexts(args: unknown[]): args is string[] {
  for (let i = 0; i < args.length; i++) if (typeof args[i] !== 'string') return false
  return args.length > 0 && (args.length === 1 || stringIndexOf(args[0] as string, '%') < 0)
}

export const console = {
  debug: (...args: unknown[]) => line(Level.DEBUG, args),
  log: (...args: unknown[]) => line(Level.INFO, args),
  info: (...args: unknown[]) => line(Level.INFO, args),
  warn: (...args: unknown[]) => line(Level.WARN, args),
  error: (...args: unknown[]) => line(Level.ERROR, args),
  trace: (...args: unknown[]) => line(Level.DEBUG, [`Trace: ${textOf(args)}\n${new NativeError('').stack ?? ''}`]),
  dir: (value: unknown, options?: object) => line(Level.INFO, [inspection().inspect(value, options)]),
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
