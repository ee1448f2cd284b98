// Notifications for users who are signed in. A browser cannot set headers on a WebSocket, so the token comes as a
// second subprotocol, or in the query string:
//
//   new WebSocket('wss://…/__websocket__', ['notifications', token])
//   new WebSocket('wss://…/__websocket__?token=' + token)
//
// Whoever has no good token is refused before the upgrade. Each user is a room, with as many sockets as they have
// tabs, and the function `notify` sends to it.
import { userOf } from './token.ts'

export async function upgrade(ctx: FunctionContext) {
  const [protocol, fromProtocol] = String(ctx.headers['sec-websocket-protocol'] ?? '').split(/,\s*/)
  const user = userOf(fromProtocol ?? ctx.query.token)
  if (user === null) return { status: 401, headers: { 'www-authenticate': 'Bearer' }, body: 'a valid token is needed' }
  return { protocol, data: { user } }
}

export async function main(ctx: FunctionContext) {
  if (ctx.method === 'WebSocket:connection') {
    const { user } = ctx.socket.data
    ctx.socket.join(user)
    ctx.socket.send(JSON.stringify({ type: 'hello', user }))
  }
}
