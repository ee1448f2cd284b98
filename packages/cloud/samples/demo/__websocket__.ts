// A small lobby: everybody who connects gets a name, hears who comes and goes, and reads what the others write.
// The names are kept in cloud.shared, where the function `whisper` finds them too.
import cloud from '@socklet/cloud'

type Lobby = Map<string, FunctionContext['socket']>

export async function main(ctx: FunctionContext) {
  const lobby = await openLobby()

  if (ctx.method === 'WebSocket:connection') {
    const name = freeName(lobby)
    lobby.set(name, ctx.socket)
    ctx.socket.send(`Welcome, ${name}! ${lobby.size} here now.`)
    tellOthers(lobby, ctx.socket, `${name} has joined.`)
  }

  if (ctx.method === 'WebSocket:message') {
    const text = ctx.params.data.toString()
    const name = nameOf(lobby, ctx.socket)
    console.log(`${name} says: ${text}`)
    ctx.socket.send(`You (${name}) said: ${text}`)
    tellOthers(lobby, ctx.socket, `${name}: ${text}`)
  }

  if (ctx.method === 'WebSocket:close') {
    const name = nameOf(lobby, ctx.socket)
    if (name !== undefined) lobby.delete(name)
    tellOthers(lobby, ctx.socket, `${name} has left.`)
  }
}

async function openLobby(): Promise<Lobby> {
  let lobby = await cloud.shared.get('lobby')
  if (!lobby) {
    lobby = new Map()
    await cloud.shared.set('lobby', lobby)
  }
  return lobby
}

const ANIMALS = ['otter', 'heron', 'badger', 'lynx', 'finch', 'marmot', 'newt', 'raven']

function freeName(lobby: Lobby): string {
  for (;;) {
    const animal = ANIMALS[Math.floor(Math.random() * ANIMALS.length)]
    const name = `${animal}-${Math.random().toString(36).slice(2, 8)}`
    if (!lobby.has(name)) return name
  }
}

function nameOf(lobby: Lobby, socket: FunctionContext['socket']): string | undefined {
  for (const [name, other] of lobby) if (other === socket) return name
  return undefined
}

function tellOthers(lobby: Lobby, self: FunctionContext['socket'], text: string): void {
  for (const socket of lobby.values()) if (socket !== self) socket.send(text)
}
