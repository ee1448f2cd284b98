// The signalling server of y-webrtc: peers subscribe to topics, and publish what others need to reach them directly.
//
//   new WebrtcProvider('room', doc, { signaling: ['wss://…/__websocket__'] })
//
// Written as y-webrtc's own server is, with listeners on the socket.

type Socket = FunctionContext['socket']

/** Milliseconds between pings. A peer that has not answered one when the next is due has gone. */
const PING_MS = Number(process.env.PING_MS ?? 30_000)

const topics = new Map<string, Set<Socket>>()

export async function main(ctx: FunctionContext) {
  if (ctx.method === 'WebSocket:connection') onConnection(ctx.socket)
}

function onConnection(conn: Socket) {
  const subscribed = new Set<string>()

  let pongReceived = true
  const pinging = setInterval(() => {
    if (!pongReceived) {
      conn.terminate()
      return
    }
    pongReceived = false
    conn.ping()
  }, PING_MS)
  conn.on('pong', () => {
    pongReceived = true
  })

  conn.on('close', () => {
    clearInterval(pinging)
    for (const topic of subscribed) unsubscribe(conn, topic)
  })

  conn.on('message', (data) => {
    const message = JSON.parse(data.toString())
    switch (message.type) {
      case 'subscribe':
        for (const topic of message.topics ?? []) {
          subscribed.add(topic)
          subscribe(conn, topic)
        }
        break
      case 'unsubscribe':
        for (const topic of message.topics ?? []) {
          subscribed.delete(topic)
          unsubscribe(conn, topic)
        }
        break
      case 'publish': {
        const receivers = topics.get(message.topic)
        if (!receivers) break
        message.clients = receivers.size
        receivers.forEach((receiver) => send(receiver, message))
        break
      }
      case 'ping':
        send(conn, { type: 'pong' })
    }
  })
}

function subscribe(conn: Socket, topic: string) {
  const subscribers = topics.get(topic) ?? new Set()
  topics.set(topic, subscribers.add(conn))
}

function unsubscribe(conn: Socket, topic: string) {
  const subscribers = topics.get(topic)
  subscribers?.delete(conn)
  if (subscribers?.size === 0) topics.delete(topic)
}

function send(conn: Socket, message: object) {
  if (conn.readyState !== conn.OPEN) return
  conn.send(JSON.stringify(message), (error) => {
    if (error) conn.close()
  })
}
