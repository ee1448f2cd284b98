import { Socket, type SocketConstructorOpts } from 'node:net'
import { Batch } from './batch.ts'
import { type FrameHead } from './frame.ts'
import { FrameSplitter, type OnFrame } from './splitter.ts'

export interface LinkOptions {
  /** Each whole frame that arrives, see OnFrame for how long its bytes are valid. */
  onFrame: OnFrame
  /** After all frames of one read were handed on: the place to start what they asked for. */
  onBatch?: () => void
  /** Once, when the link is gone for good. `error` is set unless the other end closed it in order. */
  onClose?: (error?: Error) => void
  /** When there is much to send, it waits for what the next turn of the event loop brings: GATHER_FROM. */
  gathers?: boolean
  /** Whether what is sent now may wait for LATER_MS, so that it leaves in one write with what comes after it. Default: it may not. */
  mayWait?: () => boolean
}

/** All descriptors are read into this, one after the other: a buffer for each read would be much to collect. Bytes. */
const READ_BYTES = 256 * 1024

/** What is not sent at once leaves within this time. Milliseconds. */
const LATER_MS = 1

/**
 * Bytes. When so much is sent in one turn of the event loop, there is more to read right away, and it leaves together: each write wakes the other
 * end and is a batch of its own there. Measured: 64 clients' messages left 18 at a time, for 17 µs each in all; so it is 13. What is less leaves at once.
 */
const GATHER_FROM = 512

/**
 * Frames over a stream socket between two of our processes. What is sent within one turn of the
 * event loop leaves in one write, or with what the next one brings. An error in what arrives ends the link: no frame is skipped.
 */
export class Link {
  static #readBuffer: Buffer | null = null
  readonly #socket: Socket
  readonly #splitter: FrameSplitter
  readonly #options: LinkOptions
  readonly #batch = new Batch()
  #scheduled = false
  /** What waits has waited for another turn of the event loop. */
  #gathered = false
  #later: NodeJS.Timeout | null = null
  #closed = false
  #failure: Error | undefined

  constructor(socket: Socket, options: LinkOptions) {
    this.#socket = socket
    this.#options = options
    this.#splitter = new FrameSplitter(options.onFrame)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', (error) => {
      this.#failure ??= error
    })
    socket.on('end', () => socket.destroy())
    socket.on('close', () => {
      this.#closed = true
      options.onClose?.(this.#failure)
    })
  }

  /** A link over an open descriptor. The bytes of its frames are valid during `onFrame` only: they are all read into the same memory. */
  static open(fd: number, options: LinkOptions): Link {
    Link.#readBuffer ??= Buffer.allocUnsafeSlow(READ_BYTES)
    const onread = {
      buffer: Link.#readBuffer,
      callback: (bytes: number, buffer: Uint8Array): boolean => {
        // No Buffer: whoever keeps a frame calls slice(), which copies only here.
        link.#read(new Uint8Array(buffer.buffer, buffer.byteOffset, bytes))
        return true
      }
    }
    // net's types know `onread` of a socket that connects only.
    const link = new Link(new Socket({ fd, readable: true, writable: true, onread } as SocketConstructorOpts), options)
    return link
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Bytes that were sent here and not yet taken by the system. */
  get pendingBytes(): number {
    return this.#batch.bytes + this.#socket.writableLength
  }

  send(head: FrameHead, payload?: Uint8Array): void {
    if (this.#closed) return
    this.#batch.add(head, payload)
    this.#schedule()
  }

  /** For what nobody waits for: it leaves with whatever is sent next, or in a moment. To write, and to wake the other end, is most of what a small frame costs. */
  sendLater(head: FrameHead, payload?: Uint8Array): void {
    if (this.#closed) return
    this.#batch.add(head, payload)
    this.#leaveLater()
  }

  /** With 'latin1' each unit is a byte as it is. */
  sendText(head: FrameHead, text: string, encoding: 'utf8' | 'latin1' = 'utf8'): void {
    if (this.#closed) return
    this.#batch.addText(head, text, encoding)
    this.#schedule()
  }

  /** Sends frames that are encoded already; the bytes are copied. */
  sendEncoded(frames: Uint8Array): void {
    if (this.#closed || frames.byteLength === 0) return
    this.#batch.addEncoded(frames)
    this.#schedule()
  }

  /** Writes now what waits for the end of the turn. */
  flush(): void {
    this.#scheduled = this.#gathered = false
    if (this.#closed || this.#batch.empty) return
    const parts = this.#batch.take()
    if (parts.length === 1) this.#socket.write(parts[0]!)
    else this.#writeAll(parts)
    if (this.#socket.writableLength === 0) this.#batch.reuse()
  }

  /** Is called once, when what was sent has left, however it goes. */
  onceDrained(then: () => void): void {
    this.flush()
    if (this.#closed) then()
    else this.#socket.write('', () => then())
  }

  /** Sends what waits and closes. */
  end(): void {
    this.flush()
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #read(chunk: Uint8Array): void {
    try {
      this.#splitter.push(chunk)
    } catch (error) {
      this.#failure = error as Error
      this.#socket.destroy()
      return
    }
    this.#options.onBatch?.()
  }

  #writeAll(parts: Uint8Array[]): void {
    this.#socket.cork()
    for (const part of parts) this.#socket.write(part)
    this.#socket.uncork()
  }

  #onLater(): void {
    this.#later = null
    this.flush()
  }

  // setImmediate and not a microtask: it runs after all sockets that are readable now were read,
  // so what many clients sent leaves together.
  #schedule(): void {
    if (this.#scheduled) return
    if (this.#options.mayWait?.() === true) {
      this.#leaveLater()
      return
    }
    this.#scheduled = true
    setImmediate(() => this.#leave())
  }

  #leaveLater(): void {
    if (!this.#scheduled && this.#later === null) this.#later = setTimeout(() => this.#onLater(), LATER_MS)
  }

  #leave(): void {
    const waits = this.#options.gathers === true && !this.#gathered && this.#batch.bytes >= GATHER_FROM
    if (!waits) this.flush()
    else {
      this.#gathered = true
      setImmediate(() => this.#leave())
    }
  }
}
