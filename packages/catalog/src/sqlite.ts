import type { Catalog } from './catalog.ts'
import { findApp, sqliteApps } from './sqlite/apps.ts'
import { openDatabase, type Database } from './sqlite/database.ts'
import { envValues, sqliteEnv } from './sqlite/env.ts'
import { liveFunctions, sqliteFunctions } from './sqlite/functions.ts'
import { ensureSecret, secretOf } from './sqlite/secrets.ts'
import { sqliteTokens } from './sqlite/tokens.ts'

/**
 * The catalog in a SQLite file, which is made if need be. Several processes may have it open.
 * @throws Error if the file cannot be opened, or was written by a later version.
 */
export async function openSqliteCatalog(path: string): Promise<Catalog> {
  const db = await openDatabase(path)
  return {
    ...sqliteApps(db),
    ...sqliteFunctions(db),
    ...sqliteEnv(db),
    ...sqliteTokens(db),
    ...sqlitePlatform(db)
  }
}

function sqlitePlatform(db: Database): Pick<Catalog, 'release' | 'getSetting' | 'setSetting' | 'close'> {
  return {
    release: async (appid) => {
      ensureSecret(db, appid)
      return db.read(() => {
        const app = findApp(db, appid)
        return app === null ? null : { app, functions: liveFunctions(db, appid), env: envValues(db, appid), secret: secretOf(db, appid)! }
      })
    },

    getSetting: async (key) => db.read(() => db.get<{ value: string }>('SELECT value FROM settings WHERE key = ?', key)?.value ?? null),

    setSetting: async (key, value) =>
      db.write(() => {
        db.run('INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value', key, value)
      }),

    close: async () => db.close()
  }
}
