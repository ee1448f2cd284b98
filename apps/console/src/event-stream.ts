import type { ServerResponse } from 'node:http'

/** Bytes that wait for a reader who does not keep up, beside what the system buffers. */
const MAX_WAITING_BYTES = 256 * 1024

/**
 * Server-sent events to one reader. To a slow one they wait, up to a bound; what is above is dropped, and the
 * reader is told how many as soon as it reads on.
 */
export class EventStream {
  readonly #res: ServerResponse
  readonly #maxWaiting: number
  #waiting: string[] = []
  #waitingBytes = 0
  #blocked = false
  #dropped = 0

  constructor(res: ServerResponse, options: { maxWaitingBytes?: number } = {}) {
    this.#res = res
    this.#maxWaiting = options.maxWaitingBytes ?? MAX_WAITING_BYTES
    // `x-accel-buffering` keeps nginx from collecting the events.
    res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
    res.on('drain', () => this.#onDrain())
    // The headers leave now, so that the reader knows that it is heard.
    this.comment('hello')
  }

  send(data: unknown, id?: number): void {
    this.#write(`${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`)
  }

  /** Tells the reader that so many events are left out here. */
  leaveOut(count: number): void {
    if (count === 0) return
    if (this.#blocked) this.#dropped += count
    else this.#writeNow(`event: dropped\ndata: ${JSON.stringify({ count })}\n\n`)
  }

  /** Keeps the connection alive; nobody misses it if the reader is slow. */
  comment(text: string): void {
    if (!this.#blocked) this.#writeNow(`: ${text}\n\n`)
  }

  end(): void {
    this.#res.end()
  }

  #write(text: string): void {
    if (!this.#blocked) this.#writeNow(text)
    else if (this.#waitingBytes + text.length > this.#maxWaiting) this.#dropped += 1
    else {
      this.#waiting.push(text)
      this.#waitingBytes += text.length
    }
  }

  #writeNow(text: string): void {
    if (this.#res.writableEnded || this.#res.destroyed) return
    this.#blocked = !this.#res.write(text)
  }

  #onDrain(): void {
    this.#blocked = false
    const text = this.#waiting.join('')
    this.#waiting = []
    this.#waitingBytes = 0
    if (text !== '') this.#writeNow(text)
    if (this.#blocked) return
    const count = this.#dropped
    this.#dropped = 0
    this.leaveOut(count)
  }
}
