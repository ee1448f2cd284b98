import type { Catalog, Token, TokenScope } from '../catalog.ts'
import { tokenNotFound } from '../errors.ts'
import { requireApp } from './apps.ts'
import type { Database } from './database.ts'

interface TokenRow {
  id: string
  appid: string
  name: string
  scopes: string
  created_at: number
  expires_at: number | null
}

const INSERT = 'INSERT INTO tokens (id, appid, name, scopes, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)'
const TOKEN = 'SELECT id, appid, name, scopes, created_at, expires_at FROM tokens'

function toToken(row: TokenRow): Token {
  return {
    id: row.id,
    appid: row.appid,
    name: row.name,
    scopes: JSON.parse(row.scopes) as TokenScope[],
    createdAt: row.created_at,
    expiresAt: row.expires_at
  }
}

export function sqliteTokens(db: Database): Pick<Catalog, 'createToken' | 'listTokens' | 'deleteToken' | 'findToken'> {
  return {
    createToken: async ({ id, appid, name, scopes, expiresAt, hash }) =>
      db.write(() => {
        requireApp(db, appid)
        const createdAt = Date.now()
        db.run(INSERT, id, appid, name, JSON.stringify(scopes), hash, createdAt, expiresAt)
        return { id, appid, name, scopes: [...scopes], createdAt, expiresAt }
      }),

    listTokens: async (appid) =>
      db.read(() => {
        requireApp(db, appid)
        return db.all<TokenRow>(`${TOKEN} WHERE appid = ? ORDER BY created_at, id`, appid).map(toToken)
      }),

    deleteToken: async (appid, id) =>
      db.write(() => {
        requireApp(db, appid)
        if (db.run('DELETE FROM tokens WHERE appid = ? AND id = ?', appid, id) === 0) throw tokenNotFound(id)
      }),

    findToken: async (hash) =>
      db.read(() => {
        const row = db.get<TokenRow>(`${TOKEN} WHERE hash = ?`, hash)
        return row === undefined ? null : toToken(row)
      })
  }
}
