import { FrameError, FrameType, HEADER_BYTES, Link, listen } from '@socklet/protocol'
import { rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { report } from './report.ts'

/**
 * The first frame on a link from a worker: a NOTE `hello` with this. The pool writes it on the worker's behalf
 * before it passes the descriptor on, so a worker cannot say that it is another one.
 */
export interface WorkerHello {
  method: 'hello'
  params: { worker: number }
}

/** A link, and what is held against its worker. */
export interface WorkerLink {
  readonly link: Link
  /** -1 until the hello. */
  worker: number
  /** Settled events that were acknowledged again. */
  wasted: number
}

export interface WorkerLinksOptions {
  onFrame: (from: WorkerLink, bytes: Uint8Array, start: number, end: number) => void
  /** After the frames of one read, or when there will be no more. */
  onBatch: () => void
  onOpen: (worker: number) => void
  onClose: (link: Link) => void
  helloMs: number
}

/** The links that workers have to this gateway. */
export class WorkerLinks {
  readonly #options: WorkerLinksOptions
  readonly #server: Server
  /** All links, those without a hello too. */
  readonly #all = new Set<WorkerLink>()
  readonly #byWorker = new Map<number, WorkerLink>()

  constructor(options: WorkerLinksOptions) {
    this.#options = options
    this.#server = createServer((socket) => this.#accept(socket))
  }

  /** Listens at this path; a socket file that an earlier life has left there is removed. */
  async listen(path: string): Promise<void> {
    rmSync(path, { force: true })
    await listen(this.#server, { path }, (error) => report('accepting a worker link', error))
  }

  /** The open link of a worker. */
  get(worker: number): Link | undefined {
    return this.#byWorker.get(worker)?.link
  }

  /** Ends all links: the workers belonged to a pool that is gone. */
  drop(): void {
    this.#byWorker.clear()
    for (const { link } of this.#all) link.destroy()
  }

  close(): void {
    this.#server.close()
    for (const { link } of this.#all) link.end()
  }

  #accept(socket: Socket): void {
    const timer = setTimeout(() => link.destroy(), this.#options.helloMs).unref()
    const link: Link = new Link(socket, {
      gathers: true,
      onFrame: (bytes, start, end) => {
        if (from.worker !== -1) this.#options.onFrame(from, bytes, start, end)
        else {
          clearTimeout(timer)
          this.#open(from, readHello(bytes, start, end))
        }
      },
      onBatch: this.#options.onBatch,
      onClose: (error) => {
        clearTimeout(timer)
        this.#onClose(from, error)
      }
    })
    const from: WorkerLink = { link, worker: -1, wasted: 0 }
    this.#all.add(from)
  }

  #open(from: WorkerLink, worker: number): void {
    from.worker = worker
    this.#byWorker.set(worker, from)
    this.#options.onOpen(worker)
  }

  #onClose(from: WorkerLink, error: Error | undefined): void {
    this.#all.delete(from)
    if (this.#byWorker.get(from.worker) === from) this.#byWorker.delete(from.worker)
    if (error !== undefined) report(`the link of worker ${from.worker}`, error.message)
    this.#options.onBatch()
    this.#options.onClose(from.link)
  }
}

function readHello(bytes: Uint8Array, start: number, end: number): number {
  const hello = bytes[start + 4] === FrameType.NOTE ? parse(bytes, start + HEADER_BYTES, end) : null
  const worker = hello?.method === 'hello' ? hello.params?.worker : undefined
  if (!Number.isInteger(worker) || worker! < 0) throw new FrameError('a link from a worker does not begin with its hello')
  return worker!
}

function parse(bytes: Uint8Array, start: number, end: number): Partial<WorkerHello> | null {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8', start, end)) as Partial<WorkerHello> | null
  } catch {
    return null
  }
}
