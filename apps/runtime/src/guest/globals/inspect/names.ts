/** What an object is called: its class, its tag, a function's kind (lib/internal/util/inspect.js, `getConstructorName`, `getPrefix`, `getFunctionBase`). */
import {
  functionToString, objectGetOwnPropertyDescriptor, objectGetPrototypeOf, objectHasOwn, objectPropertyIsEnumerable, regExpTest, stringEndsWith, stringStartsWith, symbolToStringTag, toText
} from '../../primordials.ts'

/** Own data property `constructor`, up the chain; null where there is none, as for `Object.create(null)`. */
export function constructorName(value: object): string | null {
  for (let at: object | null = value; at !== null; at = objectGetPrototypeOf(at) as object | null) {
    const constructor: unknown = objectGetOwnPropertyDescriptor(at, 'constructor')?.value
    if (typeof constructor === 'function' && constructor.name !== '' && isInstance(value, constructor)) return toText(constructor.name)
  }
  return null
}

function isInstance(value: object, constructor: Function): boolean {
  try {
    return value instanceof constructor
  } catch {
    return false
  }
}

/** The tag, unless it is shown as a property anyway. */
export function tagOf(value: object): string {
  const tag: unknown = (value as Record<symbol, unknown>)[symbolToStringTag]
  if (typeof tag !== 'string' || tag === '' || objectPropertyIsEnumerable(value, symbolToStringTag)) return ''
  return tag
}

export function prefix(constructor: string | null, tag: string, fallback: string, size = ''): string {
  if (constructor === null) return `[${fallback}${size}: null prototype] ${tag !== '' && fallback !== tag ? `[${tag}] ` : ''}`
  return `${constructor}${size} ${tag !== '' && constructor !== tag ? `[${tag}] ` : ''}`
}

const ASYNC = /^async\b/
const GENERATOR = /^(?:async\s+)?(?:function\s*)?\*/

export function functionBase(value: Function, constructor: string | null, tag: string): string {
  const source = functionToString(value)
  if (stringStartsWith(source, 'class') && stringEndsWith(source, '}')) return classBase(value, constructor, tag)
  const kind = `${regExpTest(ASYNC, source) ? 'Async' : ''}${regExpTest(GENERATOR, source) ? 'Generator' : ''}Function`
  const name = value.name === '' || typeof value.name !== 'string' ? ' (anonymous)' : `: ${value.name}`
  const base = `[${kind}${constructor === null ? ' (null prototype)' : ''}${name}]`
  const other = constructor !== null && constructor !== kind && constructor !== 'Function' ? ` ${constructor}` : ''
  return `${base}${other}${tag !== '' && constructor !== tag ? ` [${tag}]` : ''}`
}

function classBase(value: Function, constructor: string | null, tag: string): string {
  const name = objectHasOwn(value, 'name') && value.name !== '' ? toText(value.name) : '(anonymous)'
  const other = constructor !== null && constructor !== 'Function' ? ` [${constructor}]` : ''
  const tagged = tag !== '' && constructor !== tag ? ` [${tag}]` : ''
  if (constructor === null) return `[class ${name}${tagged} extends null]`
  const parent: unknown = (objectGetPrototypeOf(value) as Function | null)?.name
  return `[class ${name}${other}${tagged}${typeof parent === 'string' && parent !== '' ? ` extends ${parent}` : ''}]`
}
