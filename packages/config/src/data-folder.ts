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
  mkdirSync(DATA.run, { recursive: true, mode: 0o700 })
  chmodSync(DATA.run, 0o700)
}
