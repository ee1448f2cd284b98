import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const MAX_BYTES = 64 * 1024 * 1024
const TIMEOUT_MS = 60_000

/** The V8 snapshot that isolates start from, made anew from our code. @throws Error with what the maker said. */
export function makeSnapshot(): Promise<Buffer> {
  const script = fileURLToPath(new URL('main.ts', import.meta.url))
  return new Promise((resolve, reject) => {
    const options = { encoding: 'buffer', maxBuffer: MAX_BYTES, timeout: TIMEOUT_MS } as const
    execFile(process.execPath, ['--no-node-snapshot', script], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`the snapshot of the guest could not be made: ${stderr.toString('utf8').trim() || error.message}`))
    })
  })
}
