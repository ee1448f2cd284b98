import type { ModuleSource } from '@socklet/protocol'
import { build, type BuildOptions, type Plugin } from 'esbuild'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Minified: every isolate holds the source and the names, a quarter of a megabyte more of them if they were longer. */
export const COMMON = {
  bundle: true,
  write: false,
  platform: 'browser',
  target: 'es2024',
  minify: true,
  legalComments: 'none',
  define: { 'process.env.NODE_ENV': '"production"' },
  logLevel: 'silent'
} as const satisfies BuildOptions

const LOCK = fileURLToPath(new URL('../worker/lock.ts', import.meta.url))
const require = createRequire(import.meta.url)
const STREAM = require.resolve('readable-stream/lib/stream.js')
const ISOLATED_VM = require.resolve('isolated-vm')
const WORKER = fileURLToPath(new URL('../worker/main.ts', import.meta.url))

/**
 * The program of a worker, as one module of JavaScript: it has no file that it could be read from, and Node needs not prepare for
 * TypeScript, which takes each process 60 ms and 25 MiB. `entry` is another program in its place.
 */
export async function bundleWorker(entry: string = WORKER): Promise<string> {
  const isolatedVm = `import { createRequire } from 'node:module'\nexport default createRequire('/')(${JSON.stringify(ISOLATED_VM)})`
  const addon: Plugin = {
    name: 'addon',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^isolated-vm$/ }, ({ path }) => ({ path, namespace: 'addon' }))
      onLoad({ filter: /.*/, namespace: 'addon' }, () => ({ contents: isolatedVm }))
    }
  }
  const { outputFiles } = await build({
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'es2024',
    logLevel: 'silent',
    stdin: { contents: `import ${JSON.stringify(LOCK)}\nimport ${JSON.stringify(entry)}`, resolveDir: dirname(WORKER) },
    plugins: [addon]
  })
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
