import type { FrameHead } from '@socklet/protocol'

/** An event of an app, kept until its handler has settled. It is its own frame head. */
export interface OutboxEvent<Peer = unknown> extends FrameHead {
  payload: Uint8Array
  /** The connection or request it belongs to. */
  peer: Peer
  /** Where it was sent last, null if nowhere yet. */
  sentOn: object | null
  /** How often it was sent. */
  deliveries: number
  /** A worker said that it began to run, on this delivery. */
  began: boolean
  /** The turn in which it began is not over. */
  running: boolean
  /** Deaths of its app between its beginning and its end, first delivery aside. */
  deaths: number
}

/** What an event takes beside its payload: 200,000 of 64 bytes make a gateway 92 to 98 MiB larger. */
const EVENT_BYTES = 400

/** Slots at the beginning, and so many at most where nothing waits. Powers of two. */
const FIRST_SLOTS = 16
const KEEP_SLOTS = 1024

/**
 * The unsettled events of one app, in order, by sequence number. Numbers are u32 and wrap.
 * They stand in a ring. An event that all others pass, since its handler takes a minute, leaves it, so that the ring is not as long as all that comes in
 * that minute. No Map for all of them: of that V8 makes a new table every few hundred events, and the old one, once it is among the old objects,
 * keeps what it named then, with its bytes, until the whole heap is collected.
 */
export class Outbox<Peer = unknown> {
  /** The events from `#oldest` on, each at the low bits of its number. */
  #slots: (OutboxEvent<Peer> | undefined)[] = emptySlots(FIRST_SLOTS)
  #oldest: number
  #next: number
  /** Events that have left the ring. */
  readonly #passed = new Map<number, OutboxEvent<Peer>>()
  #count = 0
  #bytes = 0
  /** All outboxes together. */
  readonly #all: { bytes: number }

  constructor(all = { bytes: 0 }, first = 0) {
    this.#all = all
    this.#oldest = this.#next = first >>> 0
  }

  get count(): number {
    return this.#count
  }

  /** Bytes that the events hold. */
  get bytes(): number {
    return this.#bytes
  }

  /** Keeps the event and gives it its sequence. */
  push(event: OutboxEvent<Peer>): void {
    if (this.#isFull) this.#makeRoom()
    event.sequence = this.#next
    this.#slots[this.#slotOf(this.#next)] = event
    this.#next = after(this.#next)
    this.#count++
    this.#add(event.payload.byteLength + EVENT_BYTES)
  }

  /** The unsettled event with this number. */
  get(sequence: number): OutboxEvent<Peer> | undefined {
    return this.#isInRing(sequence) ? this.#slots[this.#slotOf(sequence)] : this.#passed.get(sequence)
  }

  /** Takes one event out. */
  settle(sequence: number): OutboxEvent<Peer> | undefined {
    const event = this.get(sequence)
    if (event === undefined) return undefined
    if (this.#isInRing(sequence)) this.#slots[this.#slotOf(sequence)] = undefined
    else this.#passed.delete(sequence)
    this.#add(-event.payload.byteLength - EVENT_BYTES)
    if (--this.#count === 0) this.clear()
    return event
  }

  /**
   * Takes the events `first` to `last` out and hands each to `onSettled`. What is not here is passed over, in no more
   * steps than there are events. Returns how many of the steps found nothing.
   */
  settleRange(first: number, last: number, onSettled: (event: OutboxEvent<Peer>) => void): number {
    const distance = (last - first) >>> 0
    const before = this.#count
    if (distance >= before) return before - this.#settleWithin(first, distance, onSettled)
    let wasted = 0
    for (let step = 0; step <= distance; step++) {
      const event = this.settle((first + step) >>> 0)
      if (event === undefined) wasted++
      else onSettled(event)
    }
    return wasted
  }

  /** The unsettled events in order. What is settled on the way is left out, what is pushed does not come. */
  *unsettled(): IterableIterator<OutboxEvent<Peer>> {
    for (const event of this.#events()) if (this.get(event.sequence) === event) yield event
  }

  clear(): void {
    if (this.#slots.length > KEEP_SLOTS) this.#slots = emptySlots(FIRST_SLOTS)
    else if (this.#count > 0) this.#slots.fill(undefined)
    this.#oldest = this.#next
    // With nothing in it V8 would make a new table all the same.
    if (this.#passed.size > 0) this.#passed.clear()
    this.#count = 0
    this.#add(-this.#bytes)
  }

  #add(bytes: number): void {
    this.#bytes += bytes
    this.#all.bytes += bytes
  }

  get #isFull(): boolean {
    return (this.#next - this.#oldest) >>> 0 === this.#slots.length
  }

  #isInRing(sequence: number): boolean {
    return (sequence - this.#oldest) >>> 0 < (this.#next - this.#oldest) >>> 0
  }

  #slotOf(sequence: number): number {
    return sequence & (this.#slots.length - 1)
  }

  #events(): OutboxEvent<Peer>[] {
    const all = [...this.#passed.values()]
    for (let sequence = this.#oldest; sequence !== this.#next; sequence = after(sequence)) {
      const event = this.#slots[this.#slotOf(sequence)]
      if (event !== undefined) all.push(event)
    }
    return all
  }

  /** Where more than half of the slots are of use there are twice as many, else the oldest event leaves the ring. */
  #makeRoom(): void {
    this.#leaveSettled()
    if (!this.#isFull) return
    if ((this.#count - this.#passed.size) * 2 > this.#slots.length) this.#grow()
    else {
      const slot = this.#slotOf(this.#oldest)
      this.#passed.set(this.#oldest, this.#slots[slot]!)
      this.#slots[slot] = undefined
      this.#leaveSettled()
    }
  }

  #leaveSettled(): void {
    while (this.#oldest !== this.#next && this.#slots[this.#slotOf(this.#oldest)] === undefined) this.#oldest = after(this.#oldest)
  }

  #grow(): void {
    const slots = emptySlots<OutboxEvent<Peer>>(this.#slots.length * 2)
    for (const event of this.#slots) if (event !== undefined) slots[event.sequence & (slots.length - 1)] = event
    this.#slots = slots
  }

  /** For a range that is longer than the outbox. */
  #settleWithin(first: number, distance: number, onSettled: (event: OutboxEvent<Peer>) => void): number {
    let settled = 0
    for (const event of this.unsettled()) {
      if (((event.sequence - first) >>> 0) > distance) continue
      this.settle(event.sequence)
      onSettled(event)
      settled++
    }
    return settled
  }
}

function after(sequence: number): number {
  return (sequence + 1) >>> 0
}

function emptySlots<Event>(count: number): (Event | undefined)[] {
  return Array.from({ length: count }, () => undefined)
}
