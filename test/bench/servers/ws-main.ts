/**
 * The measure of all ratios: a bare `ws` server that does what the functions in functions.ts do. Prints its port.
 * It ends when its standard input ends.
 */
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'

process.stdin.resume().on('end', () => process.exit(0))
process.on('SIGINT', () => {})

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })

server.on('connection', (socket: WebSocket, { url }) => {
  socket.on('error', () => {})
  if (url === '/broadcast') {
    socket.on('message', (data: Buffer) => {
      const text = data.toString()
      server.clients.forEach((client) => client.send(text))
    })
  } else {
    socket.on('message', (data: Buffer, isBinary) => socket.send(isBinary ? data : data.toString()))
  }
})
server.on('listening', () => process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`))
