import { describe, expect, it } from 'vitest'
import { parseForm } from '../../src/guest/form.ts'

/** Query strings and forms as `qs` reads them, with its bounds replaced by none but the size of what came in. */
const CASES: [text: string, fields: unknown][] = [
  ['', {}],
  ['&&', {}],
  ['a', { a: '' }],
  ['a=', { a: '' }],
  ['=b', { '': 'b' }],
  ['=', { '': '' }],
  ['a=1&b=2', { a: '1', b: '2' }],
  ['a=b=c', { a: 'b=c' }],
  ['a=1+2', { a: '1 2' }],
  ['a+b=1', { 'a b': '1' }],
  ['%C3%A9=%20%2B', { é: ' +' }],
  // Lists.
  ['a=1&a=2', { a: ['1', '2'] }],
  ['a=1&a=2&a=3', { a: ['1', '2', '3'] }],
  ['a[]=1', { a: ['1'] }],
  ['a[]=1&a[]=2', { a: ['1', '2'] }],
  ['a[0]=x&a[1]=y', { a: ['x', 'y'] }],
  ['a=1&a[]=2', { a: ['1', '2'] }],
  // Nested, with the brackets encoded or not.
  ['a[b]=1', { a: { b: '1' } }],
  ['a[b]=1&a[c]=2', { a: { b: '1', c: '2' } }],
  ['a[b][c]=1&a[b][d]=2', { a: { b: { c: '1', d: '2' } } }],
  ['a[b]=1&a[b]=2', { a: { b: ['1', '2'] } }],
  ['a%5Bb%5D=1', { a: { b: '1' } }],
  ['a%5bb%5d%5B%5D=1', { a: { b: ['1'] } }],
  ['a[1.5]=x', { a: { '1.5': 'x' } }],
  // Encoded as it should not be: it stands for itself.
  ['a=%zz', { a: '%zz' }],
  ['a=%', { a: '%' }],
  ['%E0%A4=1', { '%E0%A4': '1' }],
  ['a=%C3%A9&b=%C3', { a: 'é', b: '%C3' }],
  // Names that mean something to objects.
  ['__proto__=1&a=2', { a: '2' }],
  ['__proto__[polluted]=1', { polluted: '1' }],
  ['a[__proto__][polluted]=1', { a: { polluted: '1' } }],
  ['constructor[prototype][polluted]=1', { polluted: '1' }],
  ['hasOwnProperty=1', { hasOwnProperty: '1' }],
  ['toString[a]=1', { toString: { a: '1' } }]
]

describe('parseForm', () => {
  it.each(CASES)('reads %j', (text, fields) => {
    expect(parseForm(text)).toEqual(fields)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(Object.prototype.hasOwnProperty.call(Object.prototype, 'a')).toBe(false)
  })

  it('gives objects and lists of their own, with the methods that functions call', () => {
    const fields = parseForm('a=1&b[c]=2&d[]=3&__proto__=x&b[__proto__]=y&constructor=z')
    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype)
    expect(Object.getPrototypeOf(fields['b'])).toBe(Object.prototype)
    expect(Array.isArray(fields['d'])).toBe(true)
    expect(fields['constructor']).toBe('z')
    expect(Object.prototype.hasOwnProperty.call(fields, '__proto__')).toBe(false)
    expect(Object.keys(fields['b'] as object)).toEqual(['c'])
  })

  it('reads 10,000 fields, of as many names or of one', () => {
    const different = parseForm(Array.from({ length: 10_000 }, (_, index) => `n${index}=${index}`).join('&'))
    expect(Object.keys(different)).toHaveLength(10_000)
    expect(different['n9999']).toBe('9999')
    for (const name of ['a', 'a[]']) expect(parseForm(Array.from({ length: 10_000 }, () => `${name}=1`).join('&'))['a']).toHaveLength(10_000)
  })

  it('reads names of 1,000 levels without recursion', () => {
    let inner: unknown = parseForm(`a${'[b]'.repeat(1_000)}=deep`)['a']
    for (let level = 0; level < 1_000; level++) inner = (inner as Record<string, unknown>)['b']
    expect(inner).toBe('deep')
    expect(() => parseForm(`a${'[b]'.repeat(100_000)}=deep`)).not.toThrow()
    expect(() => parseForm(`${'['.repeat(10_000)}=1&${']'.repeat(10_000)}=2`)).not.toThrow()
  })

  // `?a[99999999]=x` made a list that nobody could write as JSON, or go through.
  it.each([
    ['a[99999999]=x', { '99999999': 'x' }],
    ['a[0]=x&a[99999999]=y&a[1]=z', { '0': 'x', '99999999': 'y', '1': 'z' }],
    ['a[]=x&a[4294967296]=y', { '0': 'x', '4294967296': 'y' }],
    ['a[-1]=x', []],
    ['a[1e9]=x', { '1e9': 'x' }],
    ['a[Infinity]=x', { Infinity: 'x' }]
  ])('makes no list longer than a hundred by an index: %j', (text, expected) => {
    const { a } = parseForm(text)
    expect(JSON.stringify(a)).toBe(JSON.stringify(expected))
    if (Array.isArray(a)) expect(a.length).toBeLessThanOrEqual(101)
  })

  it('keeps lists of a hundred and one by their indices', () => {
    const { a } = parseForm(Array.from({ length: 101 }, (_, index) => `a[${index}]=${index}`).join('&'))
    expect(a).toEqual(Array.from({ length: 101 }, (_, index) => `${index}`))
  })
})
