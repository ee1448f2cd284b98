import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { LIMITS } from './limits.ts'
import { OPTIONS } from './options.ts'

const DOCS = new URL('../../../docs/', import.meta.url)

/** The pages that are made from the lists of options and limits, by file name. `npm run docs` writes them, a test compares. */
export function docsPages(): Record<string, string> {
  return { 'options.md': optionsPage(), 'limits.md': limitsPage() }
}

function optionsPage(): string {
  const rows = Object.entries(OPTIONS).map(([name, option]) => {
    const flag = option.type === 'flag' ? `--${name}, --no-${name}` : `--${name}`
    return `| \`${flag}\` | \`${option.env}\` | ${option.default === null ? '' : `\`${option.default}\``} | ${option.doc} |`
  })
  return page('Options of the platform', 'Given to `npm start -- …`, or in the environment; the command line wins.', ['option', 'environment', 'default', 'meaning'], rows)
}

function limitsPage(): string {
  const rows = Object.entries(LIMITS).map(([name, limit]) => `| \`${name}\` | ${grouped(limit.default)} | ${grouped(limit.min)} | ${grouped(limit.max)} | ${limit.doc} |`)
  const intro = 'Set for an app with `PATCH /v1/apps/:appid` `{ "limits": { NAME: VALUE } }`; `null` goes back to the default.'
  return page('Limits of an app', intro, ['limit', 'default', 'least', 'most', 'meaning'], rows)
}

function page(title: string, intro: string, columns: string[], rows: string[]): string {
  return [`# ${title}`, '', intro, '', `| ${columns.join(' | ')} |`, `|${'---|'.repeat(columns.length)}`, ...rows, ''].join('\n')
}

function grouped(value: number): string {
  return value.toLocaleString('en-US')
}

if (import.meta.main) for (const [name, text] of Object.entries(docsPages())) writeFileSync(fileURLToPath(new URL(name, DOCS)), text)
