import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { docsPages } from '../src/docs.ts'

it.each(Object.entries(docsPages()))('docs/%s says what the code does (npm run docs writes it)', (name, text) => {
  expect(readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')).toBe(text)
})
