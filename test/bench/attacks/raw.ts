import { connect, type Socket } from 'node:net'
import type { Where } from './attack.ts'

/** A connection that sends whatever it is told to, and only looks for how it ends. */
export interface Raw {
  readonly socket: Socket
  /** It is open as a WebSocket. Rejects never: what was refused is in `ended`. */
  readonly open: Promise<boolean>
  /** The status of a refusal, the code of a close frame, or 'lost'. */
  readonly ended: Promise<string>
  isOver: boolean
  /** Sends, and waits while the system takes no more. */
  write(bytes: Uint8Array | string): Promise<void>
}

/** Connects, without a handshake. */
export function openRaw({ port }: Where): Raw {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const open = Promise.withResolvers<boolean>()
  const ended = Promise.withResolvers<string>()
  const raw: Raw = {
    socket,
    open: open.promise,
    ended: ended.promise,
    isOver: false,
    write: (bytes) => {
      if (raw.isOver || socket.write(bytes)) return Promise.resolve()
      return Promise.race([new Promise<void>((done) => socket.once('drain', done)), ended.promise.then(() => {})])
    }
  }
  const over = (outcome: string): void => {
    raw.isOver = true
    open.resolve(false)
    ended.resolve(outcome)
    socket.destroy()
  }
  let isOpen = false
  let head = ''
  socket.on('error', () => {})
  socket.on('close', () => over('lost'))
  socket.on('data', (bytes: Buffer) => {
    if (isOpen) {
      const code = closeCode(bytes)
      if (code !== null) over(code)
      return
    }
    head += bytes.toString('latin1')
    if (!head.includes('\r\n\r\n')) return
    const status = head.slice(9, 12)
    isOpen = status === '101'
    if (isOpen) open.resolve(true)
    else over(status)
  })
  return raw
}

/** Connects and shakes hands. */
export async function shakeHands(where: Where, headers = ''): Promise<Raw> {
  const raw = openRaw(where)
  await raw.write(handshake(where, headers))
  await raw.open
  return raw
}

/** The key is that of the example in RFC 6455, 1.3. */
export function handshake({ path }: Where, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${headers}\r\n`
}

/** A close frame is the last of what a server sends: the code of the one that ends these bytes. */
function closeCode(bytes: Buffer): string | null {
  for (let at = Math.max(0, bytes.length - 127); at + 4 <= bytes.length; at++) {
    if (bytes[at] === 0x88 && bytes.length === at + 2 + bytes[at + 1]!) return String(bytes.readUInt16BE(at + 2))
  }
  return null
}
