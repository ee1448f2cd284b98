import type { ClientSession } from 'mongodb'
import type { Catalog } from '../catalog.ts'
import { envNotFound } from '../errors.ts'
import { requireApp, touchApp } from './apps.ts'
import { NO_ID, type EnvDoc, type Store } from './store.ts'

async function readEnv(store: Store, session: ClientSession, appid: string): Promise<EnvDoc[]> {
  return store.env.find({ appid: { $eq: appid } }, { session, ...NO_ID }).sort({ name: 1 }).toArray()
}

/** The environment of the app's functions. */
export async function envValues(store: Store, session: ClientSession, appid: string): Promise<Record<string, string>> {
  const docs = await readEnv(store, session, appid)
  return Object.fromEntries(docs.map(({ name, value }) => [name, value]))
}

export function mongoEnv(store: Store): Pick<Catalog, 'listEnv' | 'setEnv' | 'deleteEnv'> {
  return {
    listEnv: (appid) =>
      store.transaction(async (session) => {
        await requireApp(store, session, appid)
        const docs = await readEnv(store, session, appid)
        return docs.map(({ name, updatedAt }) => ({ name, updatedAt }))
      }),

    setEnv: (appid, values, options = {}) =>
      store.transaction(async (session) => {
        const updatedAt = Date.now()
        await touchApp(store, session, appid, updatedAt)
        const ofApp = { appid: { $eq: appid } }
        const gone = options.replace === true ? ofApp : { ...ofApp, name: { $in: Object.keys(values) } }
        await store.env.deleteMany(gone, { session })
        const docs = Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [{ appid, name, value, updatedAt }]))
        if (docs.length > 0) await store.env.insertMany(docs, { session })
      }),

    deleteEnv: (appid, name) =>
      store.transaction(async (session) => {
        await touchApp(store, session, appid, Date.now())
        const { deletedCount } = await store.env.deleteOne({ appid: { $eq: appid }, name: { $eq: name } }, { session })
        if (deletedCount === 0) throw envNotFound(name)
      })
  }
}
