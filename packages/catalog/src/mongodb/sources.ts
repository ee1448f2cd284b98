import type { ClientSession } from 'mongodb'
import type { FunctionInfo, FunctionVersion } from '../catalog.ts'
import { NO_ID, type SourceDoc, type Store } from './store.ts'

/** Bytes of one document, well below MongoDB's 16 MiB. */
const PART_BYTES = 8 * 1024 * 1024
/** Versions whose sources are read in one query. */
const VERSIONS_A_QUERY = 100

function partsOf(appid: string, version: FunctionVersion, kind: SourceDoc['kind']): SourceDoc[] {
  const bytes = Buffer.from(version[kind])
  const count = Math.ceil(bytes.byteLength / PART_BYTES)
  return Array.from({ length: count }, (_, part) => ({
    appid,
    name: version.name,
    version: version.version,
    kind,
    part,
    bytes: bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES)
  }))
}

export function sourceDocs(appid: string, version: FunctionVersion): SourceDoc[] {
  return [...partsOf(appid, version, 'code'), ...partsOf(appid, version, 'compiled')]
}

/** The versions with their code, in the order they are given. */
export async function withSources(store: Store, session: ClientSession, appid: string, infos: FunctionInfo[]): Promise<FunctionVersion[]> {
  const versions: FunctionVersion[] = []
  for (let start = 0; start < infos.length; start += VERSIONS_A_QUERY) {
    const some = infos.slice(start, start + VERSIONS_A_QUERY)
    const parts = await readParts(store, session, appid, some)
    versions.push(...some.map((info) => ({ ...info, code: textOf(parts, info, 'code'), compiled: textOf(parts, info, 'compiled') })))
  }
  return versions
}

/** Removes the sources of these versions, and what is known of them. */
export async function removeVersions(store: Store, session: ClientSession, appid: string, versions: Pick<FunctionInfo, 'name' | 'version'>[]): Promise<void> {
  for (let start = 0; start < versions.length; start += VERSIONS_A_QUERY) {
    const which = { appid: { $eq: appid }, $or: anyOf(versions.slice(start, start + VERSIONS_A_QUERY)) }
    await store.sources.deleteMany(which, { session })
    await store.versions.deleteMany(which, { session })
  }
}

async function readParts(store: Store, session: ClientSession, appid: string, infos: FunctionInfo[]): Promise<Map<string, SourceDoc[]>> {
  const docs = await store.sources.find({ appid: { $eq: appid }, $or: anyOf(infos) }, { session, ...NO_ID }).toArray()
  return Map.groupBy(docs, (doc) => sourceKey(doc, doc.kind))
}

function anyOf(versions: Pick<FunctionInfo, 'name' | 'version'>[]): { name: { $eq: string }; version: { $eq: number } }[] {
  return versions.map(({ name, version }) => ({ name: { $eq: name }, version: { $eq: version } }))
}

function textOf(parts: Map<string, SourceDoc[]>, info: FunctionInfo, kind: SourceDoc['kind']): string {
  const docs = parts.get(sourceKey(info, kind)) ?? []
  return Buffer.concat(docs.toSorted((a, b) => a.part - b.part).map((doc) => doc.bytes)).toString()
}

function sourceKey({ name, version }: { name: string; version: number }, kind: SourceDoc['kind']): string {
  return JSON.stringify([name, version, kind])
}
