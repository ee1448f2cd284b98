import type { ModuleSource } from '@socklet/protocol'
import { build, type BuildOptions, type Plugin } from 'esbuild'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** Minified: every isolate holds the source and the names, a quarter of a megabyte more of them if they were longer. */
const COMMON = {
  bundle: true,
  write: false,
  platform: 'browser',
  target: 'es2024',
  minify: true,
  legalComments: 'none',
  define: { 'process.env.NODE_ENV': '"production"' },
  logLevel: 'silent'
} as const satisfies BuildOptions

const GUEST = fileURLToPath(new URL('../guest/main.ts', import.meta.url))
const STREAM = createRequire(import.meta.url).resolve('readable-stream/lib/stream.js')

/** The guest with all that it imports, as one script for a bare V8 isolate. */
export async function bundleGuest(): Promise<string> {
  const { outputFiles } = await build({ ...COMMON, entryPoints: [GUEST], format: 'iife', mainFields: ['main', 'module'] })
  return outputFiles[0]!.text
}

/** What the bundles below ask their isolate for, by the name it has there. */
const FROM_GUEST: Record<string, string> = { 'buffer': 'buffer', 'events': 'events', 'process/': 'process', 'string_decoder/': 'string_decoder', 'abort-controller': 'abort-controller' }

/**
 * Modules that only the apps get which name them: to have them in the snapshot would cost every isolate their size.
 * `stream` is Node's own, as the package `readable-stream`.
 */
export async function bundleModules(): Promise<ModuleSource[]> {
  const fromGuest: Plugin = {
    name: 'from-guest',
    setup: ({ onResolve }) => onResolve({ filter: /^(?:buffer|events|process\/|string_decoder\/|abort-controller)$/ }, ({ path }) => ({ path: FROM_GUEST[path]!, external: true }))
  }
  const { outputFiles } = await build({ ...COMMON, entryPoints: [STREAM], format: 'cjs', plugins: [fromGuest] })
  return [{ name: 'stream', code: outputFiles[0]!.text }]
}
