import { chmodSync, mkdirSync } from 'node:fs'
import { resolve } from 'node:path'

/** Where things are inside the data folder. Relative: every process of the platform works inside it. */
export const DATA = {
  /** Unix sockets of the running platform; 0700, so nobody else's process can speak to ours. */
  run: 'run',
  poolSocket: 'run/pool.sock',
  gatewaySocket: (index: number) => `run/gateway-${index}.sock`,
  catalog: 'catalog.db',
  logs: 'logs.db',
  /** What apps keep in cloud.shared. */
  shared: 'shared.db',
  adminToken: 'admin-token',
  /** What Node has made of our programs: processes that start again need not have their TypeScript stripped, for which each takes 25 MiB. */
  compiled: 'compiled',
  /** Held by the supervisor while the platform runs, so that no second one works in the same folder. */
  lock: 'lock.db'
} as const

/**
 * Makes the data folder if need be and changes into it. Paths of Unix sockets may have 107 bytes only
 * (unix(7)); relative ones never come near that, wherever the folder is.
 */
export function enterDataFolder(folder: string): void {
  const path = resolve(folder)
  mkdirSync(path, { recursive: true, mode: 0o700 })
  process.chdir(path)
  // Who could write to them could speak for our processes, or choose what they run.
  for (const own of [DATA.run, DATA.compiled]) {
    mkdirSync(own, { recursive: true, mode: 0o700 })
    chmodSync(own, 0o700)
  }
}
