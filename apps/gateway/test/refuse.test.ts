import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { REFUSALS } from '../src/refuse.ts'

test('the page about clients has every refusal as it is', () => {
  const page = readFileSync(new URL('../../../docs/clients.md', import.meta.url), 'utf8')
  const rows = Object.entries(REFUSALS).map(([code, [status, text]]) => `| ${status} | \`${code}\` | ${text.replace('__websocket__', '`__websocket__`')} |`)
  expect(page.split('\n').filter((line) => /^\| \d+ \| `/.test(line))).toEqual(rows)
})
