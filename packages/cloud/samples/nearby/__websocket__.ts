// Devices behind the same address find each other and exchange messages, as in Snapdrop: whoever has the same public
// address is most likely in the same house.
//
//   ← { "type": "display-name", "id", "name" }      who you are
//   ← { "type": "peers", "peers": [{ "id", "name" }] }      who was there before you
//   ← { "type": "peer-joined", "peer" } and { "type": "peer-left", "id" }
//   → { "to": ID, … }      reaches that peer as { "sender": YOUR_ID, … }
import cloud from '@socklet/cloud'

type Socket = FunctionContext['socket']

class Peer {
  readonly id = Math.random().toString(36).slice(2, 12)
  readonly socket: Socket
  readonly address: string
  readonly name: string

  constructor(socket: Socket, address: string, userAgent: string) {
    this.socket = socket
    this.address = address
    this.name = `${pick(COLOURS)} ${pick(ANIMALS)} (${deviceOf(userAgent)})`
  }

  get info() {
    return { id: this.id, name: this.name }
  }

  send(message: object) {
    this.socket.send(JSON.stringify(message))
  }
}

type House = Map<string, Peer>

export async function main(ctx: FunctionContext) {
  if (ctx.method === 'WebSocket:connection') join(peerOf(ctx))

  const peer: Peer | undefined = ctx.socket.peer
  if (!peer) return

  if (ctx.method === 'WebSocket:message') {
    const { to, ...message } = JSON.parse(ctx.params.data.toString())
    if (message.type === 'disconnect') ctx.socket.close(1000, 'bye')
    houseOf(peer.address).get(to)?.send({ ...message, sender: peer.id })
  }

  if (ctx.method === 'WebSocket:close') leave(peer)
}

function peerOf({ socket, headers }: FunctionContext): Peer {
  // Not the first of x-forwarded-for, which a client may write itself: it could then enter any house.
  return new Peer(socket, String(headers['x-real-ip']), String(headers['user-agent']))
}

function houseOf(address: string): House {
  const houses: Map<string, House> = cloud.shared.get('houses') ?? new Map()
  cloud.shared.set('houses', houses)
  if (!houses.has(address)) houses.set(address, new Map())
  return houses.get(address)!
}

function join(peer: Peer) {
  const house = houseOf(peer.address)
  for (const other of house.values()) other.send({ type: 'peer-joined', peer: peer.info })
  peer.send({ type: 'display-name', ...peer.info })
  peer.send({ type: 'peers', peers: [...house.values()].map((other) => other.info) })
  house.set(peer.id, peer)
  peer.socket.peer = peer
}

function leave(peer: Peer) {
  const house = houseOf(peer.address)
  house.delete(peer.id)
  if (house.size === 0) cloud.shared.get('houses').delete(peer.address)
  for (const other of house.values()) other.send({ type: 'peer-left', id: peer.id })
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
