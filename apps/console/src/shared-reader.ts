import { existsSync } from 'node:fs'
import { SharedError, openSharedStore, type KeyInfo, type SharedStore, type StoredValue } from '@socklet/shared'

/** A value is shown up to about so many bytes of what is stored. */
const MAX_VALUE_BYTES = 512 * 1024

/** The shared store's file, to look at: the pool alone writes it. Apps have their data names there (packages/catalog). */
export class SharedReader {
  readonly #path: string
  #store: SharedStore | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** @throws SharedError `invalid_cursor`, `failed` */
  async keys(name: string, query: { limit: number; cursor?: string }): Promise<{ items: KeyInfo[]; nextCursor?: string }> {
    return (await this.#open()?.keys(name, query)) ?? { items: [] }
  }

  /** @throws SharedError `failed` */
  async value(name: string, key: Uint8Array): Promise<StoredValue | null> {
    return (await this.#open()?.value(name, key, { maxBytes: MAX_VALUE_BYTES })) ?? null
  }

  async close(): Promise<void> {
    await this.#store?.close()
    this.#store = undefined
  }

  /** Only when it is asked for: the pool makes the file, and may be starting as we are. */
  #open(): SharedStore | undefined {
    if (this.#store !== undefined || !existsSync(this.#path)) return this.#store
    try {
      this.#store = openSharedStore(this.#path, { readOnly: true })
      return this.#store
    } catch (error) {
      throw new SharedError('failed', (error as Error).message, { cause: error })
    }
  }
}
