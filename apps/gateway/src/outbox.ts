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

/** What an event costs beside its payload, roughly. */
const EVENT_BYTES = 128

/**
 * The unsettled events of one app, in order, by sequence number. Numbers are u32 and wrap.
 * A Map keeps the order and forgets from its middle at the same cost: one handler that takes a minute
 * does not make the outbox as long as everything that passed it in that minute, as a ring would be.
 */
export class Outbox<Peer = unknown> {
  readonly #events = new Map<number, OutboxEvent<Peer>>()
  #next: number
  /** Bytes that the events hold. */
  bytes = 0

  constructor(first = 0) {
    this.#next = first >>> 0
  }

  get count(): number {
    return this.#events.size
  }

  /** Keeps the event and gives it its sequence. */
  push(event: OutboxEvent<Peer>): void {
    event.sequence = this.#next
    this.#events.set(this.#next, event)
    this.#next = (this.#next + 1) >>> 0
    this.bytes += event.payload.byteLength + EVENT_BYTES
  }

  /** The unsettled event with this number. */
  get(sequence: number): OutboxEvent<Peer> | undefined {
    return this.#events.get(sequence)
  }

  /** Takes one event out. */
  settle(sequence: number): OutboxEvent<Peer> | undefined {
    const event = this.#events.get(sequence)
    if (event === undefined) return undefined
    this.#events.delete(sequence)
    this.bytes -= event.payload.byteLength + EVENT_BYTES
    return event
  }

  /**
   * Takes the events `first` to `last` out and hands each to `onSettled`. What is not here is passed over, in no more
   * steps than there are events. Returns how many of the steps found nothing.
   */
  settleRange(first: number, last: number, onSettled: (event: OutboxEvent<Peer>) => void): number {
    const distance = (last - first) >>> 0
    const before = this.#events.size
    if (distance >= before) return before - this.#settleWithin(first, distance, onSettled)
    let wasted = 0
    for (let step = 0; step <= distance; step++) {
      const event = this.settle((first + step) >>> 0)
      if (event === undefined) wasted++
      else onSettled(event)
    }
    return wasted
  }

  /** The unsettled events in order. They may be settled on the way. */
  unsettled(): IterableIterator<OutboxEvent<Peer>> {
    return this.#events.values()
  }

  clear(): void {
    this.#events.clear()
    this.bytes = 0
  }

  /** For a range that is longer than the outbox. */
  #settleWithin(first: number, distance: number, onSettled: (event: OutboxEvent<Peer>) => void): number {
    let settled = 0
    for (const event of this.#events.values()) {
      if (((event.sequence - first) >>> 0) > distance) continue
      this.settle(event.sequence)
      onSettled(event)
      settled++
    }
    return settled
  }
}
