// Watching a film together: everybody in a room sees the same second of it. The first who comes is the host, and only
// the host plays, pauses and seeks. When the host leaves, the one who has been there longest takes over.
//
//   → { "type": "join", "room": "film", "name": "Ann" }
//   → { "type": "play" }, { "type": "pause" }, { "type": "seek", "position": 12.5 }
//   ← { "type": "state", "playing", "position", "at", "host", "people" }      after each change, and in every second while it plays
//
// The rooms are instances of a class, and the names stand on the sockets: both live as long as the code runs, and no longer
// (the log says so of the class). Who wants them to outlive that keeps plain data in cloud.shared and socket.data.
//
// `position` is in seconds of the film, `at` is the server's clock in milliseconds.
import cloud from '@socklet/cloud'

type Socket = FunctionContext['socket']

class Room {
  readonly people: Socket[] = []
  playing = false
  timer: ReturnType<typeof setInterval> | undefined
  private position = 0
  private since = Date.now()

  get host(): Socket | undefined {
    return this.people[0]
  }

  now(): number {
    return this.playing ? this.position + (Date.now() - this.since) / 1000 : this.position
  }

  seek(position: number) {
    this.position = position
    this.since = Date.now()
  }

  state(): string {
    const names = this.people.map((socket) => socket.name)
    return JSON.stringify({ type: 'state', playing: this.playing, position: this.now(), at: Date.now(), host: names[0], people: names })
  }

  tell() {
    const state = this.state()
    this.people.forEach((socket) => socket.send(state))
  }
}

if (!cloud.shared.has('rooms')) cloud.shared.set('rooms', {})
const rooms: Record<string, Room> = cloud.shared.get('rooms')

export async function main(ctx: FunctionContext) {
  const { socket } = ctx

  if (ctx.method === 'WebSocket:message') {
    const message = JSON.parse(ctx.params.data.toString())
    if (message.type === 'join') return join(socket, message)

    const room = rooms[socket.room]
    if (!room) return fail(socket, 'join a room first')
    if (room.host !== socket) return fail(socket, `only ${room.host!.name} can do that`)
    control(room, message)
  }

  if (ctx.method === 'WebSocket:close' && socket.room) leave(socket)
}

function join(socket: Socket, message: { room: string; name: string }) {
  if (socket.room) leave(socket)
  socket.room = message.room
  socket.name = message.name
  const room = (rooms[socket.room] ??= new Room())
  room.people.push(socket)
  room.tell()
}

function control(room: Room, message: { type: string; position: number }) {
  if (message.type === 'play') play(room)
  if (message.type === 'pause') pause(room)
  if (message.type === 'seek') room.seek(message.position)
  room.tell()
}

function play(room: Room) {
  if (room.playing) return
  room.seek(room.now())
  room.playing = true
  room.timer = setInterval(() => room.tell(), 1000)
}

function pause(room: Room) {
  room.seek(room.now())
  room.playing = false
  clearInterval(room.timer)
}

function leave(socket: Socket) {
  const room = rooms[socket.room]!
  room.people.splice(room.people.indexOf(socket), 1)
  if (room.people.length > 0) {
    room.tell()
  } else {
    pause(room)
    delete rooms[socket.room]
  }
  delete socket.room
}

function fail(socket: Socket, text: string) {
  socket.send(JSON.stringify({ type: 'error', text }))
}
