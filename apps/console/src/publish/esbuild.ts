import { accessSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { log } from '../log.ts'

export type Esbuild = typeof import('esbuild')

/** esbuild, with its child process limited. */
export async function loadEsbuild(): Promise<Esbuild> {
  limitChild()
  return await import('esbuild')
}

/**
 * esbuild reads the path of its binary from the environment once, when it is loaded. There we put a
 * script that sets the limits, and then becomes the binary.
 */
function limitChild(): void {
  if (process.env['ESBUILD_BINARY_PATH'] !== undefined) return
  const script = fileURLToPath(new URL('esbuild-limited.sh', import.meta.url))
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('esbuild'))
    process.env['SOCKLET_ESBUILD'] = require.resolve(`@esbuild/${process.platform}-${process.arch}/bin/esbuild`)
    accessSync(script, constants.X_OK)
    process.env['ESBUILD_BINARY_PATH'] = script
  } catch (error) {
    log('the compiler runs without a memory limit', error)
  }
}
