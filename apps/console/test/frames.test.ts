import { expect, test } from 'vitest'
import { mayHaveStack, placesIn, replacePlaces, withoutGuest } from '../src/stacks/frames.ts'

const later = (text: string): string => replacePlaces(text, ({ function: name, line, column }) => (name === 'unknown' ? undefined : { line: line + 100, column: column + 1 }))

const CASES: [what: string, text: string, result: string][] = [
  ['a caller with a name', 'Error: no\n    at main (f.js:2:3)', 'Error: no\n    at main (f.ts:102:4)'],
  ['a caller without a name', 'Error: no\n    at f.js:2:3', 'Error: no\n    at f.ts:102:4'],
  ['async, new, methods, aliases', 'Error\n    at async Room.say [as talk] (lib/room-s.v1.js:10:20)\n    at new A (a.js:1:1)', 'Error\n    at async Room.say [as talk] (lib/room-s.v1.ts:110:21)\n    at new A (a.ts:101:2)'],
  ['an error with properties', '{ error: Error: no\n      at main (f.js:2:3) {\n    code: 1 } }', '{ error: Error: no\n      at main (f.ts:102:4) {\n    code: 1 } }'],
  ['a place that is not known', 'Error\n    at main (unknown.js:2:3)\n    at f.js:1:1', 'Error\n    at main (unknown.js:2:3)\n    at f.ts:101:2'],
  ['what only looks like it', 'see at f.js:2:3, or (f.js:2:3)\n at f.js:2:3 too', 'see at f.js:2:3, or (f.js:2:3)\n at f.js:2:3 too'],
  ['no stack', 'hello', 'hello']
]

test.each(CASES)('%s', (_, text, result) => {
  expect(later(text)).toBe(result)
})

test('the places of all stacks in a text are found', () => {
  expect(placesIn('Error\n    at main (f.js:2:3)\n  [cause]: Error\n      at lib/x.js:40:50 {\n')).toEqual([
    { function: 'f', line: 2, column: 3 },
    { function: 'lib/x', line: 40, column: 50 }
  ])
})

test('frames of the platform are left out, and nothing else', () => {
  const text = 'Error: no\n    at main (f.js:2:3)\n    at #r (socklet:guest:33:1)\n    at socklet:guest:3:4 {\n  code: 1\n}\nsocklet:guest:1:2 is not one'
  expect(withoutGuest(text)).toBe('Error: no\n    at main (f.js:2:3) {\n  code: 1\n}\nsocklet:guest:1:2 is not one')
  expect([mayHaveStack(text), mayHaveStack('at f.js:1:1'), mayHaveStack('hello')]).toEqual([true, true, false])
})

// Lines of a log are a tenant's, and may have a megabyte.
test.each([
  ['brackets', `    at ${'('.repeat(1_000_000)}`],
  ['names', `    at (${'a/'.repeat(500_000)}.js:`],
  ['beginnings', '    at ('.repeat(125_000)],
  ['frames without an end', '    at main (f.js:1:'.repeat(50_000)],
  ['lines of spaces', `${' '.repeat(1_000)}\n`.repeat(1_000)],
  ['frames of the platform without an end', `\n at ${'socklet:guest:1:'.repeat(60_000)}`]
])('a megabyte of %s is read in no time', (_, text) => {
  expect(later(`${text}.js:`)).toBe(`${text}.js:`)
  expect(withoutGuest(`${text} socklet:guest`)).toBe(`${text} socklet:guest`)
}, 2_000)
