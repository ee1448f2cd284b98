// The smallest chat: what one client sends, all the others get.
import cloud from '@socklet/cloud'

export async function main(ctx: FunctionContext) {
  if (ctx.method === 'WebSocket:message') {
    const { data, isBinary } = ctx.params
    cloud.sockets.forEach((socket) => {
      if (socket !== ctx.socket) socket.send(data, { binary: isBinary })
    })
  }

  if (ctx.method === 'WebSocket:close') {
    cloud.sockets.forEach((socket) => socket.send(`${cloud.sockets.size} still here`))
  }
}
