import type { Catalog } from '../catalog.ts'
import { envNotFound } from '../errors.ts'
import { requireApp, touchApp } from './apps.ts'
import type { Database } from './database.ts'

const DELETE = 'DELETE FROM env WHERE appid = ? AND name = ?'
const UPSERT =
  'INSERT INTO env (appid, name, value, updated_at) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at'

/** Within a transaction: the environment of the app's functions. */
export function envValues(db: Database, appid: string): Record<string, string> {
  const rows = db.all<{ name: string; value: string }>('SELECT name, value FROM env WHERE appid = ? ORDER BY name', appid)
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]))
}

export function sqliteEnv(db: Database): Pick<Catalog, 'listEnv' | 'setEnv' | 'deleteEnv'> {
  return {
    listEnv: async (appid) =>
      db.read(() => {
        requireApp(db, appid)
        const rows = db.all<{ name: string; updated_at: number }>('SELECT name, updated_at FROM env WHERE appid = ? ORDER BY name', appid)
        return rows.map((row) => ({ name: row.name, updatedAt: row.updated_at }))
      }),

    setEnv: async (appid, values, options = {}) =>
      db.write(() => {
        const now = Date.now()
        touchApp(db, appid, now)
        if (options.replace === true) db.run('DELETE FROM env WHERE appid = ?', appid)
        for (const [name, value] of Object.entries(values)) {
          if (value === null) db.run(DELETE, appid, name)
          else db.run(UPSERT, appid, name, value, now)
        }
      }),

    deleteEnv: async (appid, name) =>
      db.write(() => {
        touchApp(db, appid, Date.now())
        if (db.run(DELETE, appid, name) === 0) throw envNotFound(name)
      })
  }
}
