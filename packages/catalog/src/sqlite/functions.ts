import type { Catalog, FunctionInfo, FunctionVersion } from '../catalog.ts'
import { nameAfter, page, versionBelow } from '../cursor.ts'
import { functionNotFound, versionNotFound } from '../errors.ts'
import { infoOf, planForgetting, planPublish, type PastVersion } from '../publish-plan.ts'
import { requireApp, touchApp } from './apps.ts'
import type { Database } from './database.ts'

interface InfoRow {
  name: string
  version: number
  hash: string
  methods: string
  description: string
  changelog: string
  published_at: number
}

interface VersionRow extends InfoRow {
  code: string
  compiled: string
}

const INFO = 'v.name, v.version, v.hash, v.methods, v.description, v.changelog, v.published_at'
const INSERT_VERSION =
  'INSERT INTO versions (appid, name, version, hash, methods, description, changelog, published_at, code, compiled) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
const UPSERT_FUNCTION =
  'INSERT INTO functions (appid, name, version, live) VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET version = excluded.version, live = 1'
/** Of sources, octet_length() reads no more than how long they are. */
const PAST = `
  SELECT v.name, v.version, octet_length(v.code) + octet_length(v.compiled) AS bytes
  FROM versions v LEFT JOIN functions f ON f.live = 1 AND f.appid = v.appid AND f.name = v.name AND f.version = v.version
  WHERE v.appid = ? AND f.name IS NULL ORDER BY v.published_at DESC, v.version DESC`
/** The functions of an app with their running versions. */
const LIVE = 'FROM functions f JOIN versions v USING (appid, name, version) WHERE f.live = 1 AND f.appid = ?'

function toInfo(row: InfoRow): FunctionInfo {
  return {
    name: row.name,
    version: row.version,
    hash: row.hash,
    methods: JSON.parse(row.methods) as string[],
    description: row.description,
    changelog: row.changelog,
    publishedAt: row.published_at
  }
}

function toVersion(row: VersionRow): FunctionVersion {
  return { ...toInfo(row), code: row.code, compiled: row.compiled }
}

/** Within a transaction: the running versions of all functions of the app, in the order of name. */
export function liveFunctions(db: Database, appid: string): FunctionVersion[] {
  return db.all<VersionRow>(`SELECT ${INFO}, v.code, v.compiled ${LIVE} ORDER BY f.name`, appid).map(toVersion)
}

/** @throws CatalogError `app_not_found`, `function_not_found` */
function requireFunction(db: Database, appid: string, name: string): void {
  requireApp(db, appid)
  const row = db.get('SELECT 1 FROM functions WHERE appid = ? AND name = ? AND live = 1', appid, name)
  if (row === undefined) throw functionNotFound(name)
}

function insertVersion(db: Database, appid: string, version: FunctionVersion): void {
  const { name, version: number, hash, methods, description, changelog, publishedAt, code, compiled } = version
  db.run(INSERT_VERSION, appid, name, number, hash, JSON.stringify(methods), description, changelog, publishedAt, code, compiled)
  db.run(UPSERT_FUNCTION, appid, name, number)
}

/** Within a transaction: removes the oldest of what is too much. A removed function of which nothing is left begins anew. */
function forgetOldest(db: Database, appid: string): void {
  const { versions, names } = planForgetting(db.all<PastVersion>(PAST, appid))
  for (const { name, version } of versions) db.run('DELETE FROM versions WHERE appid = ? AND name = ? AND version = ?', appid, name, version)
  for (const name of names) db.run('DELETE FROM functions WHERE appid = ? AND name = ? AND live = 0', appid, name)
}

export function sqliteFunctions(
  db: Database
): Pick<Catalog, 'publish' | 'listFunctions' | 'getFunction' | 'listVersions' | 'getVersion'> {
  return {
    publish: async (appid, request) =>
      db.write(() => {
        const now = Date.now()
        const revision = touchApp(db, appid, now)
        const rows = db.all<{ name: string; version: number; live: number }>('SELECT name, version, live FROM functions WHERE appid = ?', appid)
        const plan = planPublish(rows.map((row) => ({ ...row, live: row.live === 1 })), request, now)
        for (const name of plan.remove) db.run('UPDATE functions SET live = 0 WHERE appid = ? AND name = ?', appid, name)
        for (const { version } of plan.put) insertVersion(db, appid, version)
        forgetOldest(db, appid)
        return { revision, published: plan.put.map(({ version, created }) => ({ info: infoOf(version), created })), removed: plan.remove }
      }),

    listFunctions: async (appid, query) =>
      db.read(() => {
        requireApp(db, appid)
        const after = nameAfter('functions', query.cursor)
        const rows = db.all<InfoRow>(`SELECT ${INFO} ${LIVE} AND f.name > ? ORDER BY f.name LIMIT ?`, appid, after, query.limit + 1)
        return page('functions', rows.map(toInfo), query, (info) => info.name)
      }),

    getFunction: async (appid, name) =>
      db.read(() => {
        requireApp(db, appid)
        const row = db.get<VersionRow>(`SELECT ${INFO}, v.code, v.compiled ${LIVE} AND f.name = ?`, appid, name)
        if (row === undefined) throw functionNotFound(name)
        return toVersion(row)
      }),

    listVersions: async (appid, name, query) =>
      db.read(() => {
        requireFunction(db, appid, name)
        const sql = `SELECT ${INFO} FROM versions v WHERE appid = ? AND name = ? AND version < ? ORDER BY version DESC LIMIT ?`
        const rows = db.all<InfoRow>(sql, appid, name, versionBelow(query.cursor), query.limit + 1)
        return page('versions', rows.map(toInfo), query, (info) => info.version)
      }),

    getVersion: async (appid, name, version) =>
      db.read(() => {
        requireFunction(db, appid, name)
        const sql = `SELECT ${INFO}, v.code, v.compiled FROM versions v WHERE appid = ? AND name = ? AND version = ?`
        const row = db.get<VersionRow>(sql, appid, name, version)
        if (row === undefined) throw versionNotFound(name, version)
        return toVersion(row)
      })
  }
}
