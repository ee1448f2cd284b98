const LARGEST = 0xffff_ffff

/** Numbers of connections and requests on links: u32, unique in this gateway for as long as they are in use. */
export class Numbers {
  readonly #used = new Set<number>()
  #next: number

  constructor(first = 1) {
    this.#next = first
  }

  take(): number {
    while (this.#used.has(this.#next)) this.#advance()
    const number = this.#next
    this.#used.add(number)
    this.#advance()
    return number
  }

  free(number: number): void {
    this.#used.delete(number)
  }

  #advance(): void {
    this.#next = this.#next >= LARGEST ? 1 : this.#next + 1
  }
}
