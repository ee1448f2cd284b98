// An HTTP function that reaches a client's socket: GET /whisper?to=NAME&text=…
import cloud from '@socklet/cloud'

export async function main(ctx: FunctionContext) {
  const { to, text } = { ...ctx.query, ...ctx.body }
  const lobby = await cloud.shared.get('lobby')
  const socket = lobby?.get(to)
  if (!socket) {
    ctx.response.status(404)
    return { error: `nobody here is called ${to}`, here: [...(lobby?.keys() ?? [])] }
  }
  socket.send(`(whispered) ${text}`)
  return { sent: true }
}
