import { newSecret } from '../secret.ts'
import type { Database } from './database.ts'

/** Gives an app from before there were secrets its own. In a transaction of its own, which nearly always only reads. */
export function ensureSecret(db: Database, appid: string): void {
  if (db.read(() => secretOf(db, appid)) !== '') return
  // Another process may have been faster.
  db.write(() => db.run(`UPDATE apps SET secret = ? WHERE appid = ? AND secret = ''`, newSecret(), appid))
}

/** Within a transaction. undefined if there is no such app. */
export function secretOf(db: Database, appid: string): string | undefined {
  return db.get<{ secret: string }>('SELECT secret FROM apps WHERE appid = ?', appid)?.secret
}
