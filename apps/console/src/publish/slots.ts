/**
 * Lets at most so many pieces of work run at a time, in the order they came. Work may take more than
 * one slot; what takes all of them runs alone.
 */
export class Slots {
  #free: number
  #queue: { weight: number; start: () => void }[] = []

  constructor(count: number) {
    this.#free = count
  }

  async run<T>(weight: number, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((start) => {
      this.#queue.push({ weight, start })
      this.#next()
    })
    try {
      return await work()
    } finally {
      this.#free += weight
      this.#next()
    }
  }

  #next(): void {
    while (this.#queue.length > 0 && this.#queue[0]!.weight <= this.#free) {
      const { weight, start } = this.#queue.shift()!
      this.#free -= weight
      start()
    }
  }
}
