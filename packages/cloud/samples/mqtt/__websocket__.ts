// A small MQTT broker (3.1.1, QoS 0 and 1), for the clients that speak MQTT over WebSocket:
//
//   mqtt.connect('wss://…/__websocket__')
//
// It has wildcards, retained messages and last wills, and no sessions that outlive a connection. `createWebSocketStream`
// of ws makes a stream of bytes of the socket, since an MQTT packet may come in pieces, or several in one message.
//
// It imports an npm package. Bundle it into the source before it is published, and leave to the platform what it has:
//
//   npm install mqtt-packet
//   npx esbuild __websocket__.ts --bundle --format=esm --platform=browser --outfile=out.js \
//     --external:@socklet/cloud --external:ws --external:buffer --external:events --external:stream
import cloud from '@socklet/cloud'
import { generate, parser, type IConnectPacket, type IPublishPacket, type ISubscribePacket, type IUnsubscribePacket, type Packet } from 'mqtt-packet'
import { createWebSocketStream } from 'ws'
import { matches } from './topics.ts'

/** A client that has sent CONNECT. */
class Client {
  readonly id: string
  /** The highest QoS it wants, by topic filter. */
  readonly filters = new Map<string, number>()
  will: IConnectPacket['will']
  private readonly write: (packet: Packet) => void
  private lastMessageId = 0

  constructor(packet: IConnectPacket, write: (packet: Packet) => void) {
    this.id = packet.clientId
    this.will = packet.will
    this.write = write
  }

  receive(packet: IPublishPacket, retain = false) {
    const wanted = [...this.filters].filter(([filter]) => matches(filter, packet.topic)).map(([, qos]) => qos)
    if (wanted.length === 0) return
    const qos = Math.min(packet.qos, Math.max(...wanted)) as 0 | 1
    this.lastMessageId = (this.lastMessageId % 65_535) + 1
    this.write({ cmd: 'publish', topic: packet.topic, payload: packet.payload, qos, retain, dup: false, messageId: this.lastMessageId })
  }
}

const clients = new Set<Client>()

/** The last retained message of each topic. */
function retained(): Map<string, IPublishPacket> {
  if (!cloud.shared.has('retained')) cloud.shared.set('retained', new Map())
  return cloud.shared.get('retained')
}

export async function main(ctx: FunctionContext) {
  if (ctx.method === 'WebSocket:connection') serve(ctx.socket)
}

function serve(socket: FunctionContext['socket']) {
  const stream = createWebSocketStream(socket)
  const packets = parser()
  let client: Client | undefined
  let lastHeard = Date.now()
  let keepalive: ReturnType<typeof setInterval> | undefined

  const write = (packet: Packet) => stream.write(generate(packet))
  stream.on('data', (bytes: Buffer) => packets.parse(bytes))
  // 'end' when the client closes the connection, 'close' when we do, 'error' when it breaks.
  for (const event of ['end', 'close', 'error']) stream.on(event, end)
  packets.on('error', () => stream.destroy())

  packets.on('packet', (packet: Packet) => {
    lastHeard = Date.now()
    if (packet.cmd === 'connect') connect(packet)
    else if (client) handle(client, packet)
    else stream.destroy()
  })

  function connect(packet: IConnectPacket) {
    client = new Client(packet, write)
    clients.add(client)
    write({ cmd: 'connack', returnCode: 0, sessionPresent: false })
    // MQTT 3.1.1, 3.1.2.10: a client that is silent for one and a half times its keep alive is gone.
    const patience = (packet.keepalive ?? 0) * 1500
    if (patience > 0) keepalive = setInterval(() => Date.now() - lastHeard > patience && stream.destroy(), patience / 3)
  }

  function handle(from: Client, packet: Packet) {
    if (packet.cmd === 'publish') {
      publish(packet)
      if (packet.qos === 1) write({ cmd: 'puback', messageId: packet.messageId })
    }
    if (packet.cmd === 'subscribe') subscribe(from, packet, write)
    if (packet.cmd === 'unsubscribe') unsubscribe(from, packet, write)
    if (packet.cmd === 'pingreq') write({ cmd: 'pingresp' })
    if (packet.cmd === 'disconnect') {
      // A client that says goodbye leaves no will.
      from.will = undefined
      stream.end()
    }
  }

  function end() {
    clearInterval(keepalive)
    if (!client || !clients.delete(client)) return
    console.log(`${client.id} has gone`)
    const { will } = client
    if (will) publish({ cmd: 'publish', topic: will.topic, payload: will.payload, qos: will.qos ?? 0, retain: will.retain ?? false, dup: false })
  }
}

function publish(packet: IPublishPacket) {
  if (packet.retain && packet.payload.length === 0) retained().delete(packet.topic)
  // Plain data: what is in cloud.shared comes back without its class.
  else if (packet.retain) retained().set(packet.topic, { ...packet })
  for (const client of clients) client.receive(packet)
}

function subscribe(client: Client, packet: ISubscribePacket, write: (packet: Packet) => void) {
  const granted = packet.subscriptions.map(({ topic, qos }) => {
    client.filters.set(topic, Math.min(qos, 1))
    return Math.min(qos, 1)
  })
  write({ cmd: 'suback', messageId: packet.messageId, granted })
  for (const { topic: filter } of packet.subscriptions) {
    for (const message of retained().values()) if (matches(filter, message.topic)) client.receive(message, true)
  }
}

function unsubscribe(client: Client, packet: IUnsubscribePacket, write: (packet: Packet) => void) {
  for (const filter of packet.unsubscriptions) client.filters.delete(filter)
  write({ cmd: 'unsuback', messageId: packet.messageId, granted: [] })
}
