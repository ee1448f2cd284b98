import { once } from 'node:events'
import { WebSocket, type ClientOptions } from 'ws'

/** A client that keeps what it receives until the test asks for it. */
export interface Client {
  readonly ws: WebSocket
  /** The next message that nobody has taken yet. Texts as string, binary as Buffer. */
  next(timeoutMs?: number): Promise<string | Buffer>
  /** Takes texts until one matches. */
  nextMatching(pattern: RegExp, timeoutMs?: number): Promise<string>
  /** Code and reason of the close. */
  readonly closed: Promise<{ code: number; reason: string }>
  send(data: string | Buffer): void
  close(code?: number, reason?: string): Promise<{ code: number; reason: string }>
  /** Messages that are there and not taken. */
  readonly waiting: number
}

const TIMEOUT_MS = 20_000

/** Connects and waits for the opening handshake. @throws Error with the HTTP status if the upgrade is refused. */
export async function connect(url: string, options: ClientOptions & { protocols?: string[] } = {}): Promise<Client> {
  const { protocols = [], ...rest } = options
  const ws = new WebSocket(url, protocols, rest)
  const messages: (string | Buffer)[] = []
  const takers: ((message: string | Buffer) => void)[] = []
  ws.on('message', (data: Buffer, isBinary) => {
    const message = isBinary ? data : data.toString()
    const taker = takers.shift()
    if (taker === undefined) messages.push(message)
    else taker(message)
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) => ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() })))
  await once(ws, 'open')
  ws.on('error', () => {})
  const next = (timeoutMs = TIMEOUT_MS): Promise<string | Buffer> => {
    const message = messages.shift()
    if (message !== undefined) return Promise.resolve(message)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no message within ${timeoutMs} ms`)), timeoutMs)
      takers.push((taken) => {
        clearTimeout(timer)
        resolve(taken)
      })
    })
  }
  return {
    ws,
    closed,
    next,
    nextMatching: async (pattern, timeoutMs = TIMEOUT_MS) => {
      for (;;) {
        const message = String(await next(timeoutMs))
        if (pattern.test(message)) return message
      }
    },
    send: (data) => ws.send(data),
    close: (code, reason) => {
      ws.close(code, reason)
      return closed
    },
    get waiting() {
      return messages.length
    }
  }
}
