/** Node's `util`, by hand: the one of unenv answers half of it with functions that only throw. */
import { TextDecoder, TextEncoder } from '../text-encoding.ts'
import { coded, invalidType } from '../define.ts'
import { AbortSignal } from '../abort.ts'
import { format, formatWithOptions, inspect, stripVTControlCharacters } from '../inspect.ts'
import { isDeepStrictEqual } from './deep-equal.ts'
import { types } from './types.ts'

type Callback = (error: unknown, value?: unknown) => void
type AnyFunction = ((...args: any[]) => any) & { [custom]?: unknown }

const custom: unique symbol = Symbol.for('nodejs.util.promisify.custom') as never

const checkFunction = (value: unknown): void => {
  if (typeof value !== 'function') throw invalidType('original', 'of type function', value)
}

function promisify(original: AnyFunction): Function {
  checkFunction(original)
  const own = original[custom]
  if (typeof own === 'function') return own
  function promised(this: unknown, ...args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const done: Callback = (error, value) => error ? reject(error as Error) : resolve(value)
      Reflect.apply(original, this, [...args, done])
    })
  }
  Object.setPrototypeOf(promised, Object.getPrototypeOf(original) as object)
  Object.defineProperty(promised, custom, { value: promised, configurable: true })
  return Object.defineProperties(promised, Object.getOwnPropertyDescriptors(original))
}
promisify.custom = custom

/** Out of a promise's chain: what the callback throws must not come back to it as a rejection. */
const later = (run: () => void): void => void Promise.resolve().then(run)

function callbackify(original: AnyFunction): Function {
  checkFunction(original)
  const withCallback = function (this: unknown, ...args: unknown[]): void {
    const done = args.pop() as Callback
    if (typeof done !== 'function') throw invalidType('last argument', 'of type function', done)
    const promise = Reflect.apply(original, this, args) as Promise<unknown>
    promise.then(value => later(() => done(null, value)), (error: unknown) => later(() => done(error || falsy(error))))
  }
  return Object.defineProperty(withCallback, 'name', { value: `${original.name}Callbackified` })
}

const falsy = (reason: unknown): Error => Object.assign(coded(new Error('Promise was rejected with falsy value'), 'ERR_FALSY_VALUE_REJECTION'), { reason })

function inherits(child: Function & { super_?: Function }, parent: Function): void {
  if (typeof child !== 'function') throw invalidType('ctor', 'of type function', child)
  if (typeof parent !== 'function') throw invalidType('superCtor', 'of type function', parent)
  Object.defineProperty(child, 'super_', { value: parent, writable: true, configurable: true })
  Object.setPrototypeOf(child.prototype as object, parent.prototype as object)
}

const warned = new Set<string>()
const warn = (text: string): void => (globalThis as { console?: { error?(text: string): void } }).console?.error?.(text)

function deprecate<T extends Function>(original: T, message: string, code?: string): T {
  const key = code ?? message
  function deprecated(this: unknown, ...args: unknown[]): unknown {
    if (!warned.has(key)) {
      warned.add(key)
      warn(`${code === undefined ? '' : `[${code}] `}DeprecationWarning: ${message}`)
    }
    return new.target ? Reflect.construct(original, args, new.target) : Reflect.apply(original, this, args)
  }
  Object.setPrototypeOf(deprecated, original)
  if (original.prototype !== undefined) deprecated.prototype = original.prototype
  return deprecated as unknown as T
}

/** Prints where the environment's NODE_DEBUG names the section. */
function debuglog(section: string): AnyFunction {
  const { process } = globalThis as { process?: { env?: Record<string, string> } }
  const enabled = (process?.env?.['NODE_DEBUG'] ?? '').toUpperCase().split(',').includes(section.toUpperCase())
  const log = (...args: unknown[]): void => {
    if (enabled) warn(`${section.toUpperCase()}: ${format(...args)}`)
  }
  return Object.assign(log, { enabled })
}

/** Resolves when `signal` aborts. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

export const util = {
  TextDecoder, TextEncoder,
  aborted, callbackify, debug: debuglog, debuglog, deprecate, format, formatWithOptions, inherits, inspect, isDeepStrictEqual, promisify, stripVTControlCharacters, types,
  _extend: (target: object, source: object | null) => Object.assign(target, source),
  isArray: Array.isArray,
  toUSVString: (text: unknown) => String(text).toWellFormed()
}
