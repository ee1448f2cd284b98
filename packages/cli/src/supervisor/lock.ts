import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { DATA } from '@socklet/config'

const SQLITE_BUSY = 5

/** Another platform works in the data folder. */
export class LockedError extends Error {
  override readonly name = 'LockedError'
}

/** Keeps a lock from being collected as garbage, which would open it. */
const held: DatabaseSync[] = []

/**
 * Locks the data folder, in which the process has to be, until the process ends. `folder` is for the message.
 * The system opens the lock however the process dies, so there is never a stale one; what Node has of such
 * locks is SQLite's.
 * @throws LockedError if another process holds it.
 */
export function lockDataFolder(folder: string): void {
  closeSync(openSync(DATA.lock, 'a', 0o600))
  const db = new DatabaseSync(DATA.lock)
  try {
    // Nothing is ever written, so there is no need for a journal beside it.
    db.exec('PRAGMA journal_mode = MEMORY')
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error
    throw new LockedError(`another Socklet runs with the data folder ${folder}: stop it, or give this one another with --data`, { cause: error })
  }
  held.push(db)
}
