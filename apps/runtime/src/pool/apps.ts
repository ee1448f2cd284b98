import type { Catalog } from '@socklet/catalog'
import { makePoolApp, refresh, type PoolApp } from './app.ts'

/** The apps that the pool has heard of, from the catalog. */
export class Apps {
  readonly #catalog: Catalog
  readonly #byId = new Map<string, PoolApp>()
  readonly #byNumber = new Map<number, PoolApp>()
  readonly #loading = new Map<string, Promise<PoolApp | null>>()
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

  get all(): PoolApp[] {
    return [...this.#byId.values()]
  }

  /** Reads the app anew. null if it is gone; then it is forgotten here too. */
  async reload(appid: string): Promise<PoolApp | null> {
    const release = await this.#catalog.release(appid)
    const app = this.#byId.get(appid)
    if (release === null) {
      this.#byId.delete(appid)
      if (app !== undefined) this.#byNumber.delete(app.number)
      return null
    }
    if (app === undefined) return this.find(appid)
    refresh(app, release)
    return app
  }

  async #load(appid: string): Promise<PoolApp | null> {
    const release = await this.#catalog.release(appid)
    if (release === null) return null
    const app = makePoolApp(this.#nextNumber++, release)
    this.#byId.set(appid, app)
    this.#byNumber.set(app.number, app)
    return app
  }
}
