import { build } from 'esbuild'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Platform } from '../support/platform.ts'

const SAMPLES = fileURLToPath(new URL('../../packages/cloud/samples', import.meta.url))

/** What the platform has, and a bundle leaves to it. */
const EXTERNAL = ['@socklet/cloud', 'ws', 'buffer', 'events', 'stream']

/** Makes an app of the same name of a sample, from its sources as they are. */
export async function publishSample(platform: Platform, name: string): Promise<void> {
  const files = await readdir(join(SAMPLES, name))
  const sources = files.map(async (file) => [basename(file, '.ts'), await readFile(join(SAMPLES, name, file), 'utf8')])
  await platform.app(name, Object.fromEntries(await Promise.all(sources)))
}

/** Makes an app of a sample that imports npm packages, bundled with them as its comment says. */
export async function publishBundled(platform: Platform, name: string): Promise<void> {
  const code = await bundle(name)
  await platform.app(name, { __websocket__: code })
}

export async function bundle(name: string): Promise<string> {
  const entry = join(SAMPLES, name, '__websocket__.ts')
  const result = await build({ entryPoints: [entry], bundle: true, format: 'esm', platform: 'browser', external: EXTERNAL, write: false })
  return result.outputFiles[0]!.text
}
