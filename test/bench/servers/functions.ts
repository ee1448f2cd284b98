/** The functions under test, in the style of laf. */
export const ECHO = `
  export function main(ctx) {
    if (ctx.method === 'WebSocket:message') ctx.socket.send(ctx.params.isBinary ? ctx.params.data : ctx.params.data.toString())
  }`

/** A plain loop that sends one value to every socket. */
export const BROADCAST = `
  import cloud from '@lafjs/cloud'
  export function main(ctx) {
    if (ctx.method !== 'WebSocket:message') return
    const text = ctx.params.data.toString()
    cloud.sockets.forEach((socket) => socket.send(text))
  }`

/** What laf's documentation shows: users in a shared Map, found again by their socket; each message is logged. */
export const CHAT = `
  import cloud from '@lafjs/cloud'
  export async function main(ctx: FunctionContext) {
    let users = await cloud.shared.get('users')
    if (!users) {
      users = new Map()
      await cloud.shared.set('users', users)
    }
    if (ctx.method === 'WebSocket:connection') {
      users.set(Math.random().toString(36).substring(2, 15), ctx.socket)
      await cloud.shared.set('users', users)
    }
    if (ctx.method === 'WebSocket:message') {
      const { data } = ctx.params
      console.log('received: ', data.toString())
      ctx.socket.send('the server has your message, your id is: ' + keyOf(users, ctx.socket))
    }
    if (ctx.method === 'WebSocket:close') {
      users = await cloud.shared.get('users')
      users.delete(keyOf(users, ctx.socket))
      await cloud.shared.set('users', users)
    }
  }
  function keyOf(map: Map<string, any>, value: any) {
    for (const [key, each] of map.entries()) if (each === value) return key
  }`

/**
 * As CHAT, with the cost of a connection only: the close finds its entry by an id on the socket, so that the Map keeps its
 * size. `fill?n=N` gives it N entries.
 */
export const ENTRIES = {
  __websocket__: `
    import cloud from '@lafjs/cloud'
    export async function main(ctx: FunctionContext) {
      const users = await cloud.shared.get('users')
      if (ctx.method === 'WebSocket:connection') {
        ctx.socket.userId = Math.random().toString(36).substring(2, 15)
        users.set(ctx.socket.userId, ctx.socket)
        await cloud.shared.set('users', users)
      }
      if (ctx.method === 'WebSocket:message') ctx.socket.send(ctx.params.data.toString())
      if (ctx.method === 'WebSocket:close') users.delete(ctx.socket.userId)
    }`,
  fill: `
    import cloud from '@lafjs/cloud'
    export default function (ctx: FunctionContext) {
      const users = new Map()
      for (let n = 0; n < Number(ctx.query.n); n++) users.set('user ' + n, 'offline since yesterday')
      cloud.shared.set('users', users)
      return users.size
    }`
}

/** ECHO as one function among as much other source as makes up so many bytes, unlike that of any other `seed`. */
export function largeEcho(bytes: number, seed: string): string {
  const parts = [ECHO]
  for (let n = 0, length = ECHO.length; length < bytes; n++) {
    const part = `
  export function part${n}(value) {
    const table = { seed: ${JSON.stringify(seed)}, name: 'part ${n}', weight: ${n * 17} }
    if (typeof value !== 'object' || value === null) throw new TypeError(table.name + ' takes an object')
    return Object.entries(value).filter(([key]) => key !== table.name).map(([key, each]) => key + '=' + String(each) + table.weight).join('&')
  }`
    parts.push(part)
    length += part.length
  }
  return parts.join('')
}
