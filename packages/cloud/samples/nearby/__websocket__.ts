// Devices behind the same address find each other and exchange messages, as in Snapdrop: whoever has the same public
// address is most likely in the same house.
//
//   ← { "type": "display-name", "id", "name" }      who you are
//   ← { "type": "peers", "peers": [{ "id", "name" }] }      who was there before you
//   ← { "type": "peer-joined", "peer" } and { "type": "peer-left", "id" }
//   → { "to": ID, … }      reaches that peer as { "sender": YOUR_ID, … }
import cloud from '@socklet/cloud'

type Socket = FunctionContext['socket']

interface Peer {
  id: string
  name: string
  address: string
  socket: Socket
}

type House = Map<string, Peer>

export async function main(ctx: FunctionContext) {
  if (ctx.method === 'WebSocket:connection') join(peerOf(ctx))

  // Kept with the connection, whatever happens to the code behind it; a property of the socket would not be.
  const { id, address } = ctx.socket.data ?? {}
  if (!id) return

  if (ctx.method === 'WebSocket:message') {
    const { to, ...message } = JSON.parse(ctx.params.data.toString())
    if (message.type === 'disconnect') ctx.socket.close(1000, 'bye')
    send(houseOf(address).get(to), { ...message, sender: id })
  }

  if (ctx.method === 'WebSocket:close') leave(id, address)
}

function peerOf({ socket, headers }: FunctionContext): Peer {
  // Not the first of x-forwarded-for, which a client may write itself: it could then enter any house.
  const address = String(headers['x-real-ip'])
  const name = `${pick(COLOURS)} ${pick(ANIMALS)} (${deviceOf(String(headers['user-agent']))})`
  return { id: Math.random().toString(36).slice(2, 12), name, address, socket }
}

function infoOf({ id, name }: Peer) {
  return { id, name }
}

function send(peer: Peer | undefined, message: object) {
  peer?.socket.send(JSON.stringify(message))
}

function houseOf(address: string): House {
  const houses: Map<string, House> = cloud.shared.get('houses') ?? new Map()
  cloud.shared.set('houses', houses)
  if (!houses.has(address)) houses.set(address, new Map())
  return houses.get(address)!
}

function join(peer: Peer) {
  const house = houseOf(peer.address)
  for (const other of house.values()) send(other, { type: 'peer-joined', peer: infoOf(peer) })
  send(peer, { type: 'display-name', ...infoOf(peer) })
  send(peer, { type: 'peers', peers: [...house.values()].map(infoOf) })
  house.set(peer.id, peer)
  peer.socket.data = { id: peer.id, address: peer.address }
}

function leave(id: string, address: string) {
  const house = houseOf(address)
  house.delete(id)
  if (house.size === 0) cloud.shared.get('houses').delete(address)
  for (const other of house.values()) send(other, { type: 'peer-left', id })
}

const COLOURS = ['amber', 'azure', 'coral', 'ivory', 'lilac', 'olive', 'scarlet', 'teal']
const ANIMALS = ['beaver', 'crane', 'dormouse', 'falcon', 'hare', 'otter', 'seal', 'wren']

function pick(words: string[]): string {
  return words[Math.floor(Math.random() * words.length)]!
}

// Those that call themselves another as well come before it: Android says Linux too, and an iPad Mac.
const DEVICES = ['iPhone', 'iPad', 'Android', 'Windows', 'Mac', 'Linux']

function deviceOf(userAgent: string): string {
  return DEVICES.find((device) => userAgent.includes(device)) ?? 'unknown device'
}
