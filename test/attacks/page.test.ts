import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { elsewhere } from './elsewhere.ts'
import { attacksPage } from './page.ts'

const ROOT = new URL('../../', import.meta.url)

it('docs/attacks.md says what the catalogue says', async () => {
  expect(readFileSync(new URL('docs/attacks.md', ROOT), 'utf8')).toBe(await attacksPage())
})

it('tests that stand elsewhere are there', () => {
  for (const file of elsewhere.flatMap(({ tests }) => tests)) expect(existsSync(new URL(file, ROOT)), file).toBe(true)
})
