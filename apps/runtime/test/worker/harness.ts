import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_LIMITS } from '@socklet/config'
import { FrameSplitter, FrameType, HEADER_BYTES, Link, decodeLogLine, encodeFrame, readHead, readU32, type AppRelease, type FrameHead, type LogLine } from '@socklet/protocol'
import { makeSnapshot } from '../../src/snapshot/index.ts'
import { App } from '../../src/worker/app.ts'
import { Turns } from '../../src/worker/turns.ts'

/** One end of a real Unix socket that keeps the frames which arrive. */
export interface FarEnd {
  link: Link
  frames: { head: FrameHead; payload: Buffer }[]
}

export interface TestApp {
  app: App
  gateway: FarEnd
  pool: FarEnd
  downs: string[]
  tainted: string[]
  /** An event of the app's one gateway. */
  event(type: number, connection: number, payload: string | Uint8Array, flags?: number): number
  open(connection: number): number
  /** Waits until `found` gives something for the frames so far. */
  until<T>(found: (frames: FarEnd['frames']) => T | undefined | null | false): Promise<T>
  logs(): LogLine[]
  texts(): string[]
}

export interface Harness {
  start(code: string, options?: { limits?: Record<string, number>; functions?: Record<string, string> }): Promise<TestApp>
  turns: Turns
  close(): void
}

/** Apps in this process, with a real isolate each and real links; only what a gateway and a pool would do is left out. */
export async function makeHarness(): Promise<Harness> {
  const snapshot = new Uint8Array(await makeSnapshot()).buffer
  const folder = mkdtempSync(join(tmpdir(), 'socklet-worker-'))
  const turns = new Turns(2)
  const ends: (() => void)[] = []
  let links = 0

  async function makeEnd(): Promise<FarEnd> {
    const path = join(folder, `${links++}.sock`)
    const frames: FarEnd['frames'] = []
    const accepted = new Promise<Socket>((resolve) => {
      const server = createServer((socket) => {
        server.close()
        resolve(socket)
      })
      server.listen(path)
    })
    const near = connect(path)
    const far = await accepted
    const splitter = new FrameSplitter((bytes, start, end) => frames.push({ head: readHead(bytes, start), payload: Buffer.from(bytes.subarray(start + HEADER_BYTES, end)) }))
    far.on('data', (chunk: Buffer) => splitter.push(chunk))
    ends.push(() => {
      near.destroy()
      far.destroy()
    })
    return { link: new Link(near, { onFrame: () => {} }), frames }
  }

  return {
    turns,
    start: async (code, options = {}) => {
      const [gateway, pool] = [await makeEnd(), await makeEnd()]
      const downs: string[] = []
      const tainted: string[] = []
      const functions = Object.entries({ __websocket__: code, ...options.functions }).map(([name, one]) => ({ name, version: 1, code: one, methods: [] }))
      const release: AppRelease = { appid: 'test', revision: 1, functions, modules: [], env: {}, limits: { ...DEFAULT_LIMITS, ...options.limits } }
      const onDown = (reason: string): void => void downs.push(reason)
      const onTainted = (reason: string): void => void tainted.push(reason)
      const app = new App({ app: 7, generation: 3, release, snapshot, gateways: [gateway.link], pool: pool.link, turns, onDown, onTainted })
      ends.push(() => app.dispose())
      return makeTestApp(app, gateway, pool, downs, tainted)
    },
    close: () => {
      for (const end of ends) end()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

function makeTestApp(app: App, gateway: FarEnd, pool: FarEnd, downs: string[], tainted: string[]): TestApp {
  let sequence = 0
  const test: TestApp = {
    app,
    gateway,
    pool,
    downs,
    tainted,
    event: (type, connection, payload, flags = 0) => {
      sequence++
      const bytes = Buffer.from(payload as string)
      app.receive(encodeFrame({ type, flags, gateway: 0, app: 7, generation: 3, connection, sequence }, bytes), 0, HEADER_BYTES + bytes.byteLength)
      return sequence
    },
    open: (connection) => test.event(FrameType.OPEN, connection, JSON.stringify({ id: `id-${connection}`, url: '/', headers: {}, protocol: '', extensions: '' })),
    until: async (found) => {
      for (const end = Date.now() + 10_000; ; ) {
        const answer = found(gateway.frames)
        if (answer) return answer
        if (Date.now() > end) throw new Error(`in vain; frames: ${gateway.frames.map(({ head }) => head.type).join()} downs: ${downs.join()} logs: ${JSON.stringify(test.logs())}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    logs: () => pool.frames.filter(({ head }) => head.type === FrameType.LOG).map(({ payload }) => decodeLogLine(payload)),
    texts: () => gateway.frames.filter(({ head }) => head.type === FrameType.SEND).map(({ payload }) => payload.toString())
  }
  return test
}

/** Sequences of the events that were acknowledged. */
export function acknowledged(frames: FarEnd['frames']): number[] {
  const sequences: number[] = []
  for (const { head, payload } of frames) {
    if (head.type !== FrameType.ACK) continue
    for (let at = 0; at < payload.byteLength; at += 8) for (let one = readU32(payload, at); one <= readU32(payload, at + 4); one++) sequences.push(one)
  }
  return sequences
}
