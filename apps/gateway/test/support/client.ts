import { connect, type Socket, type TcpNetConnectOpts } from 'node:net'
import { WebSocket, type ClientOptions } from 'ws'
import { until } from './until.ts'

/** A client that keeps what it hears. */
export class Client {
  readonly ws: WebSocket
  /** What is under it: to write what no WebSocket client would, not to read, or to break it. */
  socket!: Socket
  readonly messages: (string | Buffer)[] = []
  code: number | null = null
  reason = ''

  constructor(url: string, protocols: string[] = [], options: ClientOptions = {}) {
    const createConnection = (to: object): Socket => {
      this.socket = connect(to as TcpNetConnectOpts)
      return this.socket
    }
    this.ws = new WebSocket(url, protocols, { perMessageDeflate: false, createConnection: createConnection as typeof connect, ...options })
    this.ws.on('message', (data: Buffer, binary) => this.messages.push(binary ? data : data.toString()))
    this.ws.on('error', () => {})
    this.ws.on('close', (code, reason) => {
      this.code = code
      this.reason = reason.toString()
    })
  }

  async heard(count: number): Promise<(string | Buffer)[]> {
    await until(() => this.messages.length >= count, () => `message ${count}, heard ${this.messages.length}`)
    return this.messages
  }

  async closed(): Promise<number> {
    await until(() => this.code !== null, 'the close')
    return this.code!
  }
}

export async function open(url: string, protocols: string[] = [], options: ClientOptions = {}): Promise<Client> {
  const client = new Client(url, protocols, options)
  await until(() => client.ws.readyState === WebSocket.OPEN || client.code !== null, 'the upgrade')
  return client
}

export interface Refused {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
  /** `error.code` of the JSON */
  code: string
}

/** An upgrade that is expected to be refused. */
export async function refused(url: string, options: ClientOptions = {}): Promise<Refused> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, options)
    ws.on('open', () => {
      ws.terminate()
      reject(new Error('the upgrade was accepted'))
    })
    ws.on('error', reject)
    ws.on('unexpected-response', (_request, response) => {
      let body = ''
      response.on('data', (part: Buffer) => {
        body += part.toString()
      })
      response.on('end', () => {
        const json = body.startsWith('{') ? (JSON.parse(body) as { error: { code: string } }) : null
        resolve({ status: response.statusCode!, headers: response.headers, body, code: json?.error.code ?? '' })
      })
    })
  })
}
