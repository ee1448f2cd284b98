import { afterAll, beforeAll, expect, test } from 'vitest'
import { UserFault } from '../src/errors.ts'
import { Compiler } from '../src/publish/compiler.ts'

/*
 * Attacks on the compiler: sources that overflow esbuild's stack, its memory or our patience. Each has to be
 * refused, while others compile as if nothing were.
 */
const SLOW = `x = ${'!'.repeat(500_000)}1`

const ATTACKS: Record<string, string> = {
  'nested arrays': `x = ${'['.repeat(100_000)}${']'.repeat(100_000)}`,
  // A chain of enum members, each twice the one before: esbuild folds them into one string.
  'a string that doubles': `enum E { a0 = "xxxxxxxxxx", ${Array.from({ length: 40 }, (_, i) => `a${i + 1} = a${i} + a${i}`).join()} }`,
  // 40 kB of constant put in 12,000 times.
  'a constant that is put in again and again': `const enum E { a = "${'x'.repeat(40_000)}" }\n${'f(E.a);'.repeat(12_000)}`
}

let compiler: Compiler
beforeAll(() => {
  compiler = new Compiler()
})
afterAll(async () => await compiler.stop())

test.each(Object.entries(ATTACKS))('%s: refused, and another source beside it compiles', async (_, source) => {
  const attack = compiler.compile('attack', source).catch((error: unknown) => error)
  const beside = Promise.all(Array.from({ length: 5 }, async (_unused, index) => await compiler.compile('f', `export default ${index}`)))
  const outcome = await attack
  expect(outcome).toBeInstanceOf(UserFault)
  expect((outcome as UserFault).code).toBe('too_complex')
  expect((await beside).map(({ code }) => code.includes('_default = '))).toEqual([true, true, true, true, true])
})

test('what takes too long is ended, and others go on', async () => {
  // Far less than this source needs on any machine.
  const hasty = new Compiler({ timeoutMs: 50 })
  await expect(hasty.compile('attack', SLOW)).rejects.toMatchObject({ code: 'compile_timeout', message: expect.stringContaining('attack') })
  expect((await compiler.compile('f', 'export default 1')).imports).toEqual([])
})

test.each([
  ['a NUL', '\0'],
  ['a control character', 'x = \u0007'],
  ['an unclosed comment', '/*'.repeat(50_000)],
  ['an unclosed string', `"${'x'.repeat(500_000)}`]
])('%s is an ordinary error', async (_, source) => {
  await expect(compiler.compile('f', source)).rejects.toMatchObject({ code: 'compile_error', details: [{ line: 1 }] })
})

test('a large source compiles', async () => {
  delete process.env['SOCKLET_ESBUILD_KIB']
  // The next child has the usual limit.
  await compiler.stop()
  compiler = new Compiler()
  const { code } = await compiler.compile('f', `export const text = "${'é'.repeat(4 * 1024 * 1024)}"`)
  expect(code.length).toBeGreaterThan(4_000_000)
})

test('imports are told as they are written, without types, unused and late ones', async () => {
  const { imports } = await compiler.compile('f', "import a from '@/a'\nimport type { B } from './b'\nexport * from '../c'\nimport unused from './d'\nexport default () => [a, import('./e'), require('./f')]")
  expect(imports.toSorted()).toEqual(['../c', '@/a'])
})

test('stopping fails what is under way, and nothing starts after it', async () => {
  const stopping = new Compiler()
  await stopping.warmUp()
  const under = stopping.compile('f', SLOW).catch((error: unknown) => error)
  await stopping.stop()
  expect(await under).toMatchObject({ code: 'unavailable' })
  await expect(stopping.compile('f', '1')).rejects.toMatchObject({ code: 'unavailable' })
})
