import type { SharedStore } from '../store.ts'
import { openStoreDatabase } from './database.ts'
import { listKeys, readValue, removeKey } from './inspect.ts'
import { findApp, takeLease } from './leases.ts'
import { copyApp, readApp } from './open.ts'
import { Writes } from './writes.ts'

const REMOVE = ['DELETE FROM entries WHERE app = ?', 'DELETE FROM nodes WHERE app = ?', 'DELETE FROM apps WHERE app = ?']

/**
 * The shared store in a file of SQLite. Its calls do their work at once, in this thread; only writes wait, for the end of the tick. What is
 * committed survives the death of every process; a power cut may take the last moments (see database.ts).
 *
 * Read only, it needs the file to exist, and all but `keys` and `value` are refused with `failed`.
 * @throws Error that says what is wrong with the file
 */
export function openSharedStore(path: string, options: { readOnly?: boolean } = {}): SharedStore {
  const db = openStoreDatabase(path, options.readOnly ?? false)
  const writes = new Writes(db)

  /** In the order of the calls: what was called before is written before. */
  const change = <T>(work: () => T): T => {
    writes.flush()
    return db.write(work)
  }
  const inspect = <T>(appid: string, none: T, work: (app: number) => T): T => {
    writes.flush()
    return db.read(() => {
      const app = findApp(db, appid)
      return app === null ? none : work(app)
    })
  }

  return {
    open: async (appid) => {
      const opened = change(() => {
        const { app, lease } = takeLease(db, appid)
        return { lease, records: readApp(db, app) }
      })
      writes.opened(appid, opened.lease)
      return opened
    },

    copy: async (appid) => inspect(appid, [], (app) => copyApp(db, app)),

    write: (appid, lease, records, quota) => writes.add(appid, lease, records, quota.bytes),

    remove: async (appid) => {
      change(() => {
        const app = findApp(db, appid)
        if (app !== null) for (const sql of REMOVE) db.run(sql, app)
      })
      writes.removed(appid)
    },

    keys: async (appid, query) => inspect(appid, { items: [] }, (app) => listKeys(db, app, query)),

    value: async (appid, key, { maxBytes }) => inspect(appid, null, (app) => readValue(db, app, key, maxBytes)),

    deleteKey: async (appid, key) => {
      const deleted = change(() => {
        const app = findApp(db, appid)
        return app !== null && removeKey(db, app, key)
      })
      if (deleted) writes.changed(appid)
      return deleted
    },

    close: async () => {
      writes.flush()
      db.close()
    }
  }
}
