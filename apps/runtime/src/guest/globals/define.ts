/** Ways to add to an object as Node does: what a global object offers is writable and configurable, and no loop over it shows it. */

import { NativeTypeError, objectAssign, stringEndsWith, substring, toText } from '../primordials.ts'

export function hide(target: object, values: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false })
  }
}

/** A bundler renames what refers to itself or what a library has as well; tenants and `inspect` see names. */
export function named<T extends Function>(value: T, name: string): T {
  return Object.defineProperty(value, 'name', { value: name, configurable: true })
}

/** Web classes show their members in `for…in` and have a tag (Web IDL, "interface prototype object"). */
export function webInterface(constructor: Function, tag: string, members: readonly string[]): void {
  const { prototype } = constructor
  named(constructor, tag)
  for (const name of members) Object.defineProperty(prototype, name, { enumerable: true })
  Object.defineProperty(prototype, Symbol.toStringTag, { value: tag, configurable: true })
}

/** An error of Node's, with a code: `TypeError [ERR_X]: …` in its stack, plain `TypeError` in its name. */
export function coded<E extends Error>(error: E, code: string): E & { code: string } {
  return objectAssign(error, { code })
}

/** `name` is that of an argument, or a phrase like `first argument` that goes into the message as it is. */
export function invalidType(name: string, wanted: string, value: unknown): TypeError {
  const subject = stringEndsWith(name, ' argument') ? name : `"${name}" argument`
  return coded(new NativeTypeError(`The ${subject} must be ${wanted}. Received ${received(value)}`), 'ERR_INVALID_ARG_TYPE')
}

export const missingArgument = (...names: string[]): TypeError =>
  coded(new TypeError(`The ${names.map(name => `"${name}"`).join(' and ')} argument${names.length > 1 ? 's' : ''} must be specified`), 'ERR_MISSING_ARGS')

export const illegalConstructor = (): TypeError => coded(new TypeError('Illegal constructor'), 'ERR_ILLEGAL_CONSTRUCTOR')

/** How Node names a wrong value in its messages (lib/internal/errors.js, `determineSpecificType`). */
function received(value: unknown): string {
  if (value === null || value === undefined) return toText(value)
  if (typeof value === 'function') return value.name === '' ? 'function ' : `function ${value.name}`
  if (typeof value === 'object') return typeof value.constructor?.name === 'string' && value.constructor.name !== '' ? `an instance of ${value.constructor.name}` : '[object Object]'
  const text = typeof value === 'string' ? `'${substring(value, 0, 25)}${value.length > 25 ? '...' : ''}'` : toText(value)
  return `type ${typeof value} (${text}${typeof value === 'bigint' ? 'n' : ''})`
}

/**
 * What an error does that nobody is there to catch (in a microtask, an event listener): it becomes an unhandled rejection,
 * which the runtime reports for its app. Never lost, never thrown into code that did not ask.
 */
export function reportUncaught(error: unknown): void {
  void Promise.reject(error)
}
