import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OPTIONS } from '@socklet/config'
import { startPlatform, type Platform } from './support/platform.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const MAIN = fileURLToPath(new URL('../packages/cli/src/main.ts', import.meta.url))
const run = promisify(execFile)

let platform: Platform
let readme: string
beforeAll(async () => {
  platform = await startPlatform()
  readme = await readFile(`${ROOT}/README.md`, 'utf8')
})
afterAll(() => platform.close())

/** The shell blocks of a section, for this platform, and with less patience than a reader has. */
function blocksOf(section: string): string[] {
  const text = readme.split(/^## /m).find((part) => part.startsWith(section))!
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) =>
    block!
      .replaceAll('.socklet/', `${platform.data}/`)
      .replaceAll('http://127.0.0.1:8081', platform.console)
      .replaceAll('127.0.0.1:8080', `127.0.0.1:${platform.gatewayPort}`)
      .replaceAll('10000', '1500')
  )
}

describe('the README', () => {
  it('has a walkthrough that can be pasted as it stands', async () => {
    const script = blocksOf('Walkthrough').join('\n')
    expect(script).toContain('users.set(id, ctx.socket)')
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: ROOT, timeout: 50_000 })
    expect(stdout).toContain('"name":"__websocket__","version":1')
    for (const line of [/connected, your id is \w+$/m, /^you said: hi$/m, /^pushed$/m, /^\{ sent: true \}$/m]) expect(stdout).toMatch(line)
    expect(stdout).toContain('"message":"received: hi"')
  })

  it('names only files that are there', async () => {
    const paths = [...readme.matchAll(/`((?:apps|packages|test)[\w./-]*)`/g)].map(([, path]) => path!)
    expect(paths.length).toBeGreaterThan(10)
    for (const path of paths) await expect(run('test', ['-e', path], { cwd: ROOT }), path).resolves.toBeDefined()
  })

  it('promises a help that has every option', async () => {
    const { stdout } = await run(process.execPath, [MAIN, 'start', '--help'])
    for (const [name, { env }] of Object.entries(OPTIONS)) expect(stdout).toMatch(new RegExp(`${name}\\b[\\s\\S]*${env}`))
  })
})
