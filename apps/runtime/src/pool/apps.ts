import { dataName, type Catalog, type Release } from '@socklet/catalog'
import { makePoolApp, refresh, type PoolApp } from './app.ts'

/** Releases that are at hand, so that an app which wakes need not wait for the catalog: as many, and none that is larger. */
const RELEASES_KEPT = 100
const MAX_KEPT_CHARACTERS = 250_000

/** The apps that the pool has heard of, from the catalog. */
export class Apps {
  readonly #catalog: Catalog
  readonly #byId = new Map<string, PoolApp>()
  readonly #byNumber = new Map<number, PoolApp>()
  readonly #loading = new Map<string, Promise<PoolApp | null>>()
  /** As the catalog had them last: whoever changes one there tells the pool, which then asks anew. The one used last stands last. */
  readonly #releases = new Map<string, Release>()
  #nextNumber = 1

  constructor(catalog: Catalog) {
    this.#catalog = catalog
  }

  /** null if the catalog has no such app. */
  async find(appid: string): Promise<PoolApp | null> {
    const known = this.#byId.get(appid)
    if (known !== undefined) return known
    const loading = this.#loading.get(appid) ?? this.#load(appid)
    this.#loading.set(appid, loading)
    return loading.finally(() => this.#loading.delete(appid))
  }

  byNumber(number: number): PoolApp | undefined {
    return this.#byNumber.get(number)
  }

  known(appid: string): PoolApp | undefined {
    return this.#byId.get(appid)
  }

  /** The app if it is known, also if it is only being loaded: it may have been read before the catalog's last change. */
  async knownSoon(appid: string): Promise<PoolApp | undefined> {
    await this.#loading.get(appid)?.catch(() => {})
    return this.#byId.get(appid)
  }

  get all(): PoolApp[] {
    return [...this.#byId.values()]
  }

  /** What the app is made of now. null if it is gone, also if another one has its appid. */
  async release(app: PoolApp): Promise<Release | null> {
    const release = await this.#release(app.appid)
    return release !== null && isOf(app, release) ? release : null
  }

  /** Reads the app anew. null if it is gone. It is forgotten here then, and also if another one has its appid, which is returned. */
  async reload(appid: string): Promise<PoolApp | null> {
    const release = await this.#readRelease(appid)
    const app = this.#byId.get(appid)
    if (release !== null && app !== undefined && isOf(app, release)) {
      refresh(app, release)
      return app
    }
    this.#byId.delete(appid)
    if (app !== undefined) this.#byNumber.delete(app.number)
    return release === null ? null : this.find(appid)
  }

  async #release(appid: string): Promise<Release | null> {
    const kept = this.#releases.get(appid)
    if (kept === undefined) return this.#readRelease(appid)
    this.#releases.delete(appid)
    this.#releases.set(appid, kept)
    return kept
  }

  async #readRelease(appid: string): Promise<Release | null> {
    const release = await this.#catalog.release(appid)
    this.#releases.delete(appid)
    if (release !== null && sizeOf(release) <= MAX_KEPT_CHARACTERS) this.#releases.set(appid, release)
    if (this.#releases.size > RELEASES_KEPT) this.#releases.delete(this.#releases.keys().next().value!)
    return release
  }

  async #load(appid: string): Promise<PoolApp | null> {
    const release = await this.#readRelease(appid)
    if (release === null) return null
    const app = makePoolApp(this.#nextNumber++, release)
    this.#byId.set(appid, app)
    this.#byNumber.set(app.number, app)
    return app
  }
}

function isOf(app: PoolApp, release: Release): boolean {
  return dataName(release.app) === app.dataName
}

function sizeOf({ functions }: Release): number {
  return functions.reduce((sum, { code, compiled }) => sum + code.length + compiled.length, 0)
}
