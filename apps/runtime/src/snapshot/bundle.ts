import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'

const GUEST = fileURLToPath(new URL('../guest/main.ts', import.meta.url))

/** The guest with all that it imports, as one script for a bare V8 isolate. */
export async function bundleGuest(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [GUEST],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    mainFields: ['main', 'module'],
    target: 'es2024',
    minifySyntax: true,
    minifyWhitespace: true,
    // Every isolate holds the guest's source and names: shorter ones save a quarter of a megabyte each.
    minifyIdentifiers: true,
    legalComments: 'none',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent'
  })
  return outputFiles[0]!.text
}
