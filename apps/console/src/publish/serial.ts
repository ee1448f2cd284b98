import { UserFault } from '../errors.ts'

/** Runs work on the same key one after the other. */
export class Serial {
  readonly #maxWaiting: number
  readonly #last = new Map<string, { waiting: number; tail: Promise<unknown> }>()

  constructor(maxWaiting = Infinity) {
    this.#maxWaiting = maxWaiting
  }

  /** @throws UserFault `busy` if too much waits already */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const lane = this.#last.get(key) ?? { waiting: 0, tail: Promise.resolve() }
    if (lane.waiting >= this.#maxWaiting) throw new UserFault('busy', `too many changes of ${key} wait already`)
    this.#last.set(key, lane)
    lane.waiting += 1
    const result = lane.tail.then(work)
    lane.tail = result.catch(() => {})
    try {
      return await result
    } finally {
      lane.waiting -= 1
      if (lane.waiting === 0) this.#last.delete(key)
    }
  }
}
