import { Flag, FrameType, HEADER_BYTES, Link, NO_ROOM, readHead, readU32, readU16, writeU16, paddedLength, splitHead, withHead, writeU32, type FrameHead, type ConnectionHead, type RequestHead, type UpgradeResult, type ResponseHead } from '@socklet/protocol'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { until } from './until.ts'

/** An event as the worker got it. */
export interface Got extends FrameHead {
  payload: Buffer
  text: string
}

export const NAMES = Object.fromEntries(Object.entries(FrameType).map(([name, type]) => [type, name])) as Record<number, string>

/** A worker as the gateway sees it: keeps what it gets, and sends what the test says. */
export class FakeWorker {
  readonly events: Got[] = []
  /** The gateway has said that all connections are attached: apps and generations, and after how many events. */
  readonly attached: { app: number; generation: number; after: number }[] = []
  readonly link: Link
  readonly socket: Socket
  closed = false
  /** Is called for each event; `echo` and others. */
  onEvent: (event: Got) => void = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    this.link = new Link(socket, {
      onFrame: (bytes, start, end) => {
        const payload = Buffer.from(bytes.subarray(start + HEADER_BYTES, end))
        const event = { ...readHead(bytes, start), payload, text: payload.toString() }
        if (event.type === FrameType.ATTACHED) {
          this.attached.push({ app: event.app, generation: event.generation, after: this.events.length })
          return
        }
        this.events.push(event)
        this.onEvent(event)
      },
      onClose: () => {
        this.closed = true
      }
    })
  }

  /** What came, in short: `OPEN`, `MESSAGE hello`, `CLOSED 1000 bye`, with `again` if redelivered. */
  get log(): string[] {
    return this.events.map(describe)
  }

  count(type: number): number {
    return this.events.filter((event) => event.type === type).length
  }

  /** The n-th event of this type, once it is there. */
  async got(type: number, index = 0): Promise<Got> {
    await until(() => this.count(type) > index, () => `${NAMES[type]} ${index}, got ${this.log.join(', ')}`)
    return this.events.filter((event) => event.type === type)[index]!
  }

  command(type: number, to: FrameHead, payload: Uint8Array = new Uint8Array(0), flags = 0, sequence = 0): void {
    this.link.send({ ...to, type, flags, sequence }, payload)
  }

  send(to: FrameHead, data: string | Buffer): void {
    this.command(FrameType.SEND, to, Buffer.from(data), typeof data === 'string' ? 0 : Flag.BINARY)
  }

  sendMany(to: FrameHead, connections: number[], data: string): void {
    const message = Buffer.from(data)
    const receivers = 4 + paddedLength(message.byteLength)
    const payload = Buffer.alloc(receivers + connections.length * 4)
    writeU32(payload, 0, message.byteLength)
    payload.set(message, 4)
    connections.forEach((connection, index) => writeU32(payload, receivers + index * 4, connection))
    this.command(FrameType.SEND_MANY, to, payload)
  }

  /** `room` null: to all of the app. */
  sendRoom(to: FrameHead, room: string | null, except: { gateway: number; connection: number }[], data: string | Buffer): void {
    const name = Buffer.from(room ?? '')
    const head = Buffer.alloc(8 + paddedLength(name.byteLength) + except.length * 8)
    writeU32(head, 0, room === null ? NO_ROOM : name.byteLength)
    head.set(name, 4)
    const pairs = 8 + paddedLength(name.byteLength)
    writeU32(head, pairs - 4, except.length)
    except.forEach(({ gateway, connection }, index) => {
      writeU32(head, pairs + index * 8, gateway)
      writeU32(head, pairs + index * 8 + 4, connection)
    })
    this.command(FrameType.SEND_ROOM, { ...to, connection: 0 }, Buffer.concat([head, Buffer.from(data)]), typeof data === 'string' ? 0 : Flag.BINARY)
  }

  decide(to: FrameHead, result: UpgradeResult | string, rest: string | Buffer = ''): void {
    this.command(FrameType.UPGRADE_RESULT, to, withHead(typeof result === 'string' ? result : JSON.stringify(result), Buffer.from(rest)))
  }

  close(to: FrameHead, code: number, reason = ''): void {
    const payload = Buffer.alloc(2)
    writeU16(payload, 0, code)
    this.command(FrameType.CLOSE, to, Buffer.concat([payload, Buffer.from(reason)]))
  }

  ack(...events: FrameHead[]): void {
    for (const event of events) this.ackRange(event, event.sequence, event.sequence)
  }

  ackRange(to: FrameHead, first: number, last: number): void {
    const pair = Buffer.alloc(8)
    writeU32(pair, 0, first)
    writeU32(pair, 4, last)
    this.command(FrameType.ACK, { ...to, connection: 0 }, pair)
  }

  /** `over`: the turn in which it started has ended. */
  started(event: FrameHead, over = false): void {
    this.link.send({ ...event, type: FrameType.STARTED, flags: over ? Flag.END : 0 })
  }

  respond(to: FrameHead, head: unknown, body = '', end = true): void {
    this.command(FrameType.RESPONSE, to, withHead(typeof head === 'string' ? head : JSON.stringify(head), Buffer.from(body)), end ? Flag.END : 0)
  }

  part(to: FrameHead, body: string | Buffer, end = false): void {
    this.command(FrameType.RESPONSE_PART, to, Buffer.from(body), end ? Flag.END : 0)
  }

  /** From now on: every message is sent back, every event acknowledged. */
  echo(): void {
    this.onEvent = (event) => {
      if (event.type === FrameType.MESSAGE) this.command(FrameType.SEND, event, event.payload, event.flags & Flag.BINARY)
      if (event.type === FrameType.REQUEST) this.respond(event, { status: 200, headers: [['x-app', String(event.app)]] } satisfies ResponseHead, requestOf(event).head.url)
      if (event.type >= FrameType.OPEN && event.type <= FrameType.REQUEST) this.ack(event)
    }
  }

  /** The isolate that had this event is gone. */
  gone({ app, generation, gateway }: FrameHead): void {
    this.link.send({ type: FrameType.GONE, flags: 0, gateway, app, generation, connection: 0, sequence: 0 })
  }

  kill(): void {
    this.socket.destroy()
  }
}

