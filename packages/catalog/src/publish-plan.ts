import { CatalogError, type FunctionInfo, type FunctionVersion, type NewVersion, type PublishRequest } from './catalog.ts'

/** What is known of a function before a publish. A removed one is not live, but its numbers go on. */
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

/** A version as it is listed. */
export function infoOf({ code: _code, compiled: _compiled, ...info }: FunctionVersion): FunctionInfo {
  return info
}
