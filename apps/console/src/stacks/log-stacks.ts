import type { Catalog, FunctionInfo } from '@socklet/catalog'
import type { LogEntry } from '@socklet/protocol'
import type { Source, SourcePlaces } from './source-places.ts'

/** Newest versions of a function that are looked through for the one of an older stack. */
const VERSIONS = 100
/** Functions whose versions are looked up for one call. */
const MAX_FUNCTIONS = 50

/** Makes the stacks in an app's log name places in its sources. */
export class LogStacks {
  readonly #catalog: Catalog
  readonly #places: SourcePlaces

  constructor(catalog: Catalog, places: SourcePlaces) {
    this.#catalog = catalog
    this.#places = places
  }

  /** The entries, for which nobody waits longer than so many milliseconds. */
  async readable(appid: string, entries: LogEntry[], patienceMs: number): Promise<LogEntry[]> {
    const versions = new Map<string, Promise<FunctionInfo[]>>()
    const messages = await this.#places.translate(
      entries.map(({ message }) => message),
      patienceMs,
      async (name, index) => {
        if (!versions.has(name) && versions.size >= MAX_FUNCTIONS) return null
        if (!versions.has(name)) versions.set(name, this.#versionsOf(appid, name))
        return this.#sourceOf(appid, versionAt(await versions.get(name)!, name, entries[index]!))
      }
    )
    return entries.map((entry, index) => (entry.message === messages[index] ? entry : { ...entry, message: messages[index]! }))
  }

  /** None, if there is no such function any more. */
  #versionsOf(appid: string, name: string): Promise<FunctionInfo[]> {
    return this.#catalog.listVersions(appid, name, { limit: VERSIONS }).then(({ items }) => items, () => [])
  }

  #sourceOf(appid: string, info: FunctionInfo | undefined): Source | null {
    if (info === undefined) return null
    const { name, version, hash } = info
    return { hash, load: () => this.#catalog.getVersion(appid, name, version) }
  }
}

/** Of the function that logged, the entry has the version; of others it is the one that was published last before. */
function versionAt(versions: FunctionInfo[], name: string, entry: LogEntry): FunctionInfo | undefined {
  if (entry.function === name && entry.version > 0) return versions.find(({ version }) => version === entry.version)
  return versions.find(({ publishedAt }) => publishedAt <= entry.time)
}
