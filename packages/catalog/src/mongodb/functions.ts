import type { ClientSession } from 'mongodb'
import type { Catalog, FunctionInfo, FunctionVersion, PublishRequest, PublishResult } from '../catalog.ts'
import { nameAfter, page, versionBelow } from '../cursor.ts'
import { functionNotFound, versionNotFound } from '../errors.ts'
import { infoOf, planForgetting, planPublish, type PublishPlan } from '../publish-plan.ts'
import { requireApp, touchApp } from './apps.ts'
import { removeVersions, sourceDocs, withSources } from './sources.ts'
import { NO_ID, type FunctionDoc, type Store, type VersionDoc } from './store.ts'

function toInfo({ name, version, hash, methods, description, changelog, publishedAt }: VersionDoc | FunctionDoc): FunctionInfo {
  return { name, version, hash, methods, description, changelog, publishedAt }
}

/** The running versions of all functions of the app, in the order of name. */
export async function liveFunctions(store: Store, session: ClientSession, appid: string): Promise<FunctionVersion[]> {
  const docs = await store.functions.find({ appid: { $eq: appid }, live: true }, { session, ...NO_ID }).sort({ name: 1 }).toArray()
  return withSources(store, session, appid, docs.map(toInfo))
}

/** @throws CatalogError `app_not_found`, `function_not_found` */
async function requireFunction(store: Store, session: ClientSession, appid: string, name: string): Promise<FunctionInfo> {
  await requireApp(store, session, appid)
  const doc = await store.functions.findOne({ appid: { $eq: appid }, name: { $eq: name }, live: true }, { session, ...NO_ID })
  if (doc === null) throw functionNotFound(name)
  return toInfo(doc)
}

async function publish(store: Store, session: ClientSession, appid: string, request: PublishRequest): Promise<PublishResult> {
  const now = Date.now()
  const { revision } = await touchApp(store, session, appid, now)
  const known = await store.functions.find({ appid: { $eq: appid } }, { session, ...NO_ID }).toArray()
  const plan = planPublish(known, request, now)
  await carryOut(store, session, appid, plan)
  await forgetOldest(store, session, appid)
  return { revision, published: plan.put.map(({ version, created }) => ({ info: infoOf(version), created })), removed: plan.remove }
}

async function carryOut(store: Store, session: ClientSession, appid: string, plan: PublishPlan): Promise<void> {
  if (plan.remove.length > 0) {
    await store.functions.updateMany({ appid: { $eq: appid }, name: { $in: plan.remove } }, { $set: { live: false } }, { session })
  }
  if (plan.put.length === 0) return
  const versions = plan.put.map(({ version }) => version)
  // A function that stands in the request twice gets two versions; the later one runs.
  const running = new Map(versions.map((version) => [version.name, infoOf(version)]))
  await store.functions.deleteMany({ appid: { $eq: appid }, name: { $in: [...running.keys()] } }, { session })
  await store.functions.insertMany([...running.values()].map((info) => ({ ...info, appid, live: true })), { session })
  await store.versions.insertMany(versions.map((version) => ({ ...infoOf(version), appid, bytes: Buffer.byteLength(version.code) + Buffer.byteLength(version.compiled) })), { session })
  for (const version of versions) {
    const parts = sourceDocs(appid, version)
    if (parts.length > 0) await store.sources.insertMany(parts, { session })
  }
}

/** Removes the oldest of what is too much. A removed function of which nothing is left begins anew. */
async function forgetOldest(store: Store, session: ClientSession, appid: string): Promise<void> {
  const live = await store.functions.find({ appid: { $eq: appid }, live: true }, { session, projection: { _id: 0, name: 1, version: 1 } }).toArray()
  const running = new Map(live.map(({ name, version }) => [name, version]))
  const projection = { _id: 0, name: 1, version: 1, bytes: 1 }
  const all = await store.versions.find({ appid: { $eq: appid } }, { session, projection }).sort({ publishedAt: -1, version: -1 }).toArray()
  const past = all.filter(({ name, version }) => running.get(name) !== version).map(({ name, version, bytes = 0 }) => ({ name, version, bytes }))
  const { versions, names } = planForgetting(past)
  await removeVersions(store, session, appid, versions)
  if (names.length > 0) await store.functions.deleteMany({ appid: { $eq: appid }, live: false, name: { $in: names } }, { session })
}

export function mongoFunctions(
  store: Store
): Pick<Catalog, 'publish' | 'listFunctions' | 'getFunction' | 'listVersions' | 'getVersion'> {
  return {
    publish: (appid, request) => store.transaction((session) => publish(store, session, appid, request)),

    listFunctions: (appid, query) =>
      store.transaction(async (session) => {
        await requireApp(store, session, appid)
        const after = nameAfter('functions', query.cursor)
        const docs = await store.functions
          .find({ appid: { $eq: appid }, live: true, name: { $gt: after } }, { session, ...NO_ID })
          .sort({ name: 1 })
          .limit(query.limit + 1)
          .toArray()
        return page('functions', docs.map(toInfo), query, (info) => info.name)
      }),

    getFunction: (appid, name) =>
      store.transaction(async (session) => {
        const info = await requireFunction(store, session, appid, name)
        const [version] = await withSources(store, session, appid, [info])
        return version!
      }),

    listVersions: (appid, name, query) =>
      store.transaction(async (session) => {
        await requireFunction(store, session, appid, name)
        const docs = await store.versions
          .find({ appid: { $eq: appid }, name: { $eq: name }, version: { $lt: versionBelow(query.cursor) } }, { session, ...NO_ID })
          .sort({ version: -1 })
          .limit(query.limit + 1)
          .toArray()
        return page('versions', docs.map(toInfo), query, (info) => info.version)
      }),

    getVersion: (appid, name, number) =>
      store.transaction(async (session) => {
        await requireFunction(store, session, appid, name)
        const which = { appid: { $eq: appid }, name: { $eq: name }, version: { $eq: number } }
        const doc = await store.versions.findOne(which, { session, ...NO_ID })
        if (doc === null) throw versionNotFound(name, number)
        const [version] = await withSources(store, session, appid, [toInfo(doc)])
        return version!
      })
  }
}
