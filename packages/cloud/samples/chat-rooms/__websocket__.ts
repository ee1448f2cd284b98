// Chat rooms: a client enters rooms by name, and what it says in one reaches everybody in it except itself.
//
//   → { "type": "enter", "room": "tea", "name": "Ann" }     ← { "type": "entered", "room": "tea", "people": 2 }
//   → { "type": "say", "room": "tea", "text": "hello" }     ← { "type": "said", "room": "tea", "name": "Ann", "text": "hello" }
//   → { "type": "leave", "room": "tea" }                    ← { "type": "left", "room": "tea", "name": "Ann" }
//
// The platform keeps the rooms and `socket.data`, so both are still there after a publish or a crash.
import cloud from '@socklet/cloud'

export async function main(ctx: FunctionContext) {
  const { socket } = ctx

  if (ctx.method === 'WebSocket:message') {
    const message = JSON.parse(ctx.params.data.toString())
    if (message.type === 'enter') enter(socket, message.room, message.name)
    if (message.type === 'say') say(socket, message.room, message.text)
    if (message.type === 'leave') leave(socket, message.room)
  }

  if (ctx.method === 'WebSocket:close') {
    for (const room of socket.data?.rooms ?? []) tellLeft(socket, room)
  }
}

type Socket = FunctionContext['socket']

function enter(socket: Socket, room: string, name: string) {
  const rooms = new Set([...(socket.data?.rooms ?? []), room])
  socket.data = { name, rooms: [...rooms] }
  socket.join(room)
  socket.send(JSON.stringify({ type: 'entered', room, people: cloud.sockets.in(room).size }))
}

function say(socket: Socket, room: string, text: string) {
  if (!cloud.sockets.in(room).has(socket)) {
    socket.send(JSON.stringify({ type: 'error', text: `you are not in ${room}` }))
    return
  }
  const message = { type: 'said', room, name: socket.data.name, text }
  cloud.sockets.in(room).send(JSON.stringify(message), { except: socket })
}

function leave(socket: Socket, room: string) {
  socket.leave(room)
  socket.data = { ...socket.data, rooms: socket.data.rooms.filter((other: string) => other !== room) }
  tellLeft(socket, room)
}

function tellLeft(socket: Socket, room: string) {
  cloud.sockets.in(room).send(JSON.stringify({ type: 'left', room, name: socket.data.name }))
}