/** Connects as the pool does for its workers, and says whose link it is. */
export async function connectWorker(path: string, worker: number): Promise<FakeWorker> {
  const socket = connect(path)
  await once(socket, 'connect')
  const fake = new FakeWorker(socket)
  const head: FrameHead = { type: FrameType.NOTE, flags: 0, gateway: 0, app: 0, generation: 0, connection: 0, sequence: 0 }
  fake.link.sendText(head, JSON.stringify({ method: 'hello', params: { worker } }))
  fake.link.flush()
  return fake
}

/** Head and `socket.data` of an OPEN or ATTACH. */
export function openingOf({ payload }: Got): { head: ConnectionHead; data: string } {
  const { head, rest } = splitHead(payload)
  return { head: JSON.parse(String(head)) as ConnectionHead, data: String(rest) }
}

export function requestOf(event: Got): { head: RequestHead; body: Buffer } {
  const { head, rest } = splitHead(event.payload)
  return { head: JSON.parse(String(head)) as RequestHead, body: rest }
}

function describe(event: Got): string {
  const again = event.flags & Flag.REDELIVERED ? ' again' : ''
  if (event.type === FrameType.MESSAGE) return `MESSAGE ${event.text}${again}`
  if (event.type === FrameType.CLOSED) return `CLOSED ${readU16(event.payload, 0)} ${event.payload.toString('utf8', 2)}${again}`.trim()
  if (event.type === FrameType.PING || event.type === FrameType.PONG) return `${NAMES[event.type]} ${event.text}`
  if (event.type === FrameType.SENT) {
    const sequences = Array.from({ length: event.payload.byteLength / 4 }, (_, index) => readU32(event.payload, index * 4))
    return `SENT ${sequences.join(' ')}${event.flags & Flag.FAILED ? ' failed' : ''}`
  }
  return `${NAMES[event.type]}${again}`
}
