/** The pool's side of outgoing requests, with a real HTTP server behind it; the worker is played. */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DEFAULT_LIMITS } from '@socklet/config'
import { Flag, FrameType, encodeFrame, withHead, writeU32, type FetchFailure, type FetchHead, type FetchResultHead, type FrameHead } from '@socklet/protocol'
import { Fetches, type FetchWorker, type FetchesOptions } from '../../src/pool/fetch/fetches.ts'

export interface Got {
  head: FetchResultHead | null
  body: Buffer
  failure: FetchFailure | null
}

export interface TestPool {
  fetches: Fetches
  worker: FetchWorker
  frames: { head: FrameHead; payload: Buffer }[]
  /** Sends a FETCH, and settles with the whole answer. Takes what comes, unless `takes` is false. */
  fetch(head: Partial<FetchHead>, options?: { body?: Uint8Array; app?: number; takes?: boolean }): Promise<Got>
  /** Any frame of the worker. */
  send(type: number, connection: number, payload?: Uint8Array, flags?: number, app?: number, generation?: number): void
  /** Waits for a number of frames. */
  until(what: () => boolean): Promise<void>
}

export function makePool(options: Partial<FetchesOptions> & { limits?: Record<string, number> } = {}): TestPool {
  const frames: TestPool['frames'] = []
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const fetches = new Fetches({
    app: (number) => (number <= 8 ? ({ route: { limits }, placement: { app: number, worker: 1, generation: 3 } } as never) : undefined),
    resolve: () => Promise.resolve(['127.0.0.1']),
    isAllowed: (address) => address === '127.0.0.1',
    ...options
  })
  const worker: FetchWorker = { index: 1, apps: new Set([7, 8]), send: (head, payload) => void frames.push({ head, payload: Buffer.from(payload ?? []) }) }
  let next = 1
  const pool: TestPool = {
    fetches,
    worker,
    frames,
    send: (type, connection, payload = new Uint8Array(0), flags = 0, app = 7, generation = 3) => {
      const bytes = encodeFrame({ type, flags, gateway: 0, app, generation, connection, sequence: 0 }, payload)
      fetches.onFrame(worker, bytes, 0, 24 + payload.byteLength)
    },
    fetch: async (head, { body = new Uint8Array(0), app = 7, takes = true } = {}) => {
      const id = next++
      pool.send(FrameType.FETCH, id, fetchPayload(head, body), 0, app)
      let told = 0
      const mine = (): TestPool['frames'] => frames.filter((frame) => frame.head.connection === id && frame.head.app === app)
      await pool.until(() => {
        for (const all = mine(); told < all.length; told++) {
          if (takes && all[told]!.head.type === FrameType.FETCH_PART) pool.send(FrameType.FETCH_MORE, id, u32(all[told]!.payload.byteLength), 0, app)
        }
        return mine().some(({ head: { flags } }) => (flags & Flag.END) !== 0)
      })
      return gather(mine())
    },
    until: async (what) => {
      for (const end = Date.now() + 10_000; !what(); await new Promise((resolve) => setTimeout(resolve, 2))) {
        if (Date.now() > end) throw new Error(`in vain; frames: ${frames.map(({ head }) => head.type).join()}`)
      }
    }
  }
  return pool
}

function gather(frames: TestPool['frames']): Got {
  const got: Got = { head: null, body: Buffer.alloc(0), failure: null }
  const parts: Buffer[] = []
  for (const { head, payload } of frames) {
    if ((head.flags & Flag.FAILED) !== 0) got.failure = JSON.parse(String(payload)) as FetchFailure
    else if (head.type === FrameType.FETCH_RESULT) got.head = JSON.parse(String(payload)) as FetchResultHead
    else parts.push(payload)
  }
  return { ...got, body: Buffer.concat(parts) }
}

export function fetchPayload(head: Partial<FetchHead>, body?: Uint8Array): Uint8Array {
  return withHead(JSON.stringify({ method: 'GET', headers: [], redirect: 'follow', ...head }), body)
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  writeU32(bytes, 0, value)
  return bytes
}

export interface TestServer {
  server: Server
  port: number
  /** What came, in order. */
  requests: { method: string; url: string; headers: IncomingMessage['headers']; rawHeaders: string[]; body: string }[]
  close(): Promise<void>
}

/** A server on 127.0.0.1 whose paths are the keys of `routes`; any other path answers what it was sent as JSON. */
export async function makeServer(routes: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {}, listener?: RequestListener): Promise<TestServer> {
  const requests: TestServer['requests'] = []
  const server = createServer((request, response) => {
    if (listener !== undefined) return listener(request, response)
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      const { method = '', url = '', headers, rawHeaders } = request
      requests.push({ method, url, headers, rawHeaders, body })
      const route = routes[url.split('?')[0]!]
      if (route !== undefined) route(request, response)
      else response.setHeader('content-type', 'application/json').end(JSON.stringify({ method, url, headers, body }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    server,
    port: (server.address() as AddressInfo).port,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      })
  }
}
