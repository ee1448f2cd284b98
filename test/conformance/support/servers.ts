import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { startPlatform } from '../../support/platform.ts'

/** A server that sends each message back, the platform with an echo function or a bare `ws`: what holds for one holds for the other. */
export interface EchoServer {
  port: number
  path: string
  close(): Promise<void>
}

export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024

/** Closes when it is told to: `close`, `close 4001` or `close 4001 reason`. */
export const ECHO = `
  export function main(ctx) {
    if (ctx.method !== 'WebSocket:message') return
    const { data, isBinary } = ctx.params
    const close = /^close(?: (\\d+))?(?: (.*))?$/.exec(isBinary || data.length > 200 ? '' : data.toString())
    if (close === null) ctx.socket.send(isBinary ? data : data.toString())
    else ctx.socket.close(...close.slice(1).filter((part) => part !== undefined).map((part, index) => (index === 0 ? Number(part) : part)))
  }`

async function startSocklet(): Promise<EchoServer> {
  const platform = await startPlatform()
  await platform.app('echo', { __websocket__: ECHO })
  const limits = { messageBytes: MAX_MESSAGE_BYTES, messagesPerSecond: 1_000_000, queueBytes: 4 * MAX_MESSAGE_BYTES, sendBufferBytes: 4 * MAX_MESSAGE_BYTES, turnCpuMs: 60_000 }
  await platform.admin('PATCH', '/apps/echo', { limits })
  return { port: platform.gatewayPort, path: '/echo/__websocket__', close: () => platform.close() }
}

async function startWs(): Promise<EchoServer> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false })
  server.on('connection', (socket) => {
    socket.on('error', () => {})
    socket.on('message', (data: Buffer, isBinary) => {
      const close = /^close(?: (\d+))?(?: (.*))?$/.exec(isBinary || data.length > 200 ? '' : data.toString())
      if (close === null) socket.send(isBinary ? data : data.toString())
      else socket.close(close[1] === undefined ? undefined : Number(close[1]), close[2])
    })
  })
  await new Promise((resolve) => server.once('listening', resolve))
  const stop = (): Promise<void> => {
    for (const client of server.clients) client.terminate()
    return new Promise((resolve) => server.close(() => resolve()))
  }
  return { port: (server.address() as AddressInfo).port, path: '/', close: stop }
}

export const SERVERS = [
  { name: 'socklet', start: startSocklet },
  { name: 'ws', start: startWs }
] as const
