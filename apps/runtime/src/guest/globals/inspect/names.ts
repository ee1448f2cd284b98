/** What an object is called: its class, its tag, a function's kind (lib/internal/util/inspect.js, `getConstructorName`, `getPrefix`, `getFunctionBase`). */

const { getOwnPropertyDescriptor, getPrototypeOf } = Object
const { toString } = Function.prototype

/** Own data property `constructor`, up the chain; null where there is none, as for `Object.create(null)`. */
export function constructorName(value: object): string | null {
  for (let at: object | null = value; at !== null; at = getPrototypeOf(at) as object | null) {
    const constructor: unknown = getOwnPropertyDescriptor(at, 'constructor')?.value
    if (typeof constructor === 'function' && constructor.name !== '' && isInstance(value, constructor)) return String(constructor.name)
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
  const tag: unknown = (value as Record<symbol, unknown>)[Symbol.toStringTag]
  if (typeof tag !== 'string' || tag === '' || Object.prototype.propertyIsEnumerable.call(value, Symbol.toStringTag)) return ''
  return tag
}

export function prefix(constructor: string | null, tag: string, fallback: string, size = ''): string {
  if (constructor === null) return `[${fallback}${size}: null prototype] ${tag !== '' && fallback !== tag ? `[${tag}] ` : ''}`
  return `${constructor}${size} ${tag !== '' && constructor !== tag ? `[${tag}] ` : ''}`
}

export function functionBase(value: Function, constructor: string | null, tag: string): string {
  const source: string = Reflect.apply(toString, value, [])
  if (source.startsWith('class') && source.endsWith('}')) return classBase(value, constructor, tag)
  const kind = `${/^async\b/.test(source) ? 'Async' : ''}${/^(?:async\s+)?(?:function\s*)?\*/.test(source) ? 'Generator' : ''}Function`
  const name = value.name === '' || typeof value.name !== 'string' ? ' (anonymous)' : `: ${value.name}`
  const base = `[${kind}${constructor === null ? ' (null prototype)' : ''}${name}]`
  const other = constructor !== null && constructor !== kind && constructor !== 'Function' ? ` ${constructor}` : ''
  return `${base}${other}${tag !== '' && constructor !== tag ? ` [${tag}]` : ''}`
}

function classBase(value: Function, constructor: string | null, tag: string): string {
  const name = Object.hasOwn(value, 'name') && value.name !== '' ? String(value.name) : '(anonymous)'
  const other = constructor !== null && constructor !== 'Function' ? ` [${constructor}]` : ''
  const tagged = tag !== '' && constructor !== tag ? ` [${tag}]` : ''
  if (constructor === null) return `[class ${name}${tagged} extends null]`
  const parent: unknown = (getPrototypeOf(value) as Function | null)?.name
  return `[class ${name}${other}${tagged}${typeof parent === 'string' && parent !== '' ? ` extends ${parent}` : ''}]`
}
