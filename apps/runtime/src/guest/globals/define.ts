/** Ways to add to an object as Node does: what a global object offers is writable and configurable, and no loop over it shows it. */

import { join, map } from '../lists.ts'
import { NativePromise, NativeTypeError, objectAssign, objectDefine, objectKeys, stringEndsWith, substring, symbolInspect, symbolToStringTag, toText } from '../primordials.ts'

export function hide(target: object, values: Record<string, unknown>): void {
  const names = objectKeys(values)
  for (let i = 0; i < names.length; i++) define(target, names[i]!, values[names[i]!])
}

/** A property that is not shown. */
export function define(target: object, name: PropertyKey, value: unknown): void {
  objectDefine(target, name, { __proto__: null, value, writable: true, configurable: true, enumerable: false } as PropertyDescriptor)
}

/** An ordinary property, by no assignment, which a setter on a prototype would see. */
export function addOwn(target: object, name: PropertyKey, value: unknown): void {
  objectDefine(target, name, { __proto__: null, value, writable: true, configurable: true, enumerable: true } as PropertyDescriptor)
}

/** A bundler renames what refers to itself or what a library has as well; tenants and `inspect` see names. */
export function named<T extends Function>(value: T, name: string): T {
  objectDefine(value, 'name', { __proto__: null, value: name, configurable: true } as PropertyDescriptor)
  return value
}

/** Web classes show their members in `for…in` and have a tag (Web IDL, "interface prototype object"). */
export function webInterface(constructor: Function, tag: string, members: readonly string[]): void {
  const { prototype } = constructor
  named(constructor, tag)
  showMembers(prototype, members)
  objectDefine(prototype, symbolToStringTag, { __proto__: null, value: tag, configurable: true } as PropertyDescriptor)
}

export function showMembers(object: object, members: readonly string[]): void {
  for (let i = 0; i < members.length; i++) objectDefine(object, members[i]!, { __proto__: null, enumerable: true } as PropertyDescriptor)
}

type Inspect = (value: unknown, options: object) => string

/** How `inspect` shows the instances of a class. */
export function inspectable<T>(constructor: { prototype: T }, show: (value: T, depth: number, options: object, inspect: Inspect) => string): void {
  define(constructor.prototype as object, symbolInspect, function (this: T, depth: number, options: object, inspect: Inspect) {
    return show(this, depth, options, inspect)
  })
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
  coded(new NativeTypeError(`The ${join(map(names, name => `"${name}"`), ' and ')} argument${names.length > 1 ? 's' : ''} must be specified`), 'ERR_MISSING_ARGS')

export const illegalConstructor = (): TypeError => coded(new NativeTypeError('Illegal constructor'), 'ERR_ILLEGAL_CONSTRUCTOR')

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
  void new NativePromise((_, reject) => reject(error))
}
