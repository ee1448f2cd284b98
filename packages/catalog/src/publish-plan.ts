import { CatalogError, type FunctionInfo, type FunctionVersion, type NewVersion, type PublishRequest } from './catalog.ts'

/** What is known of a function before a publish. A removed one is not live, but its numbers go on as long as any of its versions is kept. */
export interface KnownFunction {
  name: string
  version: number
  live: boolean
}

export interface PlannedVersion {
  version: FunctionVersion
  /** There was no such function, or it had been removed. */
  created: boolean
}

export interface PublishPlan {
  put: PlannedVersion[]
  remove: string[]
}

/**
 * What a publish has to do, the same for every store.
 * @throws CatalogError `too_many_functions`
 */
export function planPublish(known: KnownFunction[], request: PublishRequest, now: number): PublishPlan {
  const before = new Map(known.map((each) => [each.name, each]))
  const kept = new Set(request.put.map((each) => each.name))
  const unwanted = request.prune === true ? before.keys() : request.remove
  const remove = [...new Set(unwanted)].filter((name) => !kept.has(name) && before.get(name)?.live === true)
  const put = number(before, request.put, now)
  const live = known.filter((each) => each.live).length
  const created = put.filter((each) => each.created).length
  const after = live - remove.length + created
  // An app that is over a limit that was lowered can still be repaired and made smaller.
  if (after > request.maxFunctions && after > live) {
    throw new CatalogError('too_many_functions', `the app would have ${after} functions, and may have ${request.maxFunctions}`)
  }
  return { put, remove }
}

function number(before: Map<string, KnownFunction>, put: NewVersion[], now: number): PlannedVersion[] {
  const current = new Map(before)
  return put.map(({ name, code, compiled, hash, methods, description, changelog }) => {
    const previous = current.get(name)
    const version = (previous?.version ?? 0) + 1
    current.set(name, { name, version, live: true })
    return {
      version: { name, version, hash, methods, description, changelog, publishedAt: now, code, compiled },
      created: previous?.live !== true
    }
  })
}

/**
 * Of an app, the versions that do not run are kept up to so many bytes together, sources and what was compiled of them. With each publish comes
 * one more, and a disk that is full is full for all apps.
 */
export const HISTORY_BYTES = 64 * 1024 * 1024
/** A version counts for so much at least: all of them are looked at with each publish. */
const LEAST_VERSION_BYTES = 16 * 1024

/** A version that does not run. */
export interface PastVersion {
  name: string
  version: number
  /** Of its source and of what was compiled of it. */
  bytes: number
}

/** What is too much of an app's past versions, given newest first, and the names of which none is left. */
export function planForgetting(past: PastVersion[]): { versions: PastVersion[]; names: string[] } {
  let sum = 0
  const kept = past.findIndex(({ bytes }) => (sum += Math.max(bytes, LEAST_VERSION_BYTES)) > HISTORY_BYTES)
  if (kept === -1) return { versions: [], names: [] }
  const versions = past.slice(kept)
  const left = new Set(past.slice(0, kept).map(({ name }) => name))
  return { versions, names: [...new Set(versions.map(({ name }) => name))].filter((name) => !left.has(name)) }
}

/** A version as it is listed. */
export function infoOf({ code: _code, compiled: _compiled, ...info }: FunctionVersion): FunctionInfo {
  return info
}
