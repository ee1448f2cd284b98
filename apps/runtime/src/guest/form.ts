import { addOwn } from './globals/define.ts'
import { push, replaceAll } from './lists.ts'
import { arrayIsArray, bareArray, decodeComponent, objectGetOwnPropertyDescriptor, objectHasOwn, stringIncludes, stringIndexOf, substring, toNumber } from './primordials.ts'

type Fields = Record<string, unknown>

/** One name of a form, taken apart: `a[b][]` is `a`, `b`, and a list. */
interface Name {
  steps: string[]
  isList: boolean
}

/**
 * A query string or a form, as `qs` reads it: `a[b]=1` and `a[]=1` nest, `a=1&a=2` is a list. What comes out are ordinary objects, since functions
 * call `hasOwnProperty` on them.
 */
export function parseForm(text: string): Fields {
  const fields: Fields = {}
  for (let from = 0; from <= text.length; ) {
    const found = stringIndexOf(text, '&', from)
    const end = found < 0 ? text.length : found
    if (end > from) addPair(fields, substring(text, from, end))
    from = end + 1
  }
  return fields
}

function addPair(fields: Fields, pair: string): void {
  const equals = stringIndexOf(pair, '=')
  const name = readName(withBrackets(equals < 0 ? pair : substring(pair, 0, equals)), decode)
  const value = equals < 0 ? '' : decode(substring(pair, equals + 1, pair.length))
  if (name.steps.length > 0) addNamed(fields, name, value)
  else if (equals >= 0) add(fields, '', value, name.isList)
}

/** One field of a form that is not encoded. A name of nothing but brackets stands for itself. */
export function addField(fields: Fields, text: string, value: string): void {
  const name = readName(text, (step) => step)
  if (name.steps.length > 0) addNamed(fields, name, value)
  else add(fields, text, value, false)
}

function addNamed(fields: Fields, { steps, isList }: Name, value: string): void {
  let inner = fields
  for (let i = 0; i + 1 < steps.length; i++) inner = innerOf(inner, steps[i]!, steps[i + 1]!)
  const last = steps[steps.length - 1]!
  // To set it would be to change the prototype, or nothing, and no name of a form means that: not even in a copy that a function makes by assignment.
  if (last !== '__proto__') add(inner, last, value, isList)
}

/** Browsers write them encoded. */
function withBrackets(name: string): string {
  return stringIncludes(name, '%') ? replaceAll(replaceAll(replaceAll(replaceAll(name, '%5B', '['), '%5b', '['), '%5D', ']'), '%5d', ']') : name
}

function readName(name: string, decodeStep: (text: string) => string): Name {
  const steps = bareArray<string>()
  let from = 0
  for (let i = 0; i <= name.length; i++) {
    if (i < name.length && name[i] !== '[' && name[i] !== ']') continue
    if (i > from) push(steps, decodeStep(substring(name, from, i)))
    from = i + 1
  }
  return { steps, isList: stringIncludes(name, '[]') }
}

/** What is not encoded as it should be stands for itself. */
function decode(text: string): string {
  const spaced = replaceAll(text, '+', ' ')
  if (!stringIncludes(spaced, '%')) return spaced
  try {
    return decodeComponent(spaced)
  } catch {
    return spaced
  }
}

/** A list has no index above this one, as with `qs` (its `arrayLimit`, as body-parser sets it): else `a[99999999]=` alone would make one too long to be written down. */
const MAX_INDEX = 100

/** The object under this name; a list, if what comes in it is a number. */
function innerOf(outer: Fields, name: string, next: string): Fields {
  if (name === '__proto__' || name === 'constructor' || name === 'prototype') return outer
  const there = own(outer, name)
  const isIndex = toNumber(next) <= MAX_INDEX && !stringIncludes(next, '.')
  if (typeof there === 'object' && there !== null && !(arrayIsArray(there) && toNumber(next) > MAX_INDEX)) return there as Fields
  const made = (isIndex ? [] : {}) as Fields
  // What was a list goes on as an object of the same indices.
  if (arrayIsArray(there)) for (let i = 0; i < there.length; i++) if (objectHasOwn(there, i)) addOwn(made, `${i}`, there[i])
  addOwn(outer, name, made)
  return made
}

function add(fields: Fields, name: string, value: string, isList: boolean): void {
  const there = own(fields, name)
  if (there === undefined) addOwn(fields, name, isList ? [value] : value)
  else if (arrayIsArray(there)) addOwn(there as unknown as Fields, there.length, value)
  else addOwn(fields, name, [there, value])
}

function own(fields: Fields, name: string): unknown {
  return objectHasOwn(fields, name) ? objectGetOwnPropertyDescriptor(fields, name)!.value : undefined
}
