import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { BSON } from 'mongodb'

const OP_MSG = 2013
const OP_REPLY = 1
const HEADER_BYTES = 16

/** What a `mongod` that was started without --replSet says of itself; nothing else is known here. */
const HELLO = { ismaster: true, isWritablePrimary: true, helloOk: true, minWireVersion: 0, maxWireVersion: 21, maxBsonObjectSize: 16 * 1024 * 1024, ok: 1 }

function answer(request: Buffer): Buffer {
  const isMessage = request.readInt32LE(12) === OP_MSG
  const body = BSON.serialize(HELLO)
  // OP_MSG: flags and the kind of the section; OP_REPLY: flags, cursor id, first of how many documents.
  const before = isMessage ? Buffer.alloc(5) : Buffer.alloc(20)
  if (!isMessage) before.writeInt32LE(1, 16)
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeInt32LE(HEADER_BYTES + before.byteLength + body.byteLength, 0)
  header.writeInt32LE(request.readInt32LE(4), 8)
  header.writeInt32LE(isMessage ? OP_MSG : OP_REPLY, 12)
  return Buffer.concat([header, before, body])
}

function serve(socket: Socket): void {
  let waiting = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk])
    while (waiting.byteLength >= HEADER_BYTES && waiting.byteLength >= waiting.readInt32LE(0)) {
      const length = waiting.readInt32LE(0)
      socket.write(answer(waiting.subarray(0, length)))
      waiting = waiting.subarray(length)
    }
  })
}

/** A server that looks like a MongoDB that is no member of a replica set. */
export async function startStandalone(): Promise<{ url: string; close(): void }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    }
  }
}
