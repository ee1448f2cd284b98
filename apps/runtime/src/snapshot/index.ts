import type { ModuleSource } from '@socklet/protocol'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const MAX_BYTES = 64 * 1024 * 1024
const TIMEOUT_MS = 60_000

export interface Guest {
  /** The V8 snapshot that isolates start from. */
  snapshot: Buffer
  /** Modules for the apps that name them. */
  modules: ModuleSource[]
  /** The program of the processes that have isolates. */
  worker: string
}

/** What isolates are made of, made anew from our code. @throws Error with what the maker said. */
export function makeGuest(): Promise<Guest> {
  const script = fileURLToPath(new URL('main.ts', import.meta.url))
  return new Promise((resolve, reject) => {
    const options = { encoding: 'buffer', maxBuffer: MAX_BYTES, timeout: TIMEOUT_MS } as const
    execFile(process.execPath, ['--no-node-snapshot', script], options, (error, stdout, stderr) => {
      if (error === null) resolve(read(stdout))
      else reject(new Error(`the snapshot of the guest could not be made: ${stderr.toString('utf8').trim() || error.message}`))
    })
  })
}

/** A line of JSON, then the snapshot. */
function read(output: Buffer): Guest {
  const lineEnd = output.indexOf('\n')
  const sources = JSON.parse(output.toString('utf8', 0, lineEnd)) as Omit<Guest, 'snapshot'>
  return { ...sources, snapshot: output.subarray(lineEnd + 1) }
}
