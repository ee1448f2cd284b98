/** Errors as `inspect` shows them: the stack, under the name of the class, and properties that the stack does not tell. */
import { indexOf, push, removeAt, replaceAll } from '../../lists.ts'
import { arrayIsArray, errorToString, stringEndsWith, stringIncludes, stringRepeat, stringStartsWith, substring, toText } from '../../primordials.ts'
import type { Context } from './context.ts'

const text = (value: unknown): string => typeof value === 'string' ? value : toText(value)
const SHOWN_BY_STACK = ['name', 'message', 'stack'] as const

/** Takes from `keys` what the stack shows already, and adds what Node shows though it is not enumerable. */
export function errorBase(context: Context, error: Error, constructor: string | null, keys: PropertyKey[]): string {
  const stack: unknown = error.stack
  const shown = typeof stack === 'string' && stack !== '' ? stack : errorToString(error)
  for (let i = 0; i < SHOWN_BY_STACK.length; i++) {
    const name = SHOWN_BY_STACK[i]!
    const at = indexOf(keys, name)
    if (at >= 0 && (typeof error[name] !== 'string' || stringIncludes(shown, error[name]))) removeAt(keys, at)
  }
  if ('cause' in error && indexOf(keys, 'cause') < 0) push(keys, 'cause')
  if (arrayIsArray((error as { errors?: unknown }).errors) && indexOf(keys, 'errors') < 0) push(keys, 'errors')
  const named = withClass(shown, error, constructor)
  const cut = named.length > context.maxStringLength ? substring(named, 0, context.maxStringLength) : named
  const base = stringIncludes(cut, '\n    at') ? cut : `[${cut}]`
  context.left -= base.length
  return context.indentation === 0 ? base : replaceAll(base, '\n', `\n${stringRepeat(' ', context.indentation)}`)
}

/** `Error: x` of a class that never set its name is shown as `ItsClass: x`. */
function withClass(stack: string, error: Error, constructor: string | null): string {
  const name = error.name === undefined || error.name === null ? 'Error' : text(error.name)
  if (constructor === null || name === constructor || !stringEndsWith(name, 'Error') || !stringStartsWith(stack, name)) return stack
  const next = stack[name.length]
  if (next !== undefined && next !== ':' && next !== '\n') return stack
  const rest = substring(stack, name.length, stack.length)
  return stringIncludes(constructor, name) ? `${constructor}${rest}` : `${constructor} [${name}]${rest}`
}
