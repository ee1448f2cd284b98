import { writeFileSync } from 'node:fs'
import { LAYERS, attacksOf } from './attack.ts'
import { elsewhere } from './elsewhere.ts'

const GROUPS = ['reach', 'overwrite', 'stuck', 'memory', 'gateway', 'console', 'outgoing']
const PAGE = new URL('../../docs/attacks.md', import.meta.url)

interface Row {
  name: string
  layer: keyof typeof LAYERS
  holds: string
  where: string[]
  variants: string
  open: Record<string, string>
}

/** The page of the catalogue. `node test/attacks/page.ts` writes it, a test compares. */
export async function attacksPage(): Promise<string> {
  const own = (await Promise.all(GROUPS.map((group) => attacksOf<{ name: string; layer: keyof typeof LAYERS; holds: string; variants: object; open?: Record<string, string> }>(group)))).flat()
  const rows: Row[] = [
    ...own.map(([file, { variants, open = {}, ...rest }]) => ({ ...rest, open, where: [file], variants: String(Object.keys(variants).length) })),
    ...elsewhere.map(({ tests, ...rest }) => ({ ...rest, open: {}, where: tests, variants: '' }))
  ]
  const known = rows.flatMap(({ name, open }) => Object.entries(open).map(([variant, reason]) => `- ${name}: ${variant}. ${reason}.`))
  return [
    '# Attacks that are tried',
    '',
    'Made from `test/attacks/` by `node test/attacks/page.ts`. Each attack is run by the tests against the platform, beside an app that must not notice.',
    '',
    ...Object.entries(LAYERS).flatMap(([layer, what]) => section(layer, what, rows)),
    ...(known.length > 0 ? ['## Not held yet', '', ...known, ''] : [])
  ].join('\n')
}

function section(layer: string, what: string, rows: Row[]): string[] {
  const here = rows.filter((row) => row.layer === layer)
  if (here.length === 0) return []
  const lines = here.map(({ name, holds, variants, where }) => `| ${name} | ${holds} | ${variants} | ${where.map((file) => `[${file.split('/').at(-1)}](../${file})`).join(', ')} |`)
  return [`## ${layer[0]!.toUpperCase()}${layer.slice(1)}`, '', `Stopped by ${what}.`, '', '| attack | what holds | variants | where |', '|---|---|---|---|', ...lines, '']
}

if (import.meta.main) writeFileSync(PAGE, await attacksPage())
