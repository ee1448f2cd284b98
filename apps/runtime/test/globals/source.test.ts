import { expect, it } from 'vitest'
import { bundleGuest } from '../../src/snapshot/chunks.ts'

// Every isolate held its source with two bytes for each character, a quarter of a megabyte more: V8 does so for the whole of a
// script as soon as one character is not Latin-1, and esbuild leaves characters of regular expressions as they are.
it.each(['script', 'chunks'] as const)('the source of the guest is ASCII: %s', async (part) => {
  const source = (await bundleGuest())[part]
  // oxlint-disable-next-line no-control-regex
  const at = source.search(/[^\0-\x7f]/)
  expect(at < 0 ? '' : source.slice(Math.max(0, at - 40), at + 20)).toBe('')
})
