import { Flag, type FrameHead } from '@socklet/protocol'

interface State {
  generation: number
  chunks: Uint8Array[]
  whole: PromiseWithResolvers<void>
}

/** What the store has of `cloud.shared`, on its way from the pool: records of packages/shared, for one life of an app, in several frames. */
export class States {
  /** By app number. */
  readonly #byApp = new Map<number, State>()

  /** A SHARED_STATE frame. `chunk` is kept. */
  add({ app, generation, flags }: FrameHead, chunk: Uint8Array): void {
    const { chunks, whole } = this.#of(app, generation)
    if (chunk.byteLength > 0) chunks.push(chunk)
    if ((flags & Flag.END) !== 0) whole.resolve()
  }

  /** Settles when all of it is here: the app is held before that, so that it can be loaded meanwhile. */
  async whole(app: number, generation: number): Promise<Uint8Array[]> {
    const state = this.#of(app, generation)
    await state.whole.promise
    if (this.#byApp.get(app) === state) this.#byApp.delete(app)
    return state.chunks
  }

  /** What has come; it is not kept any longer. */
  take(app: number): Uint8Array[] {
    const state = this.#byApp.get(app)
    this.#byApp.delete(app)
    return state?.chunks ?? []
  }

  #of(app: number, generation: number): State {
    let state = this.#byApp.get(app)
    if (state?.generation !== generation) this.#byApp.set(app, (state = { generation, chunks: [], whole: Promise.withResolvers() }))
    return state
  }
}
