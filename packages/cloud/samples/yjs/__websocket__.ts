// Yjs documents that clients edit together, with who is there and where their cursors are (awareness). The protocol is
// that of y-websocket:
//
//   new WebsocketProvider('wss://…/__websocket__', 'my-document', doc)
//
// It imports npm packages. Bundle them into the source before it is published, and leave to the platform what it has:
//
//   npm install yjs y-protocols lib0
//   npx esbuild __websocket__.ts --bundle --format=esm --platform=browser --external:@socklet/cloud --outfile=out.js
//
// The documents live in this module. Their updates are kept in cloud.shared as well, from which a newly published
// version, which starts with no documents, has them again. As bytes and not as documents, because the new version has a
// Yjs of its own (which logs that it "was already imported"), and objects of one Yjs are strange to another.
import cloud from '@socklet/cloud'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness'
import { readSyncMessage, writeSyncStep1, writeUpdate } from 'y-protocols/sync'
import * as Y from 'yjs'

type Socket = FunctionContext['socket']

const SYNC = 0
const AWARENESS = 1
const QUERY_AWARENESS = 3

/** So many updates are merged into one. */
const MERGE_AT = 200

interface Shared {
  doc: Y.Doc
  awareness: Awareness
}

const docs = new Map<string, Shared>()

export async function main(ctx: FunctionContext) {
  const { socket } = ctx

  if (ctx.method === 'WebSocket:connection') {
    socket.docName = new URL(ctx.url!, 'ws://host').pathname
    socket.clientIds = new Set()
    welcome(socket)
  }

  if (ctx.method === 'WebSocket:message') onMessage(socket, new Uint8Array(ctx.params.data))

  if (ctx.method === 'WebSocket:close') {
    const { awareness } = open(socket.docName)
    removeAwarenessStates(awareness, [...socket.clientIds], 'closed')
    if (peersOf(socket.docName).length === 0) close(socket.docName)
  }
}

function welcome(socket: Socket) {
  const { doc, awareness } = open(socket.docName)
  const encoder = start(SYNC)
  writeSyncStep1(encoder, doc)
  socket.send(encoding.toUint8Array(encoder))
  sendAwareness([socket], awareness, [...awareness.getStates().keys()])
}

function onMessage(socket: Socket, message: Uint8Array) {
  const { doc, awareness } = open(socket.docName)
  const decoder = decoding.createDecoder(message)
  const type = decoding.readVarUint(decoder)

  if (type === SYNC) {
    const encoder = start(SYNC)
    readSyncMessage(decoder, encoder, doc, socket)
    // Longer than its type: there is an answer in it.
    if (encoding.length(encoder) > 1) socket.send(encoding.toUint8Array(encoder))
  }
  if (type === AWARENESS) applyAwarenessUpdate(awareness, decoding.readVarUint8Array(decoder), socket)
  if (type === QUERY_AWARENESS) sendAwareness([socket], awareness, [...awareness.getStates().keys()])
}

function open(name: string): Shared {
  const known = docs.get(name)
  if (known) return known

  const doc = new Y.Doc()
  for (const update of updatesOf(name)) Y.applyUpdate(doc, update)
  doc.on('update', (update: Uint8Array, origin: Socket) => {
    keep(name, update)
    const encoder = start(SYNC)
    writeUpdate(encoder, update)
    const bytes = encoding.toUint8Array(encoder)
    for (const socket of peersOf(name)) if (socket !== origin) socket.send(bytes)
  })

  const awareness = new Awareness(doc)
  awareness.setLocalState(null)
  awareness.on('update', ({ added, updated, removed }: Record<string, number[]>, origin: Socket | string) => {
    if (typeof origin === 'object') added!.forEach((id) => origin.clientIds.add(id))
    sendAwareness(peersOf(name), awareness, [...added!, ...updated!, ...removed!])
  })

  const shared = { doc, awareness }
  docs.set(name, shared)
  return shared
}

/** Nobody has it open any more: what is in cloud.shared is enough. */
function close(name: string) {
  docs.get(name)?.doc.destroy()
  docs.delete(name)
}

function updatesOf(name: string): Uint8Array[] {
  return cloud.shared.get(`doc ${name}`) ?? []
}

function keep(name: string, update: Uint8Array) {
  const updates = [...updatesOf(name), update]
  cloud.shared.set(`doc ${name}`, updates.length < MERGE_AT ? updates : [Y.mergeUpdates(updates)])
}

function peersOf(name: string): Socket[] {
  return [...cloud.sockets].filter((socket) => socket.docName === name)
}

function start(type: number): encoding.Encoder {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, type)
  return encoder
}

function sendAwareness(sockets: Socket[], awareness: Awareness, clientIds: number[]) {
  if (clientIds.length === 0) return
  const encoder = start(AWARENESS)
  encoding.writeVarUint8Array(encoder, encodeAwarenessUpdate(awareness, clientIds))
  const bytes = encoding.toUint8Array(encoder)
  for (const socket of sockets) socket.send(bytes)
}
