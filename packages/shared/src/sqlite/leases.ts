import { SharedError } from '../store.ts'
import type { StoreDatabase } from './database.ts'

const NEXT_NUMBER = 'UPDATE numbers SET last = last + 1 RETURNING last'
const FIND = 'SELECT app, lease FROM apps WHERE appid = ?'
const PUT = 'INSERT INTO apps VALUES (?, ?, ?) ON CONFLICT (appid) DO UPDATE SET lease = excluded.lease'

/** Within a transaction: the app's number, or null. */
export function findApp(db: StoreDatabase, appid: string): number | null {
  return db.get<[app: number, lease: number]>(FIND, appid)?.[0] ?? null
}

/** Within a transaction: a new lease for the app, which is made if need be. */
export function takeLease(db: StoreDatabase, appid: string): { app: number; lease: number } {
  const app = findApp(db, appid) ?? nextNumber(db)
  const lease = nextNumber(db)
  db.run(PUT, appid, app, lease)
  return { app, lease }
}

/** Within a transaction. @returns the app's number @throws SharedError `stale_lease` */
export function checkLease(db: StoreDatabase, appid: string, lease: number): number {
  const found = db.get<[app: number, lease: number]>(FIND, appid)
  // Asked of the file each time: another process may have opened the app.
  if (found === undefined || found[1] !== lease) throw staleLease(appid, lease)
  return found[0]
}

export function staleLease(appid: string, lease: number): SharedError {
  return new SharedError('stale_lease', `lease ${lease} of ${JSON.stringify(appid)} is void`)
}

const nextNumber = (db: StoreDatabase): number => db.get<[number]>(NEXT_NUMBER)![0]
