/** Errors as `inspect` shows them: the stack, under the name of the class, and properties that the stack does not tell. */
import type { Context } from './context.ts'

const text = (value: unknown): string => typeof value === 'string' ? value : String(value)

/** Takes from `keys` what the stack shows already, and adds what Node shows though it is not enumerable. */
export function errorBase(context: Context, error: Error, constructor: string | null, keys: PropertyKey[]): string {
  const stack: unknown = error.stack
  const shown = typeof stack === 'string' && stack !== '' ? stack : Error.prototype.toString.call(error)
  for (const name of ['name', 'message', 'stack'] as const) {
    const at = keys.indexOf(name)
    if (at >= 0 && (typeof error[name] !== 'string' || shown.includes(error[name]))) keys.splice(at, 1)
  }
  for (const name of ['cause', 'errors']) {
    const holds = name === 'cause' ? name in error : Array.isArray((error as { errors?: unknown }).errors)
    if (holds && !keys.includes(name)) keys.push(name)
  }
  const named = withClass(shown, error, constructor)
  const cut = named.length > context.maxStringLength ? named.slice(0, context.maxStringLength) : named
  const base = /\n {4}at/.test(cut) ? cut : `[${cut}]`
  context.left -= base.length
  return context.indentation === 0 ? base : base.replaceAll('\n', `\n${' '.repeat(context.indentation)}`)
}

/** `Error: x` of a class that never set its name is shown as `ItsClass: x`. */
function withClass(stack: string, error: Error, constructor: string | null): string {
  const name = error.name === undefined || error.name === null ? 'Error' : text(error.name)
  if (constructor === null || name === constructor || !name.endsWith('Error') || !stack.startsWith(name)) return stack
  const next = stack[name.length]
  if (next !== undefined && next !== ':' && next !== '\n') return stack
  return constructor.includes(name) ? `${constructor}${stack.slice(name.length)}` : `${constructor} [${name}]${stack.slice(name.length)}`
}
