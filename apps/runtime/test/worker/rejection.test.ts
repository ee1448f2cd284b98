import { expect, test } from 'vitest'
import { rejectedIn } from '../../src/worker/rejection.ts'

const versions = new Map([['f', 3], ['lib/rooms.v2', 1]])

test.each([
  ['the first function on the way', 'Error: no\n    at lib/rooms.v2.js:1:2\n    at main (f.js:3:4)', { function: 'lib/rooms.v2', version: 1 }],
  ['behind frames of the platform', 'Error: no\n    at a (socklet:guest:1:2)\n    at async Room.say (f.js:3:4)', { function: 'f', version: 3 }],
  ['none that the app has not', 'Error: no\n    at main (other.js:3:4)', undefined],
  ['none of what is no stack', 'at f.js:1:2', undefined],
  ['none without a stack', 'a value that is no Error', undefined]
])('%s', (_, stack, found) => {
  expect(rejectedIn(stack, versions)).toEqual(found)
})
