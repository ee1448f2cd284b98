import { MongoClient, type ClientSession, type Collection, type MongoClientOptions, type TransactionOptions } from 'mongodb'
import type { App, DeletedApp, FunctionInfo, Token } from '../catalog.ts'
import type { LimitName } from '@socklet/config'

const CONNECT_MS = 5_000

/*
 * No name of a tenant is ever a field name, and every name in a filter stands behind $eq, $in or $gt:
 * so none can be taken for an operator or a path.
 */

export interface AppDoc extends Omit<App, 'instance' | 'limits'> {
  /** Absent in apps from before there were instances. */
  instance?: string
  /** Absent in apps from before there were secrets, until it is asked for. */
  secret?: string
  limits: { name: LimitName; value: number }[]
  /** Grows with each token. Written so that making a token collides with deleting the app. */
  tokensMade: number
}

/** The running version of a function. A removed one stays with live: false as long as any of its versions is kept, because its version numbers go on. */
export interface FunctionDoc extends FunctionInfo {
  appid: string
  live: boolean
}

export interface VersionDoc extends FunctionInfo {
  appid: string
  /** Of its source and of what was compiled of it. Absent in versions from before they were counted. */
  bytes?: number
}

/** Code and what was compiled from it, in parts: a document may have 16 MiB only. */
export interface SourceDoc {
  appid: string
  name: string
  version: number
  kind: 'code' | 'compiled'
  part: number
  /** UTF-8. */
  bytes: Buffer
}

export interface EnvDoc {
  appid: string
  name: string
  value: string
  updatedAt: number
}

export interface TokenDoc extends Token {
  hash: string
}

export interface SettingDoc {
  key: string
  value: string
}

/** The collections, and transactions over them. What runs in one MUST pass its session on, and may run more than once. */
export interface Store {
  apps: Collection<AppDoc>
  deletedApps: Collection<DeletedApp>
  functions: Collection<FunctionDoc>
  versions: Collection<VersionDoc>
  sources: Collection<SourceDoc>
  env: Collection<EnvDoc>
  tokens: Collection<TokenDoc>
  settings: Collection<SettingDoc>
  transaction<T>(work: (session: ClientSession) => Promise<T>): Promise<T>
  close(): Promise<void>
}

const CLIENT: MongoClientOptions = {
  appName: 'socklet',
  serverSelectionTimeoutMS: CONNECT_MS,
  connectTimeoutMS: CONNECT_MS,
  // The console writes and then tells the pool to read: it has to find what was written.
  readPreference: 'primary',
  ignoreUndefined: true,
  promoteBuffers: true
}

// A snapshot, so that all that is read is of one moment; a majority, so that what was answered survives a failover.
const TRANSACTION: TransactionOptions = { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' }, readPreference: 'primary' }

/** Values are shown as they come from the collection, without MongoDB's own id. */
export const NO_ID = { projection: { _id: 0 } } as const

/** @throws Error that names the servers, not the password, if none answers within about 5 s or they know no transactions. */
export async function openStore(url: string): Promise<Store> {
  const client = makeClient(url)
  try {
    await client.connect()
    await requireTransactions(client)
    return await collections(client, databaseName(url))
  } catch (error) {
    await client.close()
    const hosts = client.options.srvHost ?? client.options.hosts.join(', ')
    throw new Error(`cannot use MongoDB at ${hosts} for the catalog: ${(error as Error).message}`, { cause: error })
  }
}

function makeClient(url: string): MongoClient {
  try {
    return new MongoClient(url, CLIENT)
  } catch (error) {
    throw new Error(`cannot use MongoDB for the catalog: SOCKLET_MONGODB_URL: ${(error as Error).message}`, { cause: error })
  }
}

/** The driver would take `test` where the URL has no name. */
function databaseName(url: string): string {
  const name = /^[^/]*\/\/[^/]*\/([^?]+)/.exec(url)?.[1]
  return name === undefined ? 'socklet' : decodeURIComponent(name)
}

async function requireTransactions(client: MongoClient): Promise<void> {
  const hello = await client.db('admin').command({ hello: 1 })
  if (hello['setName'] === undefined && hello['msg'] !== 'isdbgrid') {
    throw new Error('the server is no member of a replica set, and only those know transactions; start mongod with --replSet and call rs.initiate() once')
  }
}

async function collections(client: MongoClient, name: string): Promise<Store> {
  const db = client.db(name, { writeConcern: { w: 'majority' } })
  const store: Store = {
    apps: db.collection('apps'),
    deletedApps: db.collection('deletedApps'),
    functions: db.collection('functions'),
    versions: db.collection('versions'),
    sources: db.collection('sources'),
    env: db.collection('env'),
    tokens: db.collection('tokens'),
    settings: db.collection('settings'),
    transaction: (work) => client.withSession((session) => session.withTransaction(() => work(session), TRANSACTION)),
    close: () => client.close()
  }
  await createIndexes(store)
  return store
}

/** Makes the collections, too: within a transaction that could collide. */
async function createIndexes(store: Store): Promise<void> {
  const unique = { unique: true }
  await store.apps.createIndex({ appid: 1 }, unique)
  await store.deletedApps.createIndex({ appid: 1, instance: 1 }, unique)
  await store.functions.createIndex({ appid: 1, name: 1 }, unique)
  await store.versions.createIndex({ appid: 1, name: 1, version: 1 }, unique)
  await store.sources.createIndex({ appid: 1, name: 1, version: 1, kind: 1, part: 1 }, unique)
  await store.env.createIndex({ appid: 1, name: 1 }, unique)
  await store.tokens.createIndex({ id: 1 }, unique)
  await store.tokens.createIndex({ hash: 1 }, unique)
  await store.tokens.createIndex({ appid: 1, createdAt: 1, id: 1 })
  await store.settings.createIndex({ key: 1 }, unique)
}
