import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_LIMITS } from '@socklet/config'
import { Flag, FrameSplitter, FrameType, HEADER_BYTES, Link, decodeLogLine, encodeFrame, readHead, readU32, withHead, type AppRelease, type ConnectionHead, type FrameHead, type LogLine } from '@socklet/protocol'
import { openSharedStore, type SharedStore } from '@socklet/shared'
import { makeGuest } from '../../src/snapshot/index.ts'
import { THREADS } from '../../src/threads.ts'
import { App } from '../../src/worker/app.ts'
import { openSnapshot, type Snapshot } from '../../src/worker/isolate.ts'
import { Spare } from '../../src/worker/spare.ts'
import { Turns } from '../../src/worker/turns.ts'
import { KeptMessages } from './kept-messages.ts'

/** One end of a real Unix socket that keeps the frames which arrive. */
export interface FarEnd {
  link: Link
  frames: { head: FrameHead; payload: Buffer }[]
}

export interface TestApp {
  app: App
  /** The first of the gateways. */
  gateway: FarEnd
  gateways: FarEnd[]
  pool: FarEnd
  downs: string[]
  /** Whose fault each of them was. */
  faults: ('tenant' | 'platform')[]
  tainted: string[]
  idles: number
  /** What the app has written of its shared values, one for each change. */
  changes: Uint8Array[]
  kept: KeptMessages
  /** Stores what was held back, and tells the app. */
  store(): void
  /** Tells the app that what was held back could not be stored. */
  refuse(): void
  /** This gateway has attached all its connections. */
  attached(gateway: number): void
  /** An event of the app's first gateway, or of another. */
  event(type: number, connection: number, payload: string | Uint8Array, flags?: number, gateway?: number): number
  open(connection: number, known?: Known): number
  /** Waits until `found` gives something for the frames so far. */
  until<T>(found: (frames: FarEnd['frames']) => T | undefined | null | false): Promise<T>
  logs(): LogLine[]
  texts(): string[]
}

export interface StartOptions {
  limits?: Record<string, number>
  functions?: Record<string, string>
  /** What its tokens are signed with. */
  secret?: string
  /** With the modules that only the apps get which name them. */
  modules?: boolean
  /** Default 1. */
  gateways?: number
  /** Of the shared values in the store of the harness. Default: of a new app each time. */
  appid?: string
  /** What is kept comes only after this. */
  stateAfter?: Promise<void>
  /** Nothing is stored until `test.store()`. */
  holdsChanges?: boolean
  /** What else the app tells its pool. */
  onPoolFrame?: (head: FrameHead, payload: Buffer) => void
  /** No other app is in its worker. */
  isAlone?: boolean
  /** The gateways do not say that they have attached their connections. */
  attaches?: boolean
}

/** What a connection brings with it. */
export type Known = Partial<ConnectionHead> & { type?: number; gateway?: number; data?: Uint8Array }

export interface Harness {
  start(code: string, options?: StartOptions): Promise<TestApp>
  turns: Turns
  sharedStore: SharedStore
  close(): void
}

