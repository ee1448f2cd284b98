import type { Catalog } from './catalog.ts'
import { findApp, mongoApps } from './mongodb/apps.ts'
import { envValues, mongoEnv } from './mongodb/env.ts'
import { liveFunctions, mongoFunctions } from './mongodb/functions.ts'
import { secretOf } from './mongodb/secrets.ts'
import { openStore, type Store } from './mongodb/store.ts'
import { mongoTokens } from './mongodb/tokens.ts'

/**
 * The catalog in MongoDB: in the database that the URL names, else in `socklet`.
 * @throws Error if no server answers within about 5 s, or it is not of a replica set.
 */
export async function openMongoCatalog(url: string): Promise<Catalog> {
  const store = await openStore(url)
  return {
    ...mongoApps(store),
    ...mongoFunctions(store),
    ...mongoEnv(store),
    ...mongoTokens(store),
    ...mongoPlatform(store)
  }
}

function mongoPlatform(store: Store): Pick<Catalog, 'release' | 'getSetting' | 'setSetting' | 'close'> {
  return {
    release: (appid) =>
      store.transaction(async (session) => {
        const app = await findApp(store, session, appid)
        if (app === null) return null
        const functions = await liveFunctions(store, session, appid)
        return { app, functions, env: await envValues(store, session, appid), secret: await secretOf(store, session, appid) }
      }),

    async getSetting(key) {
      const doc = await store.settings.findOne({ key: { $eq: key } })
      return doc?.value ?? null
    },

    async setSetting(key, value) {
      await store.settings.replaceOne({ key: { $eq: key } }, { key, value }, { upsert: true })
    },

    close: () => store.close()
  }
}
