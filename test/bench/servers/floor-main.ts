/**
 * The least that an event has to go through if an isolate in another process answers it: a bare `ws` server hands what has come in one
 * turn of its event loop to a process with isolates, in one write, and that enters an isolate once for all that waits for it. No limits, no
 * acknowledgements, no redelivery, no API, no text. What it takes more than `ws` alone, no platform of this shape can do without.
 * With --one-thread the isolates share a thread, which the platform's must not: any of them would stop all others.
 * It knows the paths /echo, /broadcast, and /0, /1… for isolates of their own. Prints its port. It ends when its standard input ends.
 */
import { spawn } from 'node:child_process'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { WebSocketServer, type WebSocket } from 'ws'
import { HEAD_BYTES, LOOPED, Pieces, type Piece } from './floor-pieces.ts'

process.stdin.resume().on('end', () => process.exit(0))
process.on('SIGINT', () => {})

const worker = spawn(process.execPath, ['--no-node-snapshot', fileURLToPath(new URL('floor-worker.ts', import.meta.url)), ...process.argv.slice(2)], { stdio: ['pipe', 'inherit', 'inherit', 'pipe'] })
const link = worker.stdio[3] as Socket
worker.on('exit', (code, signal) => {
  process.stderr.write(`the process with the isolates has ended: ${signal ?? code}\n`)
  process.exit(1)
})
link.on('error', () => {})
const clients = new Map<number, WebSocket>()
let opened = 0
const NOTHING = Buffer.alloc(0)
/** Those at /broadcast. */
const sockets = new Map<number, Socket>()

let waiting: Buffer[] = []

function forward(isolate: number, index: number, data: Buffer): void {
  const head = Buffer.allocUnsafe(HEAD_BYTES)
  head.writeUInt32LE(isolate, 0)
  head.writeUInt32LE(index, 4)
  head.writeUInt32LE(data.byteLength, 8)
  if (waiting.push(head, data) === 2) setImmediate(flush)
}

function flush(): void {
  link.write(Buffer.concat(waiting))
  waiting = []
}

/** Openings and ends of connections are events, too: nothing is to be done when they come back. */
function onAnswer({ isolate, index, data }: Piece): void {
  if (isolate === LOOPED) sendToMany(data)
  else if (data.byteLength > 0) clients.get(index)?.send(data, { binary: false })
}

/** A short text to many: the frame is made once (RFC 6455, 5.2), and goes to the sockets themselves. */
function sendToMany(data: Buffer): void {
  const end = 4 + data.readUInt32LE(0)
  const frame = Buffer.concat([Buffer.of(0x81, end - 4), data.subarray(4, end)])
  for (let at = end; at < data.byteLength; at += 4) sockets.get(data.readUInt32LE(at))?.write(frame)
}

const pieces = new Pieces()
link.on('data', (chunk: Buffer) => {
  for (const piece of pieces.add(chunk)) onAnswer(piece)
})

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
server.on('connection', (client: WebSocket, { url, socket }: IncomingMessage) => {
  const isolate = url === '/broadcast' ? LOOPED : /^\/\d+$/.test(url!) ? Number(url!.slice(1)) : 0
  const index = opened++
  clients.set(index, client)
  if (isolate === LOOPED) sockets.set(index, socket)
  forward(isolate, index, NOTHING)
  client.on('error', () => {})
  client.on('message', (data: Buffer) => forward(isolate, index, data))
  client.on('close', () => {
    clients.delete(index)
    sockets.delete(index)
    forward(isolate, index, NOTHING)
  })
})
server.on('listening', () => process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`))