/** Apps in this process, with a real isolate each and real links; only what a gateway and a pool would do is left out. `startFrom`: makes of the snapshot what the isolates start from. */
export async function makeHarness(startFrom: (snapshot: Snapshot) => Snapshot = (snapshot) => snapshot): Promise<Harness> {
  const guest = await makeGuest()
  const folder = mkdtempSync(join(tmpdir(), 'socklet-worker-'))
  const turns = new Turns(THREADS)
  const spare = new Spare({ snapshot: startFrom(openSnapshot(guest.snapshot)), turns, onCatastrophe: (message) => void process.stderr.write(`${message}\n`) })
  const sharedStore = openSharedStore(join(folder, 'shared.db'))
  const ends: (() => void)[] = []
  let links = 0

  async function makeEnd(onFrame: (head: FrameHead, payload: Buffer) => void = () => {}, whole: (bytes: Uint8Array, start: number, end: number) => Uint8Array | null = () => null): Promise<FarEnd> {
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
    const splitter = new FrameSplitter((bytes, start, end) => {
      const other = whole(bytes, start, end)
      const frame = other === null ? { head: readHead(bytes, start), payload: Buffer.from(bytes.subarray(start + HEADER_BYTES, end)) } : { head: readHead(other, 0), payload: Buffer.from(other.subarray(HEADER_BYTES)) }
      frames.push(frame)
      onFrame(frame.head, frame.payload)
    })
    far.on('data', (chunk: Buffer) => splitter.push(chunk))
    ends.push(() => {
      near.destroy()
      far.destroy()
    })
    return { link: new Link(near, { onFrame: () => {} }), frames }
  }

  return {
    turns,
    sharedStore,
    start: async (code, options = {}) => {
      const appid = options.appid ?? `app-${links}`
      const { lease, records } = await sharedStore.open(appid)
      const changes: Uint8Array[] = []
      let parts: Uint8Array[] = []
      let held: { write: () => void; sequence: number }[] = []
      const pool = await makeEnd((head, payload) => {
        options.onPoolFrame?.(head, payload)
        if (head.type !== FrameType.SHARED) return
        parts.push(payload)
        if ((head.flags & Flag.END) === 0) return
        const change = Buffer.concat(parts)
        parts = []
        changes.push(change)
        const write = (): void =>
          void sharedStore.write(appid, lease, change, { bytes: 2 ** 30 }).then(
            () => app.onStored(head.sequence, false),
            (error: Error) => downs.push(`store: ${error.message}`)
          )
        if (options.holdsChanges) held.push({ write, sequence: head.sequence })
        else write()
      })
      const kept = new KeptMessages()
      const gateways = await Promise.all(Array.from({ length: options.gateways ?? 1 }, (_, index) => makeEnd((head, payload) => kept.settle(index, head, payload), (bytes, start, end) => kept.whole(index, bytes, start, end))))
      const downs: string[] = []
      const faults: TestApp['faults'] = []
      const tainted: string[] = []
      const functions = Object.entries({ __websocket__: code, ...options.functions }).map(([name, one]) => ({ name, version: 1, code: one }))
      const release: AppRelease = { appid: 'test', functions, modules: options.modules ? guest.modules : [], env: {}, secret: options.secret ?? 'of the test', limits: { ...DEFAULT_LIMITS, ...options.limits } }
      const app: App = new App({
        app: 7,
        generation: 3,
        release,
        spare,
        state: Promise.resolve(options.stateAfter).then(() => records),
        watchMs: 0,
        gateways: gateways.map(({ link }) => link),
        pool: pool.link,
        turns,
        isAlone: () => options.isAlone === true,
        onDown: (reason, fault) => {
          downs.push(reason)
          faults.push(fault)
        },
        onIdle: () => void test.idles++,
        onTainted: (reason) => void tainted.push(reason)
      })
      ends.push(() => app.dispose())
      const takeHeld = (): typeof held => {
        const taken = held
        held = []
        return taken
      }
      const test = makeTestApp({
        app,
        gateways,
        kept,
        pool,
        downs,
        faults,
        tainted,
        changes,
        store: () => takeHeld().forEach(({ write }) => write()),
        refuse: () => takeHeld().forEach(({ sequence }) => app.onStored(sequence, true))
      })
      if (options.attaches !== false) for (const index of gateways.keys()) test.attached(index)
      return test
    },
    close: () => {
      for (const end of ends) end()
      void sharedStore.close()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

function makeTestApp(parts: Pick<TestApp, 'app' | 'gateways' | 'kept' | 'pool' | 'downs' | 'faults' | 'tainted' | 'changes' | 'store' | 'refuse'>): TestApp {
  let sequence = 0
  const { app, gateways, kept, pool, downs } = parts
  const gateway = gateways[0]!
  const test: TestApp = {
    ...parts,
    gateway,
    idles: 0,
    attached: (from) => app.receive(encodeFrame({ type: FrameType.ATTACHED, flags: 0, gateway: from, app: 7, generation: 3, connection: 0, sequence: 0 }), 0, HEADER_BYTES),
    event: (type, connection, payload, flags = 0, from = 0) => {
      sequence++
      const bytes = Buffer.from(payload as string)
      if (type === FrameType.MESSAGE) kept.add(from, sequence, bytes)
      app.receive(encodeFrame({ type, flags, gateway: from, app: 7, generation: 3, connection, sequence }, bytes), 0, HEADER_BYTES + bytes.byteLength)
      return sequence
    },
    open: (connection, { type = FrameType.OPEN, gateway: from = 0, data, ...head } = {}) =>
      test.event(type, connection, openPayload({ id: from === 0 ? `id-${connection}` : `id-${from}-${connection}`, url: '/', headers: {}, protocol: '', extensions: '', ...head }, data), 0, from),
    until: async (found) => {
      for (const end = Date.now() + 10_000; ; ) {
        const answer = found(gateway.frames)
        if (answer) return answer
        if (Date.now() > end) throw new Error(`in vain; ${gateway.frames.length} frames, the last of types ${gateway.frames.slice(-50).map(({ head }) => head.type).join()} downs: ${downs.join()} logs: ${JSON.stringify(test.logs())}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    logs: () => pool.frames.filter(({ head }) => head.type === FrameType.LOG).map(({ payload }) => decodeLogLine(payload)),
    texts: () => gateway.frames.filter(({ head }) => head.type === FrameType.SEND).map(({ payload }) => payload.toString())
  }
  return test
}

/** Payload of OPEN and ATTACH. */
export function openPayload(head: ConnectionHead, data?: Uint8Array): Uint8Array {
  return withHead(JSON.stringify(head), data)
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

/** Frames of one type. */
export function framesOf(test: TestApp, type: number): FarEnd['frames'] {
  return test.gateway.frames.filter(({ head }) => head.type === type)
}

/** u32s as a payload. */
export function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, index * 4)
  return bytes
}

/** Payload of CLOSED. */
export function closed(code: number, reason = ''): Buffer {
  return Buffer.from([code & 0xff, code >> 8, ...Buffer.from(reason)])
}
