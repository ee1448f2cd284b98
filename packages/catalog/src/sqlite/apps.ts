import type { App, Catalog, DeletedApp, Revision } from '../catalog.ts'
import { nameAfter, page } from '../cursor.ts'
import { appExists, appNotFound } from '../errors.ts'
import { newInstance } from '../instance.ts'
import { mergeLimits } from '../limits.ts'
import { newSecret } from '../secret.ts'
import type { Database } from './database.ts'

interface AppRow {
  appid: string
  instance: string
  name: string
  state: App['state']
  limits: string
  revision: number
  created_at: number
  updated_at: number
}

function toApp(row: AppRow): App {
  return {
    appid: row.appid,
    instance: row.instance,
    name: row.name,
    state: row.state,
    limits: JSON.parse(row.limits) as App['limits'],
    revision: row.revision,
    createdAt: row.created_at,
    updatedAt: row.updated_at
  }
}

/** Within a transaction: the app, or null. */
export function findApp(db: Database, appid: string): App | null {
  const row = db.get<AppRow>('SELECT * FROM apps WHERE appid = ?', appid)
  return row === undefined ? null : toApp(row)
}

/** Within a transaction. @throws CatalogError `app_not_found` */
export function requireApp(db: Database, appid: string): App {
  const app = findApp(db, appid)
  if (app === null) throw appNotFound(appid)
  return app
}

/** Within a transaction: counts a change of the app. @throws CatalogError `app_not_found` */
export function touchApp(db: Database, appid: string, now: number): number {
  const row = db.get<{ revision: number }>('UPDATE apps SET revision = revision + 1, updated_at = ? WHERE appid = ? RETURNING revision', now, appid)
  if (row === undefined) throw appNotFound(appid)
  return row.revision
}

export function sqliteApps(db: Database): Pick<Catalog, 'createApp' | 'getApp' | 'listApps' | 'listRevisions' | 'updateApp' | 'deleteApp' | 'listDeleted' | 'forgetDeleted'> {
  return {
    createApp: async ({ appid, name }) =>
      db.write(() => {
        const now = Date.now()
        const columns = 'appid, instance, secret, name, state, limits, revision, created_at, updated_at'
        const insert = `INSERT INTO apps (${columns}) VALUES (?, ?, ?, ?, 'running', '{}', 1, ?, ?) ON CONFLICT DO NOTHING`
        if (db.run(insert, appid, newInstance(), newSecret(), name, now, now) === 0) throw appExists(appid)
        return requireApp(db, appid)
      }),

    getApp: async (appid) => db.read(() => findApp(db, appid)),

    listApps: async (query) =>
      db.read(() => {
        const after = nameAfter('apps', query.cursor)
        const rows = db.all<AppRow>('SELECT * FROM apps WHERE appid > ? ORDER BY appid LIMIT ?', after, query.limit + 1)
        return page('apps', rows.map(toApp), query, (app) => app.appid)
      }),

    listRevisions: async () => db.read(() => db.all<Revision>('SELECT appid, instance, revision FROM apps').map((row) => ({ ...row }))),

    updateApp: async (appid, patch) =>
      db.write(() => {
        const { name, state, limits } = requireApp(db, appid)
        const merged = JSON.stringify(mergeLimits(limits, patch.limits))
        db.run('UPDATE apps SET name = ?, state = ?, limits = ? WHERE appid = ?', patch.name ?? name, patch.state ?? state, merged, appid)
        touchApp(db, appid, Date.now())
        return requireApp(db, appid)
      }),

    deleteApp: async (appid) =>
      db.write(() => {
        const { instance } = requireApp(db, appid)
        db.run('DELETE FROM apps WHERE appid = ?', appid)
        db.run('INSERT INTO deleted_apps VALUES (?, ?)', appid, instance)
      }),

    listDeleted: async () => db.read(() => db.all<DeletedApp>('SELECT appid, instance FROM deleted_apps').map((row) => ({ ...row }))),

    forgetDeleted: async ({ appid, instance }) =>
      db.write(() => {
        db.run('DELETE FROM deleted_apps WHERE appid = ? AND instance = ?', appid, instance)
      })
  }
}
