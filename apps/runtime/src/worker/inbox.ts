import { FrameType, HEADER_BYTES, encodeFrame, readU16 } from '@socklet/protocol'
import { Mailbox, type Delivery } from './mailbox.ts'

/** In one turn. They are quickly told. */
const MAX_NEWS = 1024

/**
 * What the gateways have for an app. A new isolate first hears of all connections that were there before it, from every
 * gateway; until each has said that it is done (ATTACHED), no event is delivered: its handler might send to a connection
 * that the isolate does not know yet.
 */
export class Inbox {
  /** Of gateways that are not done, and what has come behind that. */
  readonly #attaching = new Mailbox()
  readonly #events = new Mailbox()
  readonly #isAttached: boolean[]
  /** Frames in `#attaching` that tell of what was there before the isolate. */
  #news = 0
  #isOpen = false

  constructor(gateways: number) {
    this.#isAttached = Array.from({ length: gateways }, () => false)
  }

  /** Takes a frame, `bytes[start .. end)`. */
  add(bytes: Uint8Array, start: number, end: number): void {
    const gateway = readU16(bytes, start + 6)
    if (bytes[start + 4] === FrameType.ATTACHED) this.#onAttached(gateway)
    else if (this.#isOpen || this.#isAttached[gateway]) this.#events.add(bytes, start, end)
    else this.#addNews(bytes, start, end)
  }

  /** Whether there is something to deliver now. */
  get hasNext(): boolean {
    return this.#isOpen && !(this.#attaching.empty && this.#events.empty)
  }

  /** Nothing waits, also not for a gateway. */
  get isEmpty(): boolean {
    return this.#isOpen && this.#attaching.empty && this.#events.empty
  }

  get count(): number {
    return this.#attaching.events + this.#events.events
  }

  /** What one turn delivers. */
  take(maxEvents: number, maxBytes: number): Delivery {
    if (this.#attaching.empty) return this.#events.take(maxEvents, maxBytes)
    // In one turn with what they are for: whoever woke the app waits for the answer.
    this.#attaching.append(this.#events)
    const delivery = this.#attaching.take(this.#news < MAX_NEWS ? this.#news + maxEvents : MAX_NEWS, maxBytes)
    delivery.news = Math.min(this.#news, delivery.events)
    this.#news -= delivery.news
    return delivery
  }

  /** Waits for no gateway any longer. */
  open(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    // The isolate hears of it as well: its own beginning waits for it.
    const frame = encodeFrame({ type: FrameType.ATTACHED, flags: 0, gateway: 0, app: 0, generation: 0, connection: 0, sequence: 0 })
    this.#addNews(frame, 0, HEADER_BYTES)
  }

  #addNews(bytes: Uint8Array, start: number, end: number): void {
    this.#attaching.add(bytes, start, end)
    this.#news++
  }

  #onAttached(gateway: number): void {
    this.#isAttached[gateway] = true
    if (this.#isAttached.every(Boolean)) this.open()
  }
}
