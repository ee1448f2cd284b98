import { MongoServerError, type ClientSession, type WithId } from 'mongodb'
import type { LimitName } from '@socklet/config'
import type { App, Catalog } from '../catalog.ts'
import { nameAfter, page } from '../cursor.ts'
import { appExists, appNotFound } from '../errors.ts'
import { newInstance } from '../instance.ts'
import { mergeLimits } from '../limits.ts'
import { newSecret } from '../secret.ts'
import { NO_ID, type AppDoc, type Store } from './store.ts'

const DUPLICATE_KEY = 11_000

function toApp({ appid, instance = '', name, state, limits, revision, createdAt, updatedAt }: AppDoc): App {
  const own = Object.fromEntries(limits.map((limit) => [limit.name, limit.value]))
  return { appid, instance, name, state, limits: own, revision, createdAt, updatedAt }
}

export async function findApp(store: Store, session: ClientSession, appid: string): Promise<App | null> {
  const doc = await store.apps.findOne({ appid: { $eq: appid } }, { session, ...NO_ID })
  return doc === null ? null : toApp(doc)
}

/** @throws CatalogError `app_not_found` */
export async function requireApp(store: Store, session: ClientSession, appid: string): Promise<App> {
  const app = await findApp(store, session, appid)
  if (app === null) throw appNotFound(appid)
  return app
}

/**
 * Counts a change of the app. MUST be the first step of each transaction that changes something of it:
 * writing its document makes two of them collide, and the driver runs the later one again.
 * @throws CatalogError `app_not_found`
 */
export async function touchApp(store: Store, session: ClientSession, appid: string, now: number): Promise<App> {
  const change = { $inc: { revision: 1 }, $set: { updatedAt: now } }
  const doc = await store.apps.findOneAndUpdate({ appid: { $eq: appid } }, change, { session, returnDocument: 'after' })
  if (doc === null) throw appNotFound(appid)
  return toApp(doc)
}

export function mongoApps(store: Store): Pick<Catalog, 'createApp' | 'getApp' | 'listApps' | 'listRevisions' | 'updateApp' | 'deleteApp' | 'listDeleted' | 'forgetDeleted'> {
  return {
    async createApp({ appid, name }) {
      const now = Date.now()
      const doc: AppDoc = { appid, instance: newInstance(), secret: newSecret(), name, state: 'running', limits: [], revision: 1, tokensMade: 0, createdAt: now, updatedAt: now }
      try {
        await store.apps.insertOne({ ...doc })
      } catch (error) {
        if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) throw appExists(appid)
        throw error
      }
      return toApp(doc)
    },

    async getApp(appid) {
      const doc = await store.apps.findOne({ appid: { $eq: appid } })
      return doc === null ? null : toApp(doc)
    },

    async listApps(query) {
      const after = nameAfter('apps', query.cursor)
      const docs: WithId<AppDoc>[] = await store.apps
        .find({ appid: { $gt: after } })
        .sort({ appid: 1 })
        .limit(query.limit + 1)
        .toArray()
      return page('apps', docs.map(toApp), query, (app) => app.appid)
    },

    // In a transaction, for its majority: who has lost its place as primary would answer with what was.
    listRevisions: () =>
      store.transaction(async (session) => {
        const docs = await store.apps.find({}, { session, projection: { _id: 0, appid: 1, instance: 1, revision: 1 } }).toArray()
        return docs.map(({ appid, instance = '', revision }) => ({ appid, instance, revision }))
      }),

    updateApp: (appid, patch) =>
      store.transaction(async (session) => {
        const app = await touchApp(store, session, appid, Date.now())
        const changed = { ...app, name: patch.name ?? app.name, state: patch.state ?? app.state, limits: mergeLimits(app.limits, patch.limits) }
        const limits = Object.entries(changed.limits).map(([name, value]) => ({ name: name as LimitName, value }))
        await store.apps.updateOne({ appid: { $eq: appid } }, { $set: { name: changed.name, state: changed.state, limits } }, { session })
        return changed
      }),

    deleteApp: (appid) =>
      store.transaction(async (session) => {
        const ofApp = { appid: { $eq: appid } }
        const doc = await store.apps.findOneAndDelete(ofApp, { session })
        if (doc === null) throw appNotFound(appid)
        await store.deletedApps.insertOne({ appid, instance: doc.instance ?? '' }, { session })
        await store.functions.deleteMany(ofApp, { session })
        await store.versions.deleteMany(ofApp, { session })
        await store.sources.deleteMany(ofApp, { session })
        await store.env.deleteMany(ofApp, { session })
        await store.tokens.deleteMany(ofApp, { session })
      }),

    listDeleted: async () => {
      const docs = await store.deletedApps.find({}, NO_ID).toArray()
      return docs.map(({ appid, instance }) => ({ appid, instance }))
    },

    forgetDeleted: async ({ appid, instance }) => {
      await store.deletedApps.deleteOne({ appid: { $eq: appid }, instance: { $eq: instance } })
    }
  }
}
