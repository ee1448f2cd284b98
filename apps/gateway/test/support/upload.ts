import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { until } from './until.ts'

/** A request whose body comes when the test says so. */
export class Upload {
  readonly socket: Socket
  text = ''

  constructor(socket: Socket) {
    this.socket = socket.on('error', () => {}).on('data', (part) => {
      this.text += part.toString()
    })
  }

  /** 0 if there is no answer yet. */
  get status(): number {
    return Number(/^HTTP\/1.1 (\d+)/.exec(this.text)?.[1] ?? 0)
  }

  chunk(bytes: number): void {
    this.socket.write(`${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`)
  }

  end(): void {
    this.socket.write('0\r\n\r\n')
  }

  async answered(): Promise<number> {
    await until(() => this.status !== 0, 'the answer')
    return this.status
  }
}

/** `header` says how long the body will be, or that it comes in chunks. */
export async function upload(port: number, path: string, header = 'transfer-encoding: chunked'): Promise<Upload> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`)
  return new Upload(socket)
}
